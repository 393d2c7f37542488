import type { Document, FindOptions, Collection as Rows } from 'mongodb';
import {
	type Change,
	type Collection,
	DuplicateKeyError,
	type Filter,
	type Query,
	type Scalar,
	type StoredDocument,
} from '../document-store.ts';
import { segmentsOf, valueAt } from '../field-path.ts';
import { natural } from '../query-range.ts';
import { scanById } from '../scan-by-id.ts';
import { checkId, decodeDocument, encodePath, touchField } from './bson-document.ts';
import { compileFilter, pinnedId } from './compile-filter.ts';
import { compileUpdate } from './compile-update.ts';
import { isDuplicate } from './explain-error.ts';
import { nameOfDocument, prepareBatch, type Row } from './prepare-step.ts';
import type { Claims } from './write-order.ts';
import type { WriteQueue } from './write-queue.ts';

/** What a collection uses of its store. */
export interface CollectionParts {
	readonly rows: Rows<Row>;
	readonly writes: WriteQueue;
	/** Counts a read as under way, and explains what goes wrong with it. */
	readonly read: <T>(work: () => Promise<T>) => Promise<T>;
	readonly listen: (
		listener: (changes: readonly Change<StoredDocument>[]) => void,
		onGap: (() => void) | undefined,
	) => () => void;
}

/** Documents that come in one answer at most, where no limit is smaller. */
const answerDocuments = 2000;

export function createCollection<T extends StoredDocument>({ rows, writes, read, listen }: CollectionParts): Collection<T> {
	const name = rows.collectionName;

	const findStored = async ({ filter, sort, skip, limit }: Query, projection: Document): Promise<Row[]> => {
		const compiled = compileFilter(filter);
		const options: FindOptions = { projection, batchSize: Math.min(limit ?? answerDocuments, answerDocuments) };
		const order = sortOf(sort);
		if (order !== undefined) options.sort = order;
		if (natural('skip', skip)) options.skip = skip ?? 0;
		if (natural('limit', limit) !== undefined) options.limit = limit ?? 0;
		return read(async () => (limit === 0 ? [] : rows.find(compiled, options).toArray()));
	};

	const find = async (query: Query): Promise<T[]> =>
		(await findStored(query, { [touchField]: 0 })).map((row) => decodeDocument<T>(row));

	return {
		name,
		get: async (id) => {
			const row = await read(() => rows.findOne({ _id: checkId(id) }, { projection: { [touchField]: 0 } }));
			return row === null ? undefined : decodeDocument<T>(row);
		},
		find,
		findText: async (query) => {
			const limit = natural('limit', query.limit);
			const oneMore = limit === undefined ? query : { ...query, limit: limit + 1 };
			const found = await findStored(oneMore, { _id: 0, [touchField]: 0 });
			const shown = limit === undefined ? found : found.slice(0, limit);
			return { text: JSON.stringify(shown.map((row) => decodeDocument(row))), hasMore: shown.length < found.length };
		},
		findValues: async (paths, query) => {
			if (paths.length === 0) throw new TypeError('findValues needs at least one path');
			const encoded = paths.map((path) => encodePath(segmentsOf(path)));
			// Without `_id` where it is not asked for: only then an index can hold all that is wanted.
			const projection = Object.fromEntries([['_id', 0], ...encoded.map((path) => [path, 1] as const)]);
			const found = await findStored(query, projection);
			return found.map((row) => {
				const document = decodeDocument<StoredDocument>(row);
				return paths.map((path) => scalarOf(valueAt(document, path)));
			});
		},
		scan: (filter) => scanById(find, filter),
		count: async (filter) => {
			const compiled = compileFilter(filter);
			return read(() => rows.countDocuments(compiled));
		},
		groupCount: async (keys, filter) => {
			const id = Object.fromEntries(keys.map((key, position) => [`k${position}`, fieldExpression(key)]));
			const stages = [{ $match: compileFilter(filter) }, { $group: { _id: id, count: { $sum: 1 } } }];
			const groups = await read(() => rows.aggregate(stages).toArray());
			return groups.map((group) => ({
				key: keys.map((_, position) => scalarOf(group._id[`k${position}`])),
				count: Number(group.count),
			}));
		},
		insert: async (document) => {
			const outcome = await writes.batch(prepareBatch([{ kind: 'insert', collection: name, document }], () => true));
			if (!outcome.ok) throw new DuplicateKeyError(`${name}: the id or a unique index of '${document._id}' is taken`);
		},
		findOneAndUpdate: async (filter, update, { sort } = {}) => {
			const compiled = compileFilter(filter);
			const { update: change, bytes } = compileUpdate(update);
			const order = sortOf(sort);
			const options = { projection: { [touchField]: 0 }, ...(order !== undefined && { sort: order }) };
			const row = await writes.alone(claimsOf(name, filter), bytes, async () => {
				if (change === undefined) return rows.findOne(compiled, options);
				return rows.findOneAndUpdate(compiled, change, { ...options, returnDocument: 'after' }).catch((error: unknown) => {
					if (!isDuplicate(error)) throw error;
					throw new DuplicateKeyError(`${name}: the update needs a value of a unique index that is taken`);
				});
			});
			return row === null ? undefined : decodeDocument<T>(row);
		},
		watch: (listener, onGap) => listen((changes) => listener(changes as readonly Change<T>[]), onGap),
	};
}

/** Two that look for the same go one after the other: both would find the same document, and one would have to begin again. */
function claimsOf(collection: string, filter: Filter): Claims {
	const id = pinnedId(filter);
	const name = id === undefined ? `filter ${JSON.stringify(filter)}` : nameOfDocument(id);
	return { documents: [[collection, name]], collections: [] };
}

export function sortOf(sort: Query['sort']): [path: string, direction: 1 | -1][] | undefined {
	if (sort === undefined || sort.length === 0) return undefined;
	const directions = new Map<string, 1 | -1>();
	// Of two directions of one path the first one decides; the driver would take the second.
	for (const [path, direction] of sort) {
		const encoded = encodePath(segmentsOf(path));
		if (!directions.has(encoded)) directions.set(encoded, direction);
	}
	return [...directions];
}

/** The field's value; a missing one counts as null. */
function fieldExpression(path: string): Document {
	return { $ifNull: [`$${encodePath(segmentsOf(path))}`, null] };
}

/** Objects and arrays come out as null. */
function scalarOf(value: unknown): Scalar {
	return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}
