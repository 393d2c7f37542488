/** The store port: what every part of the domain reads and writes through. */

/** Versions of what is stored. */
export { storeCollections } from './collections.ts';
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
export { DuplicateKeyError, StoreError } from './document-store.ts';
/** The right of one process to do something alone. */
export { type Lease, type Leases, openLeases } from './lease.ts';
export { type Migration, type MigrationContext, openSchema, type Schema, versionOf } from './migrations.ts';
/** The processes that work on one store. */
export { openProcessRecords, type ProcessRecord, type ProcessRecords } from './process-records.ts';
/** Numbers for ids. */
export { openSequence, type Sequence } from './sequence.ts';
