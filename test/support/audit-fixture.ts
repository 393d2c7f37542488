import { type Actor, type AuditLimits, type AuditRecord, type AuditTable, openAuditTrail } from '../../audit/index.ts';
import type { CollectionSpec, DocumentStore, StoredDocument } from '../../store/index.ts';

export interface Thing extends StoredDocument {
	readonly tenant: string;
	readonly count?: number;
	readonly revision?: number;
	readonly beat?: number;
	readonly key?: string;
	readonly parts?: Readonly<Record<string, unknown>>;
}

export const thingSpec: CollectionSpec<Thing> = { name: 'things', indexes: [{ name: 'byTenant', keys: ['tenant', 'count'] }] };
const listSpec: CollectionSpec<StoredDocument> = { name: 'lists', indexes: [] };
const plainSpec: CollectionSpec<StoredDocument> = { name: 'plain', indexes: [] };

const table: AuditTable = {
	things: {
		kind: 'changes',
		type: 'Inventory',
		what: 'Thing',
		source: ({ _id }) => _id.slice(_id.indexOf('/') + 1),
		leftOut: ['tenant', 'revision', 'beat'],
		secret: ['key'],
		spread: { parts: '' },
	},
	lists: {
		kind: 'summary',
		type: 'Inventory',
		activity: 'List changed',
		parse: (id) => {
			const [tenant = '', source = '', name = ''] = id.split('/');
			return { tenant, source, name };
		},
		details: ({ _id, ...rest }) => rest,
	},
	plain: { kind: 'none', reason: 'for tests' },
};

export function userOf(name: string, tenant = 't1'): Actor {
	return { tenant, userName: name, isDevice: false, channel: 'http', address: `address-of-${name}`, call: 'PUT /things' };
}

/** An audit trail with a table of its own; the clock moves a millisecond a look. */
export async function openAuditFixture(
	store: DocumentStore,
	limits: Partial<AuditLimits> = {},
	elapsed: () => number = () => performance.now(),
) {
	const told: AuditRecord[] = [];
	const state = { time: 1_800_000_000_000 };
	const trail = await openAuditTrail({
		store,
		table,
		clock: () => state.time++,
		elapsed,
		limits: { valueMaxCharacters: 100, changesMax: 10, deviceReports: true, retentionDays: 0, ...limits },
		application: 'test',
		onStored: (record) => told.push(record),
	});
	const audited = trail.store;
	const things = await audited.collection(thingSpec);
	const lists = await audited.collection(listSpec);
	await audited.collection(plainSpec);

	/** All records of a tenant, oldest first. */
	async function records(tenant = 't1'): Promise<AuditRecord[]> {
		return trail.list(tenant, {}, { skip: 0, limit: 1_000_000, revert: false });
	}
	return { trail, audited, things, lists, records, told, state };
}
