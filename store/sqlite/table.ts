import { StoreError } from '../document-store.ts';
import { type Connection, codeOf, type Statement } from './connection.ts';
import { parseStored, storedText } from './document-text.ts';
import { columnCells, type Layout, sideRows } from './layout.ts';
import { quote, sideTable, tableName } from './names.ts';
import { type Binding, type Cell, toBinding } from './values.ts';

/** A document was refused because its id or a unique index is taken. */
export class DuplicateStep extends Error {}

export type ChangeKind = 'inserted' | 'updated' | 'removed';

/** Told of each change of a collection that is watched. */
export type Report = (table: Table, kind: ChangeKind, id: string, doc: string | null) => void;

/** One collection in the writer: its prepared statements and the puts that wait to be written together. */
export interface Table {
	readonly layout: Layout;
	readonly number: number;
	/** Cells of one document: its id, its text and its columns. */
	readonly width: number;
	/** Puts need to know what was there before: for the side tables, for watchers, or because they can fail. */
	isCareful(): boolean;
	setWatched(watched: boolean): void;
	/** Waits for `flush`; only for tables that are not careful. */
	putLater(cells: readonly Cell[], from: number): void;
	/** Writes the puts that wait. */
	flush(): void;
	/** Forgets the puts that wait: the transaction is rolled back. */
	discard(): void;
	/** The document's text, without its id. */
	get(id: string): string | undefined;
	has(id: string): boolean;
	put(cells: readonly Cell[], from: number): void;
	/** @throws DuplicateStep */
	insert(cells: readonly Cell[], from: number): void;
	/** What a document has in the columns, for `replace`. */
	columnsOf(document: object): readonly Cell[];
	/** Writes a document that has been changed; `before` is its text and its columns. @throws DuplicateStep */
	replace(id: string, before: { readonly doc: string; readonly columns: readonly Cell[] }, after: object): string;
	remove(id: string): void;
	/** Removes what matches, at most `limit` documents, and tells how many. */
	removeWhere(condition: string, params: readonly Binding[], limit: number): number;
}

const rowsAStatement = 25;
const removalPage = 500;

export function openTable(connection: Connection, layout: Layout, number: number, report: Report): Table {
	const table = tableName(layout.name);
	const names = ['id', 'doc', ...layout.columns.map(quote)];
	const width = names.length;
	const allColumns = layout.columns.map((_, column) => column);
	const row = `(${names.map(() => '?').join(', ')})`;
	const insertInto = `INSERT INTO ${table} (${names.join(', ')}) VALUES `;
	const upsertOne = openUpsert(connection, layout, insertInto, row);
	const upsertMany = openUpsert(connection, layout, insertInto, Array.from({ length: rowsAStatement }, () => row).join(', '));
	const insertOne = connection.prepare(`${insertInto}${row} ON CONFLICT DO NOTHING`);
	const selectDoc = connection.prepare(`SELECT doc FROM ${table} WHERE id = ?`);
	const selectId = connection.prepare(`SELECT 1 FROM ${table} WHERE id = ?`);
	const removeOne = connection.prepare(`DELETE FROM ${table} WHERE id = ?`);
	const sides = layout.sides.map((side) => openSide(connection, layout.name, side));
	const isUnique = layout.indexes.some((index) => index.unique);
	let watched = false;
	let waiting: Binding[] = [];

	const get = (id: string) => {
		const found = selectDoc.get([id]);
		return found === undefined ? undefined : String(found[0]);
	};
	const changed = (kind: ChangeKind, id: string, doc: string | null) => {
		if (watched) report(self, kind, id, doc);
	};
	const writeSides = (id: string, before: object | undefined, after: object | undefined) => {
		for (const side of sides) side.write(id, before, after);
	};
	const insertRow = (bindings: readonly Binding[]) => {
		if (insertOne.run(bindings).changes === 0) throw new DuplicateStep();
		const [id, doc] = [String(bindings[0]), String(bindings[1])];
		if (sides.length > 0) writeSides(id, undefined, parseStored(id, doc));
		changed('inserted', id, doc);
	};
	/** Assigns the document and these columns: see `openUpsert` on why no others. */
	const updateRow = (bindings: readonly Binding[], before: string, columns: readonly number[]) => {
		const [id, doc] = [String(bindings[0]), String(bindings[1])];
		const places = [1, ...columns.map((column) => column + 2)];
		const update = connection.prepare(`UPDATE ${table} SET ${places.map((at) => `${names[at]} = ?`).join(', ')} WHERE id = ?`);
		refuseDuplicate(() => update.run([...places.map((at) => bindings[at] ?? null), id]));
		if (sides.length > 0) writeSides(id, parseStored(id, before), parseStored(id, doc));
		changed('updated', id, doc);
	};
	const removeRow = (id: string, before: string | undefined) => {
		if (removeOne.run([id]).changes === 0) return;
		if (before !== undefined && sides.length > 0) writeSides(id, parseStored(id, before), undefined);
		changed('removed', id, null);
	};

	const self: Table = {
		layout,
		number,
		width,
		isCareful: () => watched || isUnique || sides.length > 0,
		setWatched: (value) => {
			watched = value;
		},
		putLater: (cells, from) => {
			for (let position = from; position < from + width; position++) waiting.push(toBinding(cells[position]));
		},
		flush: () => {
			if (waiting.length === 0) return;
			const bindings = waiting;
			waiting = [];
			const many = rowsAStatement * width;
			let position = 0;
			for (; position + many <= bindings.length; position += many) upsertMany(bindings.slice(position, position + many));
			for (; position < bindings.length; position += width) upsertOne(bindings.slice(position, position + width));
		},
		discard: () => {
			waiting = [];
		},
		get,
		has: (id) => selectId.get([id]) !== undefined,
		put: (cells, from) => {
			const bindings = cells.slice(from, from + width).map(toBinding);
			const before = get(String(bindings[0]));
			if (before === undefined) insertRow(bindings);
			else if (before !== bindings[1]) updateRow(bindings, before, allColumns);
		},
		insert: (cells, from) => insertRow(cells.slice(from, from + width).map(toBinding)),
		columnsOf: (document) => {
			const cells: Cell[] = [];
			columnCells(layout, document, cells);
			return cells;
		},
		replace: (id, before, after) => {
			const bindings = bindingsOf(layout, id, after);
			const doc = String(bindings[1]);
			const changedColumns = allColumns.filter((column) => toBinding(before.columns[column]) !== bindings[column + 2]);
			if (doc !== before.doc) updateRow(bindings, before.doc, changedColumns);
			return doc;
		},
		remove: (id) => removeRow(id, sides.length > 0 ? get(id) : undefined),
		removeWhere: (condition, params, limit) => {
			if (!watched && sides.length === 0 && limit === Number.POSITIVE_INFINITY) {
				return connection.prepare(`DELETE FROM ${table} AS m WHERE ${condition}`).run(params).changes;
			}
			const select = connection.prepare(`SELECT m.id, m.doc FROM ${table} AS m WHERE ${condition} LIMIT ${removalPage}`);
			let removed = 0;
			for (;;) {
				const rows = select.all(params).slice(0, limit - removed);
				for (const [id, doc] of rows) removeRow(String(id), String(doc));
				removed += rows.length;
				if (rows.length < removalPage) return removed;
			}
		},
	};
	return self;
}

