import type { Collection, DocumentStore, Step } from '../store/index.ts';
import { type AuditChain, type AuditRecord, type ChainLink, chainSpec, genesis, recordSpec, recordStep } from './audit-record.ts';
import { hashOf, sortedJson } from './record-hash.ts';

/** Records that are sealed in one batch: as many as do not keep a busy database from other work for long. */
const maxPage = 500;
const minPage = 20;
const pageMilliseconds = 200;
const isPending = Object.freeze({ pending: true });

/** Gives records their place in the chain of their tenant. */
export function openSealer({
	store,
	records,
	chains,
	elapsed,
}: {
	readonly store: DocumentStore;
	readonly records: Collection<AuditRecord>;
	readonly chains: Collection<AuditChain>;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
}) {
	let pageSize = maxPage;

	/**
	 * Seals what is not sealed yet, in the order of time, until there is nothing or the signal is aborted. Returns how many.
	 * The chain's end moves in the batch that seals, on the condition that it is where it was before the records were read: of two
	 * that seal at once, one does, and a record has one place.
	 * @param guard makes the batches fail when another process has taken over
	 */
	async function seal(guard: readonly Step[], signal?: AbortSignal): Promise<number> {
		// Where the chain of each tenant ends, as it was read before the records were: what others seal in between moves it.
		const ends = new Map<string, ChainLink | undefined>();
		let sealed = 0;
		let isDone = false;
		while (!isDone && !signal?.aborted) {
			const order = [['time', 1] as const, ['number', 1] as const];
			const asked = elapsed();
			const page = await records.find({ filter: isPending, sort: order, limit: pageSize });
			const readMilliseconds = elapsed() - asked;
			if (page.length === 0) return sealed;
			const groups = byTenant(page);
			const strangers = [...groups.keys()].filter((tenant) => !ends.has(tenant));
			if (strangers.length > 0) {
				// Their records are read again, after the end.
				const found = await chains.find({ filter: { _id: { $in: strangers } } });
				for (const tenant of strangers) ends.set(tenant, found.find(({ _id }) => _id === tenant)?.head);
				continue;
			}
			const heads = new Map<string, ChainLink>();
			const steps: Step[] = [...guard];
			for (const [tenant, own] of groups) {
				const end = ends.get(tenant);
				const added = sealedRecords(own, end ?? genesis);
				heads.set(tenant, added.head);
				steps.push(headStep(tenant, end, added.head), ...added.steps);
			}
			const began = elapsed();
			if (!(await store.batch(steps)).ok) return sealed;
			for (const [tenant, head] of heads) ends.set(tenant, head);
			sealed += page.length;
			isDone = page.length < pageSize;
			// What it takes longer than a read: where everything has to wait, smaller batches are no quicker.
			const taken = Math.max(1, elapsed() - began - readMilliseconds);
			const fitting = Math.floor((page.length * pageMilliseconds) / taken);
			pageSize = Math.min(maxPage, Math.max(minPage, fitting));
		}
		return sealed;
	}

	return { seal };
}

/** The records with their places behind an end of a chain, and the end behind them. */
function sealedRecords(own: readonly AuditRecord[], end: ChainLink): { readonly steps: Step[]; readonly head: ChainLink } {
	let head = end;
	const steps = own.map((record, position): Step => {
		const { hash: previousHash } = head;
		head = { seq: head.seq + 1, hash: hashOf(record, head, sortedJson) };
		const { pending: _pending, ...said } = record;
		const place = { seq: head.seq, previousHash, hash: head.hash };
		if (position > 0) return recordStep({ ...said, ...place });
		// Should the page be older than the end, as after a failover of the database, its first record is sealed already.
		const update = { $set: place, $unset: ['pending'] };
		return { kind: 'update', collection: recordSpec.name, id: record._id, where: isPending, update };
	});
	return { steps, head };
}

function headStep(tenant: string, end: ChainLink | undefined, head: ChainLink): Step {
	if (!end) return { kind: 'insert', collection: chainSpec.name, document: newChain(tenant, head) };
	const where = { 'head.seq': end.seq, 'head.hash': end.hash };
	return { kind: 'update', collection: chainSpec.name, id: tenant, where, update: { $set: { head } } };
}

function newChain(tenant: string, head: ChainLink): AuditChain {
	return { _id: tenant, head, anchor: genesis };
}

function byTenant(records: readonly AuditRecord[]): Map<string, AuditRecord[]> {
	const groups = new Map<string, AuditRecord[]>();
	for (const record of records) {
		const group = groups.get(record.tenant);
		if (group) group.push(record);
		else groups.set(record.tenant, [record]);
	}
	return groups;
}
