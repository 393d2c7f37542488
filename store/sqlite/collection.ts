import {
	type Change,
	type Collection,
	DuplicateKeyError,
	type Query,
	type Scalar,
	type StoredDocument,
} from '../document-store.ts';
import { checkUpdate } from '../document-update.ts';
import { scanById } from '../scan-by-id.ts';
import { stepCode } from './protocol.ts';
import { countSql, getSql, groupCountSql, joinedSql, readTextAnswer, selectSql, textSql, valuesSql } from './query-sql.ts';
import type { ReadQueue } from './read-queue.ts';
import { encodeDocument, encodeId, encodeUpdate, type OpenCollection } from './steps.ts';
import type { WriteQueue } from './write-queue.ts';

/** What a collection uses of its store. */
export interface CollectionParts {
	readonly collection: OpenCollection;
	readonly reads: ReadQueue;
	readonly writes: WriteQueue;
	readonly listen: (listener: (changes: readonly Change<StoredDocument>[]) => void) => () => void;
}

export function createCollection<T extends StoredDocument>(parts: CollectionParts): Collection<T> {
	const { collection, reads, writes } = parts;
	const { layout, number } = collection;

	const find = async (query: Query): Promise<T[]> => {
		const text = await reads.read({ shape: 'documents', ...joinedSql(layout, query) });
		return JSON.parse(text);
	};

	return {
		name: layout.name,
		get: async (id) => {
			const text = await reads.read({ shape: 'document', sql: getSql(layout), params: [encodeId(id)] });
			return JSON.parse(text) ?? undefined;
		},
		find,
		findText: async (query) => {
			const answer = await reads.read({ shape: 'text', ...textSql(layout, query) });
			return readTextAnswer(answer, query.limit);
		},
		findValues: async (paths, query) => {
			const rows = await reads.read({ shape: 'text', ...valuesSql(layout, paths, query) });
			return JSON.parse(rows);
		},
		scan: (filter) => scanById(find, filter),
		count: async (filter, hint) => JSON.parse(await reads.read({ shape: 'count', ...countSql(layout, filter, hint) })),
		groupCount: async (keys, filter) => {
			const { sql, params, isJson } = groupCountSql(layout, keys, filter);
			const rows = await reads.read({ shape: 'groups', sql, params });
			return groupsOf(JSON.parse(rows), isJson);
		},
		insert: async (document) => {
			const outcome = await writes.batch(1, (cells) => {
				cells.push(stepCode.insert, number);
				encodeDocument(document, layout, cells);
				return false;
			});
			if (!outcome.ok) throw new DuplicateKeyError(`${layout.name}: the id or a unique index of '${document._id}' is taken`);
		},
		findOneAndUpdate: async (filter, update, options = {}) => {
			checkUpdate(update);
			const select = selectSql(layout, { filter, sort: options.sort, limit: 1 });
			const text = await writes.batchForDocument((cells) => {
				cells.push(stepCode.findOneAndUpdate, number, select.sql, select.params.length, ...select.params);
				cells.push(encodeUpdate(update));
				return false;
			});
			return text === null ? undefined : JSON.parse(text);
		},
		watch: (listener) => parts.listen((changes) => listener(changes as readonly Change<T>[])),
	};
}

function groupsOf(rows: readonly (readonly Scalar[])[], isJson: readonly boolean[]): { key: Scalar[]; count: number }[] {
	return rows.map((row) => ({
		key: isJson.map((json, position) => (json ? parseScalar(row[position]) : (row[position] ?? null))),
		count: Number(row[row.length - 1]),
	}));
}

function parseScalar(text: Scalar | undefined): Scalar {
	const value: Scalar | object = JSON.parse(String(text));
	return typeof value === 'object' ? null : value;
}
