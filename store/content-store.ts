import type { Readable } from 'node:stream';

/** Positions of the first and the last byte, both inclusive. */
export interface ByteRange {
	readonly start: number;
	readonly end: number;
}

/** A content that was stored. */
export interface StoredContent {
	/** By which the engine finds it: of no other content, however equal. */
	readonly key: string;
	/** SHA-256 of its bytes, in hexadecimal digits. */
	readonly sha256: string;
	/** Bytes. */
	readonly length: number;
}

/** Something that an engine keeps: a content, or what an unfinished `put` left. */
export interface KeptContent {
	readonly key: string;
	/** Milliseconds since 1970, by the clock of whoever keeps it. */
	readonly writtenAt: number;
}

/** What an address for a direct download answers with. */
export interface LinkOptions {
	readonly contentType: string;
	readonly contentDisposition: string;
}

/**
 * The port to where the bytes of binaries are kept. Contents are written once and never changed.
 * Every engine passes `test/contract/content-store.ts`.
 */
export interface ContentStore {
	/**
	 * Stores a stream, and resolves when it is durable. Where the source or the engine fails, nothing of it stays.
	 * @throws ContentStoreError `full`, `unavailable`; what the source failed with
	 */
	put(source: Readable): Promise<StoredContent>;
	/**
	 * The bytes of a content or of a part of it. Whoever asks for a part knows the length: the part lies within.
	 * @throws ContentStoreError `missing`, `unavailable`
	 */
	open(key: string, range?: ByteRange): Promise<Readable>;
	/** Removes a content, or what an unfinished `put` left, if it is there. */
	remove(key: string): Promise<void>;
	/** Everything that is kept, leftovers of unfinished `put`s included, in no order. */
	list(): AsyncIterable<KeptContent>;
	/** Where the engine has addresses of its own: one by which a content can be downloaded for a while. */
	readonly link?: (key: string, options: LinkOptions) => Promise<string>;
	close(): Promise<void>;
}

export type ContentStoreFault = 'missing' | 'full' | 'unavailable';

/** The content store could not do it. `message` is for the log. */
export class ContentStoreError extends Error {
	override readonly name = 'ContentStoreError';
	readonly fault: ContentStoreFault;

	constructor(fault: ContentStoreFault, message: string, options?: ErrorOptions) {
		super(message, options);
		this.fault = fault;
	}
}
