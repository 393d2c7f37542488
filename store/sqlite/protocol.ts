import type { Layout } from './layout.ts';
import type { Cell } from './values.ts';

/**
 * What the threads say to each other. A group of batches is ONE flat list of primitive cells:
 * for each batch whether it needs a savepoint and where it ends; for each step its code, the collection's number
 * and what is listed here.
 */
export const stepCode = {
	/** id, text, columns */
	put: 1,
	/** id, text, columns */
	insert: 2,
	/** id, filter as JSON or null, update as JSON */
	update: 3,
	/** id, filter as JSON or null */
	require: 4,
	/** id */
	remove: 5,
	/** condition, most documents (-1 for all), number of parameters, parameters */
	removeWhere: 6,
	/** query for one document's text and id, number of parameters, parameters, update as JSON */
	findOneAndUpdate: 7,
	/** nothing: writes and reads back a row of the engine's own */
	ping: 8,
} as const;

export interface OpenRequest {
	readonly kind: 'open';
	readonly file: string;
	readonly lockFile: string | undefined;
	readonly readOnly: boolean;
	readonly cacheKilobytes: number;
	readonly maxSizeBytes: number | undefined;
	/** Up to this size every page is looked at before the database is opened for writing. */
	readonly checkMaxBytes: number;
}

/** One query, answered with one text, which is JSON unless the shape is `text`. `shape` says how rows become it. */
export interface Read {
	readonly shape: 'documents' | 'document' | 'text' | 'count' | 'groups' | 'plan';
	readonly sql: string;
	readonly params: readonly Cell[];
}

export type Request =
	| OpenRequest
	| { readonly kind: 'collection'; readonly number: number; readonly layout: Layout }
	| { readonly kind: 'watch'; readonly number: number; readonly watched: boolean }
	| { readonly kind: 'group'; readonly cells: readonly Cell[] }
	| { readonly kind: 'reads'; readonly shapes: readonly Read['shape'][]; readonly cells: readonly Cell[] }
	| { readonly kind: 'close' };

/** The answer to one request, in the order of the requests. A group of reads is answered in parts. */
export type Answer =
	| { readonly kind: 'done' }
	| { readonly kind: 'failed'; readonly message: string; readonly isInput: boolean }
	/** Out of turn: the database is damaged, and no further answer means anything. */
	| { readonly kind: 'damaged'; readonly message: string }
	/** Out of turn: so many documents of a collection are in its new indexes. */
	| { readonly kind: 'filled'; readonly collection: string; readonly documents: number }
	| GroupAnswer
	| {
			readonly kind: 'reads';
			readonly texts: readonly (string | null)[];
			readonly errors: readonly string[];
			readonly last: boolean;
	  };

export interface GroupAnswer {
	readonly kind: 'group';
	/** Why nothing of the group was written. */
	readonly error: string | undefined;
	/** For each batch that failed: its position, the step's, 1 for a duplicate, 2 for an error whose text is in `errors`. */
	readonly failures: readonly number[];
	readonly errors: readonly string[];
	/** For each batch that answers with a document: its position and the text, null for none. */
	readonly documents: readonly (number | string | null)[];
	/** Changes of watched collections: number, kind, id, text. */
	readonly changes: readonly Cell[];
}
