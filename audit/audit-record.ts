import type { CollectionSpec, Step, StoredDocument } from '../store/index.ts';

/** The types of records that Cumulocity knows and that are made here, and `Audit` for what is done to the records themselves. */
export const auditTypes = [
	'Inventory',
	'Operation',
	'Event',
	'User',
	'UserAuthentication',
	'Tenant',
	'DeviceRegistration',
	'Audit',
] as const;
export type AuditType = (typeof auditTypes)[number];

export const severities = ['CRITICAL', 'MAJOR', 'MINOR', 'WARNING', 'INFORMATION'] as const;
export type Severity = (typeof severities)[number];

/** A scalar as it is, anything else as JSON text; what is too long is replaced by its digest and length. */
export type AuditValue = string | number | boolean | null;

export interface AuditChange {
	readonly attribute: string;
	readonly changeType: 'ADDED' | 'REPLACED' | 'REMOVED';
	readonly previousValue?: AuditValue;
	readonly newValue?: AuditValue;
}

/** Where a change came from. */
export interface AuditOrigin {
	readonly channel: 'http' | 'mqtt' | 'system';
	readonly address?: string;
	readonly device?: string;
	readonly call?: string;
}

/** What a record says. */
export interface AuditFacts {
	readonly tenant: string;
	/** One of `auditTypes`, or what a client wrote. */
	readonly type: string;
	readonly activity: string;
	readonly text: string;
	readonly severity: Severity;
	/** Whose change it is: a user of the tenant, `tenant/user` of another one, or `system`. */
	readonly user: string;
	readonly application: string;
	/** The id of what it is about. */
	readonly source: string;
	/** Milliseconds since 1970. */
	readonly time: number;
	readonly origin: AuditOrigin;
	readonly changes: readonly AuditChange[];
	/** A client wrote it: the service saw nothing of what it tells. */
	readonly byClient?: true;
	/** On records of removals by age: the last one that went. */
	readonly anchor?: ChainLink;
}

/** The place of a record in the chain of its tenant. */
export interface ChainLink {
	/** From 1 on, without a gap. */
	readonly seq: number;
	/** SHA-256, in hexadecimal digits. */
	readonly hash: string;
}

export interface AuditRecord extends AuditFacts, StoredDocument {
	/** Unique in the service; grows with the order of writing in one process. */
	readonly number: number;
	/** When it was stored, in milliseconds since 1970. */
	readonly creationTime: number;
	/** There until the record has its place in the chain. */
	readonly pending?: true;
	readonly seq?: number;
	readonly previousHash?: string;
	readonly hash?: string;
}

/** A record with its place in the chain. */
export type SealedRecord = AuditRecord & Required<Pick<AuditRecord, 'seq' | 'previousHash' | 'hash'>>;

/** Where the chain of a tenant (the `_id`) begins and ends. */
export interface AuditChain extends StoredDocument {
	readonly head: ChainLink;
	/** The last record that was removed by age; the chain goes on behind it. */
	readonly anchor: ChainLink;
}

export const recordSpec: CollectionSpec<AuditRecord> = {
	name: 'auditRecords',
	indexes: [
		{ name: 'all', keys: ['tenant', 'time', 'number'] },
		{ name: 'byType', keys: ['tenant', 'type', 'time', 'number'] },
		{ name: 'byUser', keys: ['tenant', 'user', 'time', 'number'] },
		{ name: 'bySource', keys: ['tenant', 'source', 'time', 'number'] },
		{ name: 'bySeq', keys: ['tenant', 'seq'], sparse: 'seq' },
		{ name: 'pending', keys: ['pending', 'time', 'number'], sparse: 'pending' },
	],
};
export const chainSpec: CollectionSpec<AuditChain> = { name: 'auditChains', indexes: [] };

/** Everything that the audit stores. Nothing but the audit itself writes it. */
export const auditCollections: readonly CollectionSpec<StoredDocument>[] = [recordSpec, chainSpec];

/** What comes before the first record of a tenant. */
export const genesis: ChainLink = { seq: 0, hash: '0'.repeat(64) };

export function recordId(tenant: string, number: number): string {
	return `${tenant}/${number}`;
}

export function isSealed(record: AuditRecord): record is SealedRecord {
	return record.seq !== undefined && record.hash !== undefined && record.previousHash !== undefined;
}

/** A `put`: the number is nobody else's, and the embedded engine writes what cannot fail together. */
export function recordStep(document: AuditRecord): Step {
	return { kind: 'put', collection: recordSpec.name, document };
}
