import type { AuditType } from './audit-record.ts';

/** A stored document, as far as the audit knows it. */
export type AuditedDocument = Readonly<Record<string, unknown>> & { readonly _id: string };

/** What of a collection is on record, and how. */
export type AuditRow =
	/** Every change of every document, but for those that `isOwn` says follow from another one's. */
	| {
			readonly kind: 'changes';
			readonly type: AuditType;
			/** What a document is, as the activity and the text say it: 'Managed object'. */
			readonly what: string;
			/** The id by which records are found. */
			readonly source: (document: AuditedDocument) => string;
			/** What the text calls a document, beside its id. */
			readonly label?: (document: AuditedDocument) => string | undefined;
			readonly tenant?: (document: AuditedDocument) => string;
			/** Fields, and paths in `spread` ones, whose change is nobody's decision: copies, counters, stamps. */
			readonly leftOut: readonly string[];
			/** Fields of which only is said that they changed. */
			readonly secret?: readonly string[];
			/** Objects whose fields are attributes of their own, and what stands before their names. */
			readonly spread?: Readonly<Record<string, string>>;
			readonly isOwn?: (document: AuditedDocument) => boolean;
	  }
	/** One record a write of many small documents of one source, which are put and removed. */
	| {
			readonly kind: 'summary';
			readonly type: AuditType;
			readonly activity: string;
			/** Tenant and source of a document, by its id, and what the record calls it. */
			readonly parse: (id: string) => { readonly tenant: string; readonly source: string; readonly name: string };
			/** What a document says beside its name. */
			readonly details: (document: AuditedDocument) => Readonly<Record<string, unknown>>;
	  }
	/** No change that anybody makes, or one that is on record elsewhere. */
	| { readonly kind: 'none'; readonly reason: string };

/** What is on record of each collection, by its name. */
export type AuditTable = Readonly<Record<string, AuditRow>>;
export type ChangesRow = Extract<AuditRow, { kind: 'changes' }>;
export type SummaryRow = Extract<AuditRow, { kind: 'summary' }>;
