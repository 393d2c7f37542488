import {
	type Collection,
	type CollectionSpec,
	type DocumentStore,
	DuplicateKeyError,
	type StoredDocument,
} from './document-store.ts';

interface Counter extends StoredDocument {
	readonly value: number;
}

export const counterSpec: CollectionSpec<Counter> = { name: 'counters', indexes: [] };

/** Hands out numbers that were never handed out before and grow, in this process without a gap in order. */
export interface Sequence {
	next(): Promise<number>;
}

/**
 * Numbers are reserved in blocks, so that most calls cost no write; a stopped process loses the rest of its block.
 * In a block of 1, numbers are reserved when they are asked for, as many as are: none is older than the call.
 * @param first the first number of a new sequence
 */
export async function openSequence(
	store: DocumentStore,
	name: string,
	options: { first: number; block: number },
): Promise<Sequence> {
	const counters: Collection<Counter> = await store.collection(counterSpec);
	// Somebody may have made the counter before, or make it at the same time.
	await counters.insert({ _id: name, value: options.first }).catch((error: unknown) => {
		if (!(error instanceof DuplicateKeyError)) throw error;
	});
	/** Reserved numbers that were not handed out, in order: from the first of each, up to and without its second. */
	const reserved: { next: number; readonly end: number }[] = [];
	let reserving: Promise<void> | undefined;
	/** Callers that wait for a number. */
	let asking = 0;

	async function reserve(): Promise<void> {
		const count = Math.max(options.block, asking);
		const counter = await counters.findOneAndUpdate({ _id: name }, { $inc: { value: count } });
		if (!counter) throw new Error(`the counter ${name} is gone`);
		reserved.push({ next: counter.value - count, end: counter.value });
	}

	function reserveMore(): Promise<void> {
		reserving ??= reserve().finally(() => {
			reserving = undefined;
		});
		return reserving;
	}

	function take(): number | undefined {
		const [range] = reserved;
		if (range === undefined) return undefined;
		const value = range.next++;
		if (range.next === range.end) reserved.shift();
		const isLow = reserved.length === 0 || (reserved.length === 1 && range.end - range.next < options.block / 4);
		// Ahead of time, so that nobody waits for the next block; a failure shows when it is needed.
		if (options.block > 1 && isLow) reserveMore().catch(() => {});
		return value;
	}

	async function next(): Promise<number> {
		const present = take();
		if (present !== undefined) return present;
		asking++;
		try {
			for (;;) {
				await reserveMore();
				const value = take();
				if (value !== undefined) return value;
			}
		} finally {
			asking--;
		}
	}
	return { next };
}
