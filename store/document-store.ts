/**
 * The port to the database: collections of JSON documents with declared indexes.
 * It follows MongoDB's own language (filters, updates, sort) so that MongoDB is its natural engine;
 * every engine passes `test/contract/document-store.ts`.
 */

export type Scalar = string | number | boolean | null;

/**
 * A stored JSON document. `_id` is unique in its collection, and well-formed Unicode. `undefined` fields are not stored.
 * In all other text, of documents, updates and filters, half of a surrogate pair is U+FFFD, for it cannot be written as UTF-8.
 */
export interface StoredDocument {
	readonly _id: string;
}

/**
 * An index that the collection's queries rely on. `keys` are field paths (dots reach into objects), ascending.
 * A path that holds an array of scalars is named in `multikey`: a document is then found by each of its elements.
 * The embedded engine refuses documents with an array in a path that is indexed but not multikey.
 * Documents have all keys of a `unique` index: whether a missing one counts as a value is up to the engine.
 * Of a `sparse` index, that is one of its keys, which few documents have, or only for a while: the embedded engine leaves those
 * without it out of the index, which only queries that compare it with a value then use. It is never null.
 */
export interface IndexSpec {
	readonly name: string;
	readonly keys: readonly string[];
	readonly unique?: boolean;
	readonly multikey?: string;
	readonly sparse?: string;
}

export interface CollectionSpec<T extends StoredDocument> {
	/** Letters only. */
	readonly name: string;
	readonly indexes: readonly IndexSpec[];
	/** Of its documents, 1 when unset: grows with each migration. */
	readonly version?: number;
	/** Documents whose date field (milliseconds since 1970) is older than this are removed by the engine, in its own time. */
	readonly expire?: { readonly field: string; readonly afterSeconds: number };
	/** Its documents tell of running processes, and mean nothing in a copy of the store. */
	readonly ofProcesses?: true;
	/** Phantom: ties the document type to the specification. */
	readonly document?: T;
}

/** `$wildcard` compares the whole text; `*` stands for any characters, everything else for itself. */
export interface Comparison {
	readonly $eq?: Scalar;
	readonly $ne?: Scalar;
	readonly $gt?: string | number;
	readonly $gte?: string | number;
	readonly $lt?: string | number;
	readonly $lte?: string | number;
	readonly $in?: readonly Scalar[];
	readonly $exists?: boolean;
	readonly $wildcard?: string;
}

/**
 * All fields must match. A scalar means equality; on an array field it means "contains".
 * Order comparisons are between values of one type; text compares by its UTF-8 bytes.
 * `$ne`, like MongoDB's, also matches documents without the field; `null` matches a missing field or a null.
 * A field whose condition is `undefined` is refused: it would match everything where one thing was meant.
 */
export interface Filter {
	readonly [path: string]: Scalar | Comparison | readonly Filter[] | undefined;
	readonly $and?: readonly Filter[];
	readonly $or?: readonly Filter[];
	readonly $nor?: readonly Filter[];
}

export interface Query {
	readonly filter: Filter;
	/** Field paths with their direction, most significant first. */
	readonly sort?: readonly (readonly [path: string, direction: 1 | -1])[];
	readonly skip?: number;
	/** At most so many; 0 finds none. */
	readonly limit?: number;
	/**
	 * Name of the index to read by. The answer is the same with any; an engine that chooses better may ignore it.
	 * A multikey index needs one value for its array at the top of the filter.
	 */
	readonly hint?: string;
}

/** A change of one document; paths may have dots. `$set` makes the objects on the way. Unchanged documents are not written. */
export interface Update {
	readonly $set?: Readonly<Record<string, unknown>>;
	readonly $unset?: readonly string[];
	readonly $inc?: Readonly<Record<string, number>>;
}

/** One step of a batch. Everything but `put` and `remove` can fail, and then nothing of the batch is applied. */
export type Step =
	/** Insert, or replace the document with this `_id`. */
	| { readonly kind: 'put'; readonly collection: string; readonly document: StoredDocument }
	/** Fails when the `_id` or a unique index is taken. */
	| { readonly kind: 'insert'; readonly collection: string; readonly document: StoredDocument }
	/** Fails when the document with this `_id` does not exist or does not match `where`. */
	| {
			readonly kind: 'update';
			readonly collection: string;
			readonly id: string;
			readonly where?: Filter;
			readonly update: Update;
	  }
	/**
	 * Changes nothing; fails when the document with this `_id` does not exist or does not match `where`.
	 * Holds until the batch is applied: it conflicts with a concurrent change or removal of that document. The embedded engine
	 * writes one batch at a time; where transactions overlap, a read is not enough, and the engine touches the document.
	 */
	| { readonly kind: 'require'; readonly collection: string; readonly id: string; readonly where?: Filter }
	/** Removes the document if it is there. */
	| { readonly kind: 'remove'; readonly collection: string; readonly id: string }
	/** Removes every document that matches; the filter must be answerable by an index. */
	| { readonly kind: 'removeWhere'; readonly collection: string; readonly filter: Filter };

