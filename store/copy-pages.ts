import type { Collection, Filter, StoredDocument } from './document-store.ts';

/** Few enough that a page of the largest documents fits into memory. */
const pageDocuments = 250;

/** The documents behind `after` in `_id` order, a page at a time; while the caller works on one, the next is read. */
export async function* pagesOf<T extends StoredDocument>(
	collection: Collection<T>,
	after: string | undefined,
	filter: Filter = {},
): AsyncGenerator<readonly T[]> {
	const read = (last: string | undefined) =>
		collection.find({
			filter: last === undefined ? filter : { $and: [filter, { _id: { $gt: last } }] },
			sort: [['_id', 1]],
			limit: pageDocuments,
		});
	let reading = read(after);
	for (;;) {
		const page = await reading;
		const last = page[page.length - 1];
		if (last === undefined) return;
		const isLast = page.length < pageDocuments;
		if (!isLast) {
			reading = read(last._id);
			// Whoever asks for the next page hears of the failure.
			reading.catch(() => undefined);
		}
		yield page;
		if (isLast) return;
	}
}

/** The same documents in batches that are bounded in number and, about, in bytes. */
export async function* batchesOf<T extends StoredDocument>(
	collection: Collection<T>,
	after: string | undefined,
	{ maxDocuments, maxBytes }: { readonly maxDocuments: number; readonly maxBytes: number },
): AsyncGenerator<readonly T[]> {
	let batch: T[] = [];
	let bytes = 0;
	for await (const page of pagesOf(collection, after)) {
		for (const document of page) {
			const size = JSON.stringify(document).length;
			if (batch.length > 0 && (batch.length >= maxDocuments || bytes + size > maxBytes)) {
				yield batch;
				batch = [];
				bytes = 0;
			}
			batch.push(document);
			bytes += size;
		}
	}
	if (batch.length > 0) yield batch;
}
