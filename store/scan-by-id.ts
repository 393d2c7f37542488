import type { Filter, Query, StoredDocument } from './document-store.ts';

const pageSize = 1000;

/** Reads a large result in `_id` order by pages, each a query of its own: nothing is kept open while the caller works. */
export async function* scanById<T extends StoredDocument>(
	find: (query: Query) => Promise<T[]>,
	filter: Filter,
): AsyncGenerator<T> {
	let last: string | undefined;
	for (;;) {
		const after: Filter = last === undefined ? {} : { _id: { $gt: last } };
		const page = await find({ filter: { $and: [filter, after] }, sort: [['_id', 1]], limit: pageSize });
		yield* page;
		last = page[page.length - 1]?._id;
		if (page.length < pageSize) return;
	}
}
