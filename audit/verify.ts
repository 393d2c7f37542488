import type { DocumentStore } from '../store/index.ts';
import { type AuditRecord, type ChainLink, chainSpec, genesis, isSealed, recordSpec } from './audit-record.ts';
import { hashOf } from './record-hash.ts';

/** What is wrong with a chain, and where. */
export interface ChainFault {
	/** The place in the chain where it was noticed. */
	readonly seq: number;
	/** The id of the record, where there is one. */
	readonly id?: string;
	readonly reason: string;
}

/** What is to be said of the chain of one tenant. */
export interface ChainReport {
	readonly tenant: string;
	/** Sealed records that were looked at, up to the fault if there is one. */
	readonly records: number;
	/** Records that have no place in the chain yet. */
	readonly unsealed: number;
	/** The last record that was removed by age. */
	readonly anchor: ChainLink;
	/** The id of the record that tells of that removal, where it was found. */
	readonly removalRecord?: string;
	/** The noted end was removed by age: there is nothing to compare it with. */
	readonly isExpectedGone: boolean;
	/** The last record that was found right. */
	readonly head: ChainLink;
	readonly fault?: ChainFault;
}

const pageSize = 500;

/**
 * Looks at the chain of every tenant, record by record, and at the first thing that is wrong.
 * `expected` are ends of chains that were noted earlier: each has to be in its chain, or before what was removed by age.
 */
export async function* verifyChains(store: DocumentStore, expected: ReadonlyMap<string, ChainLink>): AsyncGenerator<ChainReport> {
	const chains = await store.collection(chainSpec);
	const records = await store.collection(recordSpec);
	const tenants = new Set<string>(expected.keys());
	for await (const { _id } of chains.scan({})) tenants.add(_id);
	// Also those whose chain somebody took away.
	for (const { key } of await records.groupCount(['tenant'], {})) if (typeof key[0] === 'string') tenants.add(key[0]);
	for (const tenant of [...tenants].sort()) yield verifyAtRest(tenant);

	/** Records may be removed by age while they are looked at: then what was read of the beginning does not hold any more. */
	async function verifyAtRest(tenant: string): Promise<ChainReport> {
		for (;;) {
			const report = await verifyChain(tenant);
			if (!report.fault || (await chains.get(tenant))?.anchor.seq === report.anchor.seq) return report;
			if (report.anchor.seq === 0 && !(await chains.get(tenant))) return report;
		}
	}

	async function verifyChain(tenant: string): Promise<ChainReport> {
		// The end before the records: what is sealed meanwhile lies behind it.
		const chain = await chains.get(tenant);
		const anchor = chain?.anchor ?? genesis;
		const goal = chain?.head ?? genesis;
		const unsealed = await records.count({ tenant, pending: true });
		const noted = expected.get(tenant);
		let head = anchor;
		let looked = 0;
		let removal: { readonly id?: string; readonly upTo: ChainLink } = { upTo: genesis };
		const report = (fault?: ChainFault): ChainReport => ({
			tenant,
			records: looked,
			unsealed,
			anchor,
			...(removal.id !== undefined && { removalRecord: removal.id }),
			isExpectedGone: noted !== undefined && noted.seq < anchor.seq,
			head,
			...(fault && { fault }),
		});
		for (let from = 0; ; ) {
			const page = await records.find({ filter: { tenant, seq: { $gte: from } }, sort: [['seq', 1]], limit: pageSize });
			for (const record of page) {
				const fault =
					faultOf(record, head) ?? hashFault(record, goal, 'the end of the chain') ?? hashFault(record, noted, 'noted');
				if (fault) return report(fault);
				head = { seq: head.seq + 1, hash: record.hash ?? '' };
				looked++;
				if (record.anchor && record.type === 'Audit') removal = { id: record._id, upTo: record.anchor };
			}
			if (page.length < pageSize) break;
			from = head.seq + 1;
		}
		if (!chain && looked > 0) return report({ seq: head.seq, reason: 'missing: where the chain ends is not on record any more' });
		if (head.seq < goal.seq)
			return report({ seq: head.seq + 1, reason: `missing: the chain ends at ${goal.seq}, and nothing lies behind ${head.seq}` });
		const pendingAnchors = await records.find({ filter: { pending: true, tenant, type: 'Audit' } });
		for (const { _id: id, anchor: upTo } of pendingAnchors) if (upTo && upTo.seq > removal.upTo.seq) removal = { id, upTo };
		const anchorReason = anchorFault(anchor, removal.upTo);
		if (anchorReason) return report({ seq: anchor.seq + 1, reason: anchorReason });
		if (noted && noted.seq > head.seq)
			return report({ seq: head.seq + 1, reason: `missing: the chain went to ${noted.seq} when its end was noted` });
		if (noted && noted.seq === anchor.seq && noted.hash !== anchor.hash)
			return report({ seq: noted.seq, reason: 'rebuilt: the hash is not the one that was noted' });
		return report();
	}
}

/** What is wrong where a chain does not begin behind what the last removal by age on record says. */
function anchorFault(anchor: ChainLink, removed: ChainLink): string | undefined {
	if (anchor.seq === removed.seq)
		return anchor.hash === removed.hash ? undefined : 'replaced: the removal by age on record ends with another hash';
	const onRecord = removed.seq === 0 ? 'no removal by age is on record' : `the removals by age on record end at ${removed.seq}`;
	return `missing: the chain begins behind ${anchor.seq}, and ${onRecord}`;
}

function faultOf(record: AuditRecord, before: ChainLink): ChainFault | undefined {
	const seq = before.seq + 1;
	const id = record._id;
	if (!isSealed(record)) return { seq, id, reason: 'changed: it has a number and no hash' };
	if (record.seq > seq) return { seq, reason: `missing: the next record is ${record.seq} (${id})` };
	if (record.seq < seq)
		return { seq: record.seq, id, reason: 'reordered: its number is taken by another record, or lies before the beginning' };
	if (hashOf(record, { seq: seq - 1, hash: record.previousHash }) !== record.hash)
		return { seq, id, reason: 'changed: what it says does not give its hash' };
	if (record.previousHash !== before.hash)
		return { seq, id, reason: 'reordered or replaced: it does not follow the record before it' };
	return undefined;
}

/** Whether the record at a known place has another hash than it had. */
function hashFault({ seq, hash, _id }: AuditRecord, known: ChainLink | undefined, where: string): ChainFault | undefined {
	if (!known || seq !== known.seq || hash === known.hash) return undefined;
	return { seq: known.seq, id: _id, reason: `rebuilt: its hash is not the one that is ${where}` };
}
