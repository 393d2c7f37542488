import type { Collection, CollectionSpec, DocumentStore, StoredDocument } from '../../store/index.ts';

/** An engine under test. */
export interface ContractEngine {
	readonly name: string;
	/** Opens an empty database. */
	open(): Promise<DocumentStore>;
	/** Makes the engine remove what has expired; without it the test waits for the engine's own time. */
	expire?(store: DocumentStore): Promise<void>;
	/** Tests that this engine does not pass, each with its reason; they are skipped and counted. */
	readonly knownDifferences: readonly { readonly test: string; readonly reason: string }[];
}

/** What the cases get: one open store, and collections that nobody else uses. */
export interface Bench {
	readonly engine: ContractEngine;
	store(): DocumentStore;
	/** Like mocha's `it`, but skips what the engine is known to do differently. */
	it(title: string, body: () => Promise<void>): void;
	collection<T extends StoredDocument>(spec?: Omit<CollectionSpec<T>, 'name'>): Promise<Collection<T>>;
}

/** A document as the cases write them: any JSON fields. */
export interface AnyDocument extends StoredDocument {
	readonly [field: string]: unknown;
}

let made = 0;

/** A collection name that was not used before: letters only. */
export function freshName(): string {
	made++;
	const digits = made.toString(26).split('');
	return `c${digits.map((digit) => String.fromCharCode(97 + Number.parseInt(digit, 26))).join('')}`;
}

export async function idsOf(documents: Promise<readonly StoredDocument[]>): Promise<string[]> {
	return (await documents).map((document) => document._id).sort();
}
