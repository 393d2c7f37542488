import { type Db, type IndexDescription, MongoServerError } from 'mongodb';
import { type CollectionSpec, type StoredDocument, StoreError } from '../document-store.ts';
import { segmentsOf } from '../field-path.ts';
import { encodePath } from './bson-document.ts';
import type { Row } from './prepare-step.ts';

/** An index as it is wanted, or as it is there. */
interface Shape {
	readonly name: string;
	readonly key: readonly (readonly [path: string, direction: number])[];
	readonly unique: boolean;
	/** Whatever else was said of one that is there, such as `sparse`: what is wanted has nothing of it. */
	readonly others: readonly string[];
}

/** What tells nothing of which documents are found by an index, or is looked at by itself. */
const usualOptions = ['v', 'ns', 'background'];
const namespaceExists = 48;

/**
 * Makes the collection and its indexes where they are missing; what is there already stays.
 * @throws StoreError when an index of that name is another one
 */
export async function ensureCollection<T extends StoredDocument>(db: Db, spec: CollectionSpec<T>): Promise<void> {
	// Before the first write: in a transaction it would make two that begin at once wait for each other.
	await db.createCollection(spec.name).catch((error: unknown) => {
		if (!(error instanceof MongoServerError) || error.code !== namespaceExists) throw error;
	});
	const rows = db.collection<Row>(spec.name);
	const present = new Map((await rows.listIndexes().toArray()).map((index) => [String(index.name), shapeOf(index)]));
	const missing: Shape[] = [];
	for (const index of wantedIndexes(spec)) {
		const known = present.get(index.name);
		if (known === undefined) missing.push(index);
		else if (describe(known) !== describe(index)) throw mismatch(db, spec.name, known, index);
	}
	if (missing.length > 0) await rows.createIndexes(missing.map(toDescription));
}

function wantedIndexes<T extends StoredDocument>({ indexes, expire }: CollectionSpec<T>): Shape[] {
	const wanted = indexes.map(({ name, keys, unique }) => shape(name, keys, unique ?? false));
	// No name of a specification has a hyphen.
	return expire ? [...wanted, shape('expire-', [expire.field], false)] : wanted;
}

function shape(name: string, keys: readonly string[], unique: boolean): Shape {
	return { name, key: keys.map((path) => [encodePath(segmentsOf(path)), 1]), unique, others: [] };
}

function shapeOf({ name, key, unique, ...options }: { readonly [field: string]: unknown }): Shape {
	const entries = typeof key === 'object' && key !== null ? Object.entries(key) : [];
	return {
		name: String(name),
		key: entries.map(([path, direction]) => [path, Number(direction)]),
		unique: unique === true,
		others: Object.keys(options).filter((option) => !usualOptions.includes(option) && options[option] !== false),
	};
}

function toDescription({ name, key, unique }: Shape): IndexDescription {
	return { name, key: new Map(key.map(([path]) => [path, 1])), ...(unique && { unique }) };
}

function describe({ key, unique, others }: Shape): string {
	const keys = key.map(([path, direction]) => `${path}: ${direction}`).join(', ');
	return `${unique ? 'unique ' : ''}{ ${keys} }${others.map((option) => `, ${option}`).join('')}`;
}

function mismatch(db: Db, collection: string, known: Shape, wanted: Shape): StoreError {
	return new StoreError(
		`the index '${known.name}' of the collection '${collection}' in the database '${db.databaseName}' is ${describe(known)}, ` +
			`and has to be ${describe(wanted)}: remove it with db.${collection}.dropIndex('${known.name}') and start again`,
	);
}
