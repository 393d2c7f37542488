/** The port to where the bytes of binaries are kept. */
export { createContentDigest } from './content-digest.ts';
export type { ByteRange, ContentStore, ContentStoreFault, KeptContent, LinkOptions, StoredContent } from './content-store.ts';
export { ContentStoreError } from './content-store.ts';
/** The store port: what every part of the domain reads and writes through. */
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
/** Numbers for ids. */
export { openSequence, type Sequence } from './sequence.ts';
