import type { Collection, DocumentStore, Step } from '../store/index.ts';
import {
	type AuditChain,
	type AuditFacts,
	type AuditRecord,
	chainSpec,
	isSealed,
	recordSpec,
	recordStep,
} from './audit-record.ts';

const pageSize = 500;
const dayMilliseconds = 86_400_000;

/** Lets the oldest records go. */
export function openRetention({
	store,
	records,
	chains,
	clock,
	retentionDays,
	toRecord,
}: {
	readonly store: DocumentStore;
	readonly records: Collection<AuditRecord>;
	readonly chains: Collection<AuditChain>;
	readonly clock: () => number;
	readonly retentionDays: number;
	readonly toRecord: (
		facts: Pick<AuditFacts, 'tenant' | 'type' | 'activity' | 'text' | 'source' | 'anchor'>,
	) => Promise<AuditRecord>;
}) {
	/**
	 * Removes the sealed records that are older than the setting says, from the beginning of each chain on. Each removal is on
	 * record itself, in the same batch, with the place and hash of the last one that went: the chain goes on from there, and who
	 * moves its beginning has to change a record. Returns how many went.
	 * @param guard makes the batches fail when another process has taken over
	 */
	async function removeOld(guard: readonly Step[] = []): Promise<number> {
		if (retentionDays === 0) return 0;
		const before = clock() - retentionDays * dayMilliseconds;
		let removed = 0;
		for await (const { _id } of chains.scan({})) {
			for (;;) {
				const went = await removePage(_id, before, guard);
				removed += went;
				if (went < pageSize) break;
			}
		}
		return removed;
	}

	async function removePage(tenant: string, before: number, guard: readonly Step[]): Promise<number> {
		const chain = await chains.get(tenant);
		if (!chain) return 0;
		const filter = { tenant, seq: { $gt: chain.anchor.seq } };
		const page = (await records.find({ filter, sort: [['seq', 1]], limit: pageSize })).filter(isSealed);
		// By when they were stored: what a client calls the time of its record keeps none before it.
		const young = page.findIndex(({ creationTime }) => creationTime >= before);
		const old = young < 0 ? page : page.slice(0, young);
		const last = old.at(-1);
		if (!last) return 0;
		const anchor = { seq: last.seq, hash: last.hash };
		const note = await toRecord({
			tenant,
			type: 'Audit',
			activity: 'Audit records removed by age',
			text: `Audit records removed by age: ${old.length}, up to number ${last.seq} of the chain`,
			source: '',
			anchor,
		});
		const where = { 'anchor.seq': chain.anchor.seq };
		const outcome = await store.batch([
			...guard,
			{ kind: 'update', collection: chainSpec.name, id: tenant, where, update: { $set: { anchor } } },
			recordStep(note),
			...old.map(({ _id }): Step => ({ kind: 'remove', collection: recordSpec.name, id: _id })),
		]);
		return outcome.ok ? old.length : 0;
	}

	return { removeOld };
}
