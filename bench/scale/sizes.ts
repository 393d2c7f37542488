import { join } from 'node:path';
import Database from 'libsql';
import { BSON } from 'mongodb';
import { collections } from '../../service/migrations.ts';
import type { DocumentStore, IndexSpec, StoredDocument } from '../../store/index.ts';

/** An index as MongoDB would have it: entries, and bytes of their keys before compression. */
export interface ComputedIndex {
	readonly name: string;
	readonly entriesADocument: number;
	readonly keyBytesADocument: number;
}

/** What the documents of one collection take. */
export interface CollectionSize {
	readonly name: string;
	readonly documents: number;
	/** Measured: pages of the embedded database, by table and index. */
	readonly embedded: readonly { readonly name: string; readonly bytes: number }[];
	/** Computed: of one document as BSON, on average. */
	readonly bsonBytes: number;
	readonly indexes: readonly ComputedIndex[];
}

type Documents = Omit<CollectionSize, 'embedded'>;

const sampled = 2000;
/** The number of a document behind each key; up to 2^28 documents it takes four bytes. */
const recordBytes = 4;

/** Reads documents of each collection, and works out what MongoDB would hold. */
export async function computeSizes(store: DocumentStore): Promise<Documents[]> {
	const sizes: Documents[] = [];
	for (const spec of collections) {
		const collection = await store.collection<StoredDocument>(spec);
		const documents = await collection.count({});
		if (documents === 0) continue;
		const sample: StoredDocument[] = [];
		for await (const document of collection.scan({})) if (sample.push(document) >= sampled) break;
		const wanted: IndexSpec[] = [{ name: '_id', keys: ['_id'] }, ...spec.indexes];
		sizes.push({
			name: spec.name,
			documents,
			bsonBytes: mean(sample.map((document) => BSON.calculateObjectSize(document, { ignoreUndefined: true }))),
			indexes: wanted.map((index) => {
				const keys = sample.map((document) => keysOf(document, index));
				return {
					name: index.name,
					entriesADocument: mean(keys.map((entries) => entries.length)),
					keyBytesADocument: mean(keys.map((entries) => entries.reduce((sum, bytes) => sum + bytes, 0))),
				};
			}),
		});
	}
	return sizes;
}

/** Adds what the tables and indexes of a closed embedded store take. */
export function measureSizes(directory: string, computed: readonly Documents[]): CollectionSize[] {
	const database = new Database(join(directory, 'store.db'), { readonly: true });
	try {
		const query = database.prepare('SELECT name, pgsize AS bytes FROM dbstat WHERE aggregate = TRUE ORDER BY name');
		const rows = query.all() as { name: string; bytes: number }[];
		return computed.map((size) => ({
			...size,
			// As store/sqlite/names.ts calls them: the table, its indexes, and the tables of multikey ones.
			embedded: rows
				.filter(({ name }) => name.split(':')[1] === size.name && 'cis'.includes(name.charAt(0)))
				.map(({ name, bytes }) => ({ name, bytes })),
		}));
	} finally {
		database.close();
	}
}

/** The size of each key of a document in an index. */
function keysOf(document: object, { keys, multikey }: IndexSpec): number[] {
	const values = keys.map((path) => (path === multikey ? undefined : fieldAt(document, path)));
	const fixed = values.reduce((sum: number, value, position) => sum + (keys[position] === multikey ? 0 : keyBytes(value)), 0);
	const whole = fixed + recordBytes + 1;
	if (multikey === undefined) return [whole];
	const elements = fieldAt(document, multikey);
	return Array.isArray(elements) && elements.length > 0 ? elements.map((element) => whole + keyBytes(element)) : [whole + 1];
}

/** As MongoDB writes keys: a byte for the type, text with a zero at its end, whole numbers in as few bytes as will do. */
function keyBytes(value: unknown): number {
	if (typeof value === 'string') return 2 + Buffer.byteLength(value);
	if (typeof value === 'number') return 1 + (Number.isInteger(value) ? Math.ceil((Math.log2(Math.abs(value) + 1) + 1) / 8) : 8);
	return 1;
}

function fieldAt(document: object, path: string): unknown {
	return path
		.split('.')
		.reduce((value: unknown, name) => (value as Readonly<Record<string, unknown>> | undefined)?.[name], document);
}

function mean(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0) / values.length;
}
