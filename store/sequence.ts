import type { Collection, DocumentStore, StoredDocument } from './document-store.ts';

interface Counter extends StoredDocument {
	readonly value: number;
}

/** Hands out numbers that were never handed out before and grow, in this process without a gap in order. */
export interface Sequence {
	next(): Promise<number>;
}

/**
 * Numbers are reserved in blocks, so that most calls cost no write; a stopped process loses the rest of its block.
 * @param first the first number of a new sequence
 */
export async function openSequence(
	store: DocumentStore,
	name: string,
	options: { first: number; block: number },
): Promise<Sequence> {
	const counters: Collection<Counter> = await store.collection<Counter>({ name: 'counters', indexes: [] });
	let nextValue = 0;
	let end = 0;
	let reserving: Promise<void> | undefined;

	async function reserve(): Promise<void> {
		const counter = await counters.findOneAndUpdate(
			{ _id: name },
			{ $inc: { value: options.block } },
			{ insert: { _id: name, value: options.first } },
		);
		if (!counter) throw new Error(`the counter ${name} was not written`);
		end = counter.value;
		nextValue = end - options.block;
	}

	async function next(): Promise<number> {
		while (nextValue >= end) {
			reserving ??= reserve().finally(() => {
				reserving = undefined;
			});
			await reserving;
		}
		return nextValue++;
	}
	return { next };
}
