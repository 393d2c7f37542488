import type { Collection, DocumentStore, Step } from '../store/index.ts';
import { type AuditChain, type AuditRecord, type ChainLink, chainSpec, genesis, recordSpec } from './audit-record.ts';
import { hashOf } from './record-hash.ts';

/** Records that are sealed in one batch: as many as do not keep a busy database from other work for long. */
const maxPage = 500;
const minPage = 20;
const pageMilliseconds = 200;

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
	 * The chain's end moves in the batch that seals, on the condition that it is where it was read, and only a record that is not
	 * sealed changes: of two that seal at once, one does, and a record has one place.
	 * @param guard makes the batches fail when another process has taken over
	 */
	async function seal(guard: readonly Step[], signal?: AbortSignal): Promise<number> {
		let sealed = 0;
		let isDone = false;
		while (!isDone && !signal?.aborted) {
			const order = [['time', 1] as const, ['number', 1] as const];
			const page = await records.find({ filter: { pending: true }, sort: order, limit: pageSize });
			const steps: Step[] = [...guard];
			for (const [tenant, own] of byTenant(page)) steps.push(...(await sealSteps(tenant, own)));
			if (page.length === 0) return sealed;
			const began = elapsed();
			const outcome = await store.batch(steps);
			if (!outcome.ok) return sealed;
			sealed += page.length;
			isDone = page.length < pageSize;
			const fitting = Math.floor((page.length * pageMilliseconds) / (elapsed() - began));
			pageSize = Math.min(maxPage, Math.max(minPage, fitting));
		}
		return sealed;
	}

	async function sealSteps(tenant: string, own: readonly AuditRecord[]): Promise<Step[]> {
		const chain = await chains.get(tenant);
		let link = chain?.head ?? genesis;
		const steps: Step[] = [];
		for (const record of own) {
			const { hash: previousHash } = link;
			link = { seq: link.seq + 1, hash: hashOf(record, link) };
			steps.push({
				kind: 'update',
				collection: recordSpec.name,
				id: record._id,
				where: { pending: true },
				update: { $set: { seq: link.seq, previousHash, hash: link.hash }, $unset: ['pending'] },
			});
		}
		return [headStep(tenant, chain, link), ...steps];
	}

	return { seal };
}

function headStep(tenant: string, chain: AuditChain | undefined, head: ChainLink): Step {
	if (!chain) return { kind: 'insert', collection: chainSpec.name, document: newChain(tenant, head) };
	const where = { 'head.seq': chain.head.seq, 'head.hash': chain.head.hash };
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
