import { checkSpec } from '../collection-spec.ts';
import type { CollectionSpec, StoredDocument } from '../document-store.ts';
import { isPlainObject, valueAt } from '../field-path.ts';
import { type Cell, encodeText } from './values.ts';

/** How a collection lies in tables: made from its specification, kept in the database, sent to the workers. */
export interface Layout {
	readonly name: string;
	/** Field paths that are columns of the table, beside `_id` and the document. */
	readonly columns: readonly string[];
	readonly indexes: readonly IndexLayout[];
	/** Indexes on the elements of an array: tables of their own with a row for each element. */
	readonly sides: readonly SideLayout[];
}

export interface IndexLayout {
	readonly name: string;
	readonly keys: readonly string[];
	readonly unique: boolean;
	/** Rows without this column are not in it. */
	readonly sparse?: string;
}

export interface SideLayout {
	readonly name: string;
	readonly keys: readonly string[];
	readonly multikey: string;
}

/** @throws TypeError when the specification cannot be laid out. */
export function layOut<T extends StoredDocument>(spec: CollectionSpec<T>): Layout {
	checkSpec(spec);
	const columns = new Set<string>();
	const indexes: IndexLayout[] = [];
	const sides: SideLayout[] = [];
	for (const index of spec.indexes) {
		for (const key of index.keys) if (key !== '_id' && key !== index.multikey) columns.add(key);
		if (index.multikey === undefined) {
			const { name, keys, unique = false, sparse } = index;
			indexes.push({ name, keys: [...keys], unique, ...(sparse !== undefined && { sparse }) });
			continue;
		}
		sides.push({ name: index.name, keys: [...index.keys], multikey: index.multikey });
	}
	if (spec.expire) {
		columns.add(spec.expire.field);
		indexes.push({ name: 'expire-', keys: [spec.expire.field], unique: false });
	}
	checkColumns(spec.name, [...columns], sides);
	return { name: spec.name, columns: [...columns].sort(), indexes, sides };
}

/** The values of the columns. @throws TypeError for an array in a path that no index calls multikey. */
export function columnCells(layout: Layout, document: object, into: Cell[]): void {
	for (const path of layout.columns) into.push(scalarCell(valueAt(document, path), path));
}

/** The rows of one side table for a document, each as long as its keys. A null is minus infinity: primary keys hold no NULL. */
export function sideRows(side: SideLayout, document: object): Cell[][] {
	const value = valueAt(document, side.multikey);
	if (value === undefined) return [];
	const elements: readonly unknown[] = Array.isArray(value) ? value : [value];
	const scalars = elements.filter((element) => typeof element !== 'object' || element === null);
	const rows: Cell[][] = [];
	// Elements are one when the database holds one value for them.
	for (const element of new Set(scalars.map((scalar) => scalarCell(scalar, side.multikey)))) {
		rows.push(
			side.keys.map((key) => {
				const cell = key === side.multikey ? element : scalarCell(valueAt(document, key), key);
				return cell === null ? Number.NEGATIVE_INFINITY : cell;
			}),
		);
	}
	return rows;
}

function scalarCell(value: unknown, path: string): Cell {
	switch (typeof value) {
		case 'string':
			return encodeText(value);
		case 'number':
			return Number.isFinite(value) ? value : null;
		case 'boolean':
			return value;
		case 'object': {
			if (value === null) return null;
			if (Array.isArray(value)) throw new TypeError(`'${path}' holds an array, and its index is not declared multikey`);
			return isPlainObject(value) && typeof value.toJSON === 'function' ? scalarCell(value.toJSON(), path) : undefined;
		}
		default:
			return null;
	}
}

// Names of columns do not differ by case alone in SQLite.
function checkColumns(name: string, columns: readonly string[], sides: readonly SideLayout[]): void {
	const seen = new Set<string>();
	for (const path of columns) {
		if (seen.has(path.toLowerCase())) throw new TypeError(`${name}: two indexed paths differ only by case: '${path}'`);
		seen.add(path.toLowerCase());
	}
	for (const side of sides) {
		if (columns.includes(side.multikey)) throw new TypeError(`${name}: '${side.multikey}' is multikey in one index only`);
	}
}