/**
 * Inserts rows, or replaces what differs. SQLite writes an index anew whenever one of its columns is assigned, though it be to the
 * same value: where the other columns stay as they are, only the document is assigned, with the columns that only sparse indexes
 * have: those come and go.
 */
function openUpsert(connection: Connection, layout: Layout, insertInto: string, rows: string) {
	const columns = layout.columns.map(quote);
	const fixed = layout.indexes.flatMap(({ keys, sparse }) => (sparse === undefined ? keys : [])).map(quote);
	const orReplace = (assigned: readonly string[], and: readonly string[]) => {
		const assignments = assigned.map((name) => `${name} = excluded.${name}`).join(', ');
		const condition = ['doc <> excluded.doc', ...and].join(' AND ');
		return connection.prepare(`${insertInto}${rows} ON CONFLICT (id) DO UPDATE SET ${assignments} WHERE ${condition}`);
	};
	const whole = orReplace(['doc', ...columns], []);
	if (columns.length === 0) return (bindings: readonly Binding[]) => void whole.run(bindings);
	const loose = orReplace(
		['doc', ...columns.filter((name) => !fixed.includes(name))],
		columns.filter((name) => fixed.includes(name)).map((name) => `${name} IS excluded.${name}`),
	);
	const width = columns.length + 2;
	return (bindings: readonly Binding[]): void => {
		// The same rows once more: what is written already does not differ any more, and the last of several rows of one id wins.
		if (loose.run(bindings).changes < bindings.length / width) whole.run(bindings);
	};
}

/** The rows of one array index. */
function openSide(connection: Connection, name: string, side: Layout['sides'][number]) {
	const table = sideTable(name, side.name);
	const insert: Statement = connection.prepare(`INSERT INTO ${table} VALUES (${'?, '.repeat(side.keys.length)}?)`);
	const condition = side.keys.map((_, position) => `k${position} = ? AND `).join('');
	const remove: Statement = connection.prepare(`DELETE FROM ${table} WHERE ${condition}id = ?`);
	const rowsOf = (document: object | undefined) => {
		const rows = document === undefined ? [] : sideRows(side, document).map((row) => row.map(toBinding));
		return new Map(rows.map((row) => [JSON.stringify(row), row]));
	};
	return {
		write: (id: string, before: object | undefined, after: object | undefined) => {
			const old = rowsOf(before);
			const fresh = rowsOf(after);
			for (const [key, row] of old) if (!fresh.has(key)) remove.run([...row, id]);
			for (const [key, row] of fresh) if (!old.has(key)) insert.run([...row, id]);
		},
	};
}

function bindingsOf(layout: Layout, id: string, document: object): Binding[] {
	const cells: Cell[] = [id, storedText(document)];
	try {
		columnCells(layout, document, cells);
	} catch (error) {
		// What the caller set cannot be indexed: the fault of this step alone.
		if (error instanceof TypeError) throw new StoreError(error.message);
		throw error;
	}
	return cells.map(toBinding);
}

function refuseDuplicate(write: () => void): void {
	try {
		write();
	} catch (error) {
		if (codeOf(error).startsWith('SQLITE_CONSTRAINT')) throw new DuplicateStep();
		throw error;
	}
}
