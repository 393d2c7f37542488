/** The port to where the bytes of binaries are kept. */
export { createContentDigest } from './content-digest.ts';
export type { ByteRange, ContentStore, ContentStoreFault, KeptContent, LinkOptions, StoredContent } from './content-store.ts';
export { ContentStoreError } from './content-store.ts';
/** The store port: what every part of the domain reads and writes through. */

/** Versions of what is stored. */
export { storeCollections } from './collections.ts';
/** Copies of whole stores. */
export type { Comparison as CopyComparison } from './compare-copies.ts';
export { takeIntoUse } from './copy-records.ts';
export {
	type CopiedCollection,
	type CopyEnd,
	type CopyPart,
	type CopyProgress,
	type CopyReport,
	type CopyTelling,
	copyStore,
} from './copy-store.ts';
export type {
	BatchOutcome,
	Change,
	Collection,
	CollectionSpec,
	Comparison,
	DocumentStore,
	DocumentsText,
	Filter,
	IndexSpec,
	Query,
	Scalar,
	Step,
	StoredDocument,
	StoreStatistics,
	Update,
} from './document-store.ts';
export { DocumentRefusedError, DuplicateKeyError, StoreError } from './document-store.ts';
/** What an update makes of a document, and what is at a path of it, as every engine has it. */
export { applyUpdate } from './document-update.ts';
export { valueAt } from './field-path.ts';
/** The right of one process to do something alone. */
export { type Lease, type Leases, openLeases } from './lease.ts';
export { type Migration, type MigrationContext, openSchema, type Schema, versionOf } from './migrations.ts';
/** The processes that work on one store. */
export { openProcessRecords, type ProcessRecord, type ProcessRecords } from './process-records.ts';
/** Numbers for ids. */
export { openSequence, type Sequence } from './sequence.ts';
