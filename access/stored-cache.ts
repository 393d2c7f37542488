import type { Collection, StoredDocument } from '../store/index.ts';

const freshMilliseconds = 5000;

/**
 * Documents that were read lately. A change that is heard of is seen at once; one that another
 * process made and nobody told of, some seconds later.
 */
export function createStoredCache<T extends StoredDocument>(options: {
	readonly collection: Collection<T>;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	readonly maxEntries: number;
	/** Whether it is remembered that there is no such document: for what is asked for again and again, and seldom comes to be. */
	readonly keepsMissing?: boolean;
}) {
	const { collection, elapsed, maxEntries, keepsMissing = false } = options;
	const known = new Map<string, { readonly document: T | undefined; readonly readAt: number }>();
	let changesHeard = 0;
	collection.watch(
		(changes) => {
			for (const { id } of changes) forget(id);
		},
		() => {
			changesHeard++;
			known.clear();
		},
	);

	function forget(id: string): void {
		changesHeard++;
		known.delete(id);
	}

	async function get(id: string): Promise<T | undefined> {
		const cached = known.get(id);
		if (cached && elapsed() - cached.readAt < freshMilliseconds) return cached.document;
		const heardBefore = changesHeard;
		const document = await collection.get(id);
		known.delete(id);
		// What was read while somebody changed it may be old already.
		if ((document || keepsMissing) && heardBefore === changesHeard) known.set(id, { document, readAt: elapsed() });
		if (known.size > maxEntries) known.delete(known.keys().next().value ?? '');
		return document;
	}

	return { get, forget };
}
