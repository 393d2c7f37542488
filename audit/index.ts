/** Who did what: set at the edges, known wherever something is stored. */
export { type Actor, actAs, actInCall, currentActor } from './actor.ts';
export {
	type AuditChange,
	type AuditFacts,
	type AuditOrigin,
	type AuditRecord,
	type AuditType,
	auditCollections,
	auditTypes,
	type ChainLink,
	type SealedRecord,
	type Severity,
	severities,
} from './audit-record.ts';
/** What of each collection is on record. */
export type { AuditedDocument, AuditRow, AuditTable } from './audit-table.ts';
/** The records, and the store that writes them. */
export {
	type AuditFilter,
	type AuditLimits,
	type AuditNote,
	type AuditPage,
	type AuditTrail,
	looksAtMany,
	openAuditTrail,
} from './audit-trail.ts';
/** Whether the records are as they were written. */
export { type ChainFault, type ChainReport, verifyChains } from './verify.ts';