/** `failed` is the position of the first step that failed; `duplicate` tells that an `insert` or unique index refused. */
export type BatchOutcome = { readonly ok: true } | { readonly ok: false; readonly failed: number; readonly duplicate: boolean };

/** A committed change, for wake-ups only: it may be lost, so whoever waits for one also sweeps. */
export interface Change<T extends StoredDocument> {
	readonly kind: 'inserted' | 'updated' | 'removed';
	readonly id: string;
	/** The document after the change; absent after a removal. */
	readonly document?: T;
}

/** Documents as JSON text. */
export interface DocumentsText {
	/** An array of the documents without their `_id`. Space between them is up to the engine. */
	readonly text: string;
	/** Whether the query's `limit` left out some that follow. */
	readonly hasMore: boolean;
}

export interface Collection<T extends StoredDocument> {
	readonly name: string;
	get(id: string): Promise<T | undefined>;
	find(query: Query): Promise<T[]>;
	/** For answers that pass documents on as they are: nothing is parsed where the engine keeps text. */
	findText(query: Query): Promise<DocumentsText>;
	/** The values at `paths` of each document that is found, as `groupCount` gives them. An index that holds all paths answers alone. */
	findValues(paths: readonly string[], query: Query): Promise<Scalar[][]>;
	/** Streams a large result in `_id` order, a bounded page at a time. */
	scan(filter: Filter): AsyncIterable<T>;
	count(filter: Filter, hint?: string): Promise<number>;
	/** How many matching documents there are for each combination of values of `keys`. */
	groupCount(keys: readonly string[], filter: Filter): Promise<{ key: Scalar[]; count: number }[]>;
	/** @throws DuplicateKeyError */
	insert(document: T): Promise<void>;
	/**
	 * Changes the first match in `sort` order, atomically, and returns it as it is afterwards.
	 * @throws DuplicateKeyError when the update needs a taken value of a unique index
	 */
	findOneAndUpdate(filter: Filter, update: Update, options?: { sort?: Query['sort'] }): Promise<T | undefined>;
	/**
	 * Calls back after each commit that changed a document. Returns the function that ends it.
	 * A listener that fails is reported to whoever opened the store, and goes on listening, as all others do.
	 * `onGap` is called when changes may have been missed, after a connection to the database was lost and is back:
	 * whoever keeps something by these changes looks at the store anew. The embedded engine misses none.
	 */
	watch(listener: (changes: readonly Change<T>[]) => void, onGap?: () => void): () => void;
}

/**
 * One open database. All writes are durable when their promise resolves.
 * Writes that are under way together share a commit, and their promises resolve in one go, in the order of the calls.
 */
export interface DocumentStore {
	/** Opens a collection, creating it and its indexes where they are missing. */
	collection<T extends StoredDocument>(spec: CollectionSpec<T>): Promise<Collection<T>>;
	/**
	 * Applies all steps or none. Batches handed over one after another are applied in that order on the embedded engine;
	 * callers that need an order wait for the one before.
	 */
	batch(steps: readonly Step[]): Promise<BatchOutcome>;
	/**
	 * Runs `work`. What it writes fails with StoreError, unwritten, where this process was silent since `work` began, for so long
	 * that others may have gone on from what it does; what needs no transaction, unless it was on its way. What goes on after
	 * `work` has succeeded is not meant. The embedded engine has no others.
	 * @throws StoreError while that cannot be told
	 */
	unlessSilent<T>(work: () => Promise<T>): Promise<T>;
	/** Proves that the database answers and can write: by a write of its own, or one that is committed meanwhile. @throws StoreError */
	ping(): Promise<void>;
	/** Figures for `/metrics`: writes waiting, commits, steps committed. */
	statistics(): Promise<StoreStatistics>;
	/** Resolves with the reason when the store has failed for good: only a new process helps. Closing is no failure. */
	readonly failed: Promise<StoreError>;
	/** Finishes what was accepted, then closes. */
	close(): Promise<void>;
}

export interface StoreStatistics {
	readonly waitingBatches: number;
	readonly commits: number;
	readonly committedBatches: number;
	readonly sizeBytes: number;
}

/** The database could not do it now: closed, full, broken. Nothing of the call was applied. */
export class StoreError extends Error {
	override readonly name: string = 'StoreError';
}

/** The engine can never hold or change this document in this way: trying again is no use. */
export class DocumentRefusedError extends StoreError {
	override readonly name = 'DocumentRefusedError';
}

/** An insert met a taken `_id` or unique index. */
export class DuplicateKeyError extends StoreError {
	override readonly name = 'DuplicateKeyError';
}
