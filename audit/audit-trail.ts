import { type DocumentStore, type Filter, openSequence, type Query, StoreError } from '../store/index.ts';
import { currentActor } from './actor.ts';
import {
	type AuditFacts,
	type AuditRecord,
	chainSpec,
	isSealed,
	recordId,
	recordSpec,
	recordStep,
	type SealedRecord,
} from './audit-record.ts';
import type { AuditTable } from './audit-table.ts';
import { createAuditedStore } from './audited-store.ts';
import type { ChangeLimits } from './changes.ts';
import { openRetention } from './retention.ts';
import { openSealer } from './sealer.ts';

export interface AuditLimits extends ChangeLimits {
	/** Whether software lists that devices report are on record, too. */
	readonly deviceReports: boolean;
	/** Days after which records go; 0 keeps them. */
	readonly retentionDays: number;
}

/** What is noted beside changes: a login, say. What is not said is that of whoever acts now. */
export type AuditNote = Pick<AuditFacts, 'tenant' | 'type' | 'activity' | 'text'> &
	Partial<Pick<AuditFacts, 'severity' | 'user' | 'application' | 'source' | 'time' | 'origin' | 'changes' | 'byClient'>>;

export interface AuditFilter {
	readonly type?: string | undefined;
	readonly user?: string | undefined;
	readonly application?: string | undefined;
	readonly source?: string | undefined;
	/** Milliseconds since 1970, inclusive. */
	readonly dateFrom?: number | undefined;
	readonly dateTo?: number | undefined;
}

/** A page: from its place in the order on, or behind a record that was seen. */
export interface AuditPage {
	readonly skip: number;
	readonly limit: number;
	/** Newest first. */
	readonly revert: boolean;
	readonly after?: { readonly time: number; readonly number: number };
}

export type AuditTrail = Awaited<ReturnType<typeof openAuditTrail>>;

/** The records of who changed what: written by the store that is given to the domain, sealed into a chain, read, and let go by age. */
export async function openAuditTrail(options: {
	readonly store: DocumentStore;
	readonly table: AuditTable;
	/** Milliseconds since 1970. */
	readonly clock: () => number;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	readonly limits: AuditLimits;
	/** The name of the service in its records. */
	readonly application: string;
	/** Hears of each record when it is stored. */
	readonly onStored: (record: AuditRecord) => void;
}) {
	const { store, table, clock, elapsed, limits, application, onStored } = options;
	const records = await store.collection(recordSpec);
	const chains = await store.collection(chainSpec);
	const numbers = await openSequence(store, 'auditRecords', { first: 1, block: 1000 });

	async function toRecord(facts: AuditNote & Pick<Partial<AuditFacts>, 'anchor'>): Promise<AuditRecord> {
		const number = await numbers.next();
		const now = clock();
		return {
			_id: recordId(facts.tenant, number),
			number,
			creationTime: now,
			severity: 'INFORMATION',
			application,
			source: '',
			time: now,
			changes: [],
			...whoActs(facts.tenant),
			...facts,
			pending: true,
		};
	}

	/** Writes a record of something that is no change of a document. Durable when it resolves. */
	async function note(facts: AuditNote): Promise<AuditRecord> {
		const record = await toRecord(facts);
		const outcome = await store.batch([recordStep(record)]);
		if (!outcome.ok) throw new StoreError(`the audit record ${record._id} is there already`);
		onStored(record);
		return record;
	}

	const audited = createAuditedStore({
		store,
		table,
		limits,
		recorder: {
			recordsSummaries,
			async steps(facts) {
				const made: AuditRecord[] = [];
				for (const each of facts) made.push(await toRecord(each));
				return { steps: made.map(recordStep), stored: () => made.forEach(onStored) };
			},
		},
	});

	function recordsSummaries(): boolean {
		const actor = currentActor();
		return limits.deviceReports || !(actor?.isDevice || actor?.channel === 'mqtt');
	}

	async function list(tenant: string, filter: AuditFilter, { skip, limit, revert, after }: AuditPage): Promise<AuditRecord[]> {
		const direction = revert ? -1 : 1;
		const order: Query['sort'] = [
			['time', direction],
			['number', direction],
		];
		if (!after) return records.find({ filter: recordFilter(tenant, filter), sort: order, skip, limit });
		// Two stretches of an index: the rest of the same millisecond, and what lies behind it.
		const beyond = revert ? '$lt' : '$gt';
		const sameTime = { ...recordFilter(tenant, filter), time: after.time, number: { [beyond]: after.number } };
		const rest = await records.find({ filter: sameTime, sort: [['number', direction]], limit });
		if (rest.length === limit) return rest;
		const { dateFrom, dateTo } = filter;
		const bound = revert ? { dateFrom, dateTo: after.time - 1 } : { dateFrom: after.time + 1, dateTo };
		const further = { filter: recordFilter(tenant, { ...filter, ...bound }), sort: order, limit: limit - rest.length };
		return [...rest, ...(await records.find(further))];
	}

	async function count(tenant: string, filter: AuditFilter): Promise<number> {
		return records.count(recordFilter(tenant, filter));
	}

	async function find(tenant: string, id: string): Promise<AuditRecord | undefined> {
		return /^[0-9]{1,15}$/.test(id) ? records.get(recordId(tenant, Number(id))) : undefined;
	}

	/** Sealed records in the order of their chain, read a bounded page at a time. */
	async function* inOrder(tenant: string, wanted: AuditFilter, fromSeq: number): AsyncGenerator<SealedRecord> {
		const matching = recordFilter(tenant, wanted);
		for (let from = fromSeq; ; ) {
			// By its order, whatever the filters: another index would have to be sorted again for every page.
			const filter = { ...matching, seq: { $gte: from } };
			const page = await records.find({ filter, sort: [['seq', 1]], limit: pageSize, hint: 'bySeq' });
			const sealed = page.filter(isSealed);
			yield* sealed;
			const last = sealed.at(-1);
			if (!last || page.length < pageSize) return;
			from = last.seq + 1;
		}
	}

	const { seal } = openSealer({ store, records, chains, elapsed });
	const { removeOld } = openRetention({ ...options, records, chains, retentionDays: limits.retentionDays, toRecord });
	return { store: audited, note, list, count, find, inOrder, seal, removeOld };
}

const pageSize = 500;

/** Whether no index answers such a filter. */
export function looksAtMany({ type, user, application, source }: AuditFilter): boolean {
	return application !== undefined || [type, user, source].filter((each) => each !== undefined).length > 1;
}

function recordFilter(tenant: string, { type, user, application, source, dateFrom, dateTo }: AuditFilter): Filter {
	const time = { ...(dateFrom !== undefined && { $gte: dateFrom }), ...(dateTo !== undefined && { $lte: dateTo }) };
	return {
		tenant,
		...(type !== undefined && { type }),
		...(user !== undefined && { user }),
		...(application !== undefined && { application }),
		...(source !== undefined && { source }),
		...(Object.keys(time).length > 0 && { time }),
	};
}

/** Whose work it is, as a record of a tenant says it. */
function whoActs(tenant: string): Pick<AuditFacts, 'user' | 'origin'> {
	const actor = currentActor();
	if (!actor) return { user: 'system', origin: { channel: 'system' } };
	const { userName, channel, address, device, call } = actor;
	return {
		user: actor.tenant === tenant ? userName : `${actor.tenant}/${userName}`,
		origin: {
			channel,
			...(address !== undefined && { address }),
			...(device !== undefined && { device }),
			...(call !== undefined && { call }),
		},
	};
}
