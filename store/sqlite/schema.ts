import { StoreError } from '../document-store.ts';
import { type Connection, codeOf } from './connection.ts';
import { parseStored } from './document-text.ts';
import { columnCells, type IndexLayout, type Layout, sideRows } from './layout.ts';
import { indexName, quote, sideTable, tableName } from './names.ts';
import { type Cell, toBinding } from './values.ts';

const schemaVersion = 2;
const backfillPage = 500;
/** Pages that share a transaction: the log stays small, and what was filled is not filled again after an interruption. */
const pagesACommit = 20;

/** Told from time to time while documents that are there get into new indexes. */
export type OnFilled = (collection: string, documents: number) => void;

/** What of a collection is not filled yet, kept beside its layout. */
interface Filling {
	/** The layout that it belongs to, as text: of a version of the program in between, it means nothing any more. */
	readonly layout: string;
	readonly added: Layout;
	/** The last id that was filled. */
	readonly last: string;
	readonly documents: number;
}

/** Makes a new database ours. @throws StoreError when it is somebody else's or of another version of the program. */
export function openSchema(connection: Connection): void {
	if (!refuseForeign(connection)) return;
	connection.transaction(() => {
		connection.exec('CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID');
		writeMeta(connection, 'version', String(schemaVersion));
	});
}

/** Whether the database is new. @throws StoreError when it is somebody else's or of another version of the program. */
export function refuseForeign(connection: Connection): boolean {
	const tables = connection.prepare('SELECT name FROM sqlite_master').all([]);
	if (tables.length === 0) return true;
	if (!tables.some(([name]) => name === 'meta')) throw new StoreError(`${connection.file} is a database of another program`);
	const version = Number(readMeta(connection, 'version'));
	if (version !== schemaVersion) {
		const which = version < schemaVersion ? 'an older' : 'a newer';
		throw new StoreError(`${connection.file} was written by ${which} version (its layout is ${version}, ours ${schemaVersion})`);
	}
	return false;
}

export function readMeta(connection: Connection, key: string): string | undefined {
	const row = connection.prepare('SELECT value FROM meta WHERE key = ?').get([key]);
	return row === undefined ? undefined : String(row[0]);
}

export function writeMeta(connection: Connection, key: string, value: string): void {
	connection
		.prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
		.run([key, value]);
}

function removeMeta(connection: Connection, key: string): void {
	connection.prepare('DELETE FROM meta WHERE key = ?').run([key]);
}

/**
 * Brings the tables of a collection to its layout; documents that are there already get into new indexes. Nobody else has the
 * collection open. Stopped anywhere, it goes on where it was when it is called again.
 */
export function openCollectionTables(connection: Connection, layout: Layout, onFilled: OnFilled = () => undefined): void {
	const key = `collection:${layout.name}`;
	const stored = readMeta(connection, key);
	const text = JSON.stringify(layout);
	if (stored === text) return;
	connection.forgetStatements();
	if (stored !== undefined) {
		connection.transaction(() => alterTable(connection, JSON.parse(stored), layout));
		connection.forgetStatements();
		fill(connection, layout.name, onFilled);
	}
	connection.transaction(() => {
		if (stored === undefined) createTable(connection, layout);
		for (const index of layout.indexes) createIndex(connection, layout, index);
		writeMeta(connection, key, text);
		removeMeta(connection, fillingKey(layout.name));
	});
	connection.forgetStatements();
}

function createTable(connection: Connection, layout: Layout): void {
	// Columns before the document: reading one does not walk through a long text.
	const columns = layout.columns.map((path) => `${quote(path)}, `).join('');
	connection.exec(
		`CREATE TABLE ${tableName(layout.name)} (id TEXT PRIMARY KEY NOT NULL, ${columns}doc TEXT NOT NULL) WITHOUT ROWID`,
	);
	for (const side of layout.sides) createSide(connection, layout, side);
}

function createSide(connection: Connection, layout: Layout, side: Layout['sides'][number]): void {
	const keys = side.keys.map((_, position) => `k${position}`).join(', ');
	connection.exec(
		`CREATE TABLE ${sideTable(layout.name, side.name)} (${keys}, id TEXT NOT NULL, PRIMARY KEY (${keys}, id)) WITHOUT ROWID`,
	);
}

function createIndex(connection: Connection, layout: Layout, index: IndexLayout): void {
	const keys = index.keys.map((path) => (path === '_id' ? 'id' : quote(path))).join(', ');
	const unique = index.unique ? 'UNIQUE ' : '';
	const rows = index.sparse === undefined ? '' : ` WHERE ${quote(index.sparse)} IS NOT NULL`;
	try {
		connection.exec(
			`CREATE ${unique}INDEX IF NOT EXISTS ${indexName(layout.name, index.name)} ON ${tableName(layout.name)} (${keys})${rows}`,
		);
	} catch (error) {
		if (!codeOf(error).startsWith('SQLITE_CONSTRAINT')) throw error;
		throw new StoreError(`${layout.name} holds documents that break its unique index '${index.name}'`);
	}
}

/** Everything but filling the added columns and side tables, which is noted, and making the added indexes. */
function alterTable(connection: Connection, before: Layout, after: Layout): void {
	const kept = new Set(after.indexes.map((index) => JSON.stringify(index)));
	for (const index of before.indexes) {
		if (!kept.has(JSON.stringify(index))) connection.exec(`DROP INDEX ${indexName(after.name, index.name)}`);
	}
	const keptSides = new Set(after.sides.map((side) => JSON.stringify(side)));
	for (const side of before.sides) {
		if (!keptSides.has(JSON.stringify(side))) connection.exec(`DROP TABLE ${sideTable(after.name, side.name)}`);
	}
	for (const path of before.columns) {
		if (!after.columns.includes(path)) connection.exec(`ALTER TABLE ${tableName(after.name)} DROP COLUMN ${quote(path)}`);
	}
	const addedColumns = after.columns.filter((path) => !before.columns.includes(path));
	for (const path of addedColumns) connection.exec(`ALTER TABLE ${tableName(after.name)} ADD COLUMN ${quote(path)}`);
	const oldSides = new Set(before.sides.map((side) => JSON.stringify(side)));
	const addedSides = after.sides.filter((side) => !oldSides.has(JSON.stringify(side)));
	for (const side of addedSides) createSide(connection, after, side);
	noteFilling(connection, before, after, { ...after, columns: addedColumns, indexes: [], sides: addedSides });
}

/** Notes what is to be filled, and the layout as it is until then: this or another version of the program goes on from there. */
function noteFilling(connection: Connection, before: Layout, after: Layout, added: Layout): void {
	const { name } = after;
	const old = new Set(before.indexes.map((index) => JSON.stringify(index)));
	const layout = JSON.stringify({ ...after, indexes: after.indexes.filter((index) => old.has(JSON.stringify(index))) });
	const noted = readMeta(connection, fillingKey(name));
	const filling: Filling | undefined = noted === undefined ? undefined : JSON.parse(noted);
	const begun = filling?.layout === JSON.stringify(before) ? filling : undefined;
	if (begun?.layout === layout) return;
	// What was begun is begun again, with what is new.
	const halfFilled = new Set(begun?.added.sides.map((side) => JSON.stringify(side)));
	const again = after.sides.filter((side) => halfFilled.has(JSON.stringify(side)));
	for (const side of again) connection.exec(`DELETE FROM ${sideTable(name, side.name)}`);
	const columns = after.columns.filter((path) => added.columns.includes(path) || begun?.added.columns.includes(path));
	const sides = [...added.sides, ...again];
	writeMeta(connection, `collection:${name}`, layout);
	if (columns.length + sides.length === 0) removeMeta(connection, fillingKey(name));
	else writeFilling(connection, { layout, added: { ...added, columns, sides }, last: '', documents: 0 });
}

function fillingKey(name: string): string {
	return `filling:${name}`;
}

function writeFilling(connection: Connection, filling: Filling): void {
	writeMeta(connection, fillingKey(filling.added.name), JSON.stringify(filling));
}

/** Fills what is noted, some pages in each transaction. */
function fill(connection: Connection, name: string, onFilled: OnFilled): void {
	const noted = readMeta(connection, fillingKey(name));
	if (noted === undefined) return;
	let filling: Filling = JSON.parse(noted);
	const fillPage = pageFiller(connection, filling.added);
	for (let isWhole = false; !isWhole; ) {
		connection.transaction(() => {
			for (let page = 0; page < pagesACommit && !isWhole; page++) {
				const { last, documents } = fillPage(filling.last);
				filling = { ...filling, last, documents: filling.documents + documents };
				isWhole = documents < backfillPage;
			}
			writeFilling(connection, filling);
		});
		onFilled(name, filling.documents);
	}
}

/** Fills the documents of a page, and tells the last one and how many they were. */
function pageFiller(connection: Connection, added: Layout) {
	const table = tableName(added.name);
	const page = connection.prepare(`SELECT id, doc FROM ${table} WHERE id > ? ORDER BY id LIMIT ${backfillPage}`);
	const assignments = added.columns.map((path) => `${quote(path)} = ?`).join(', ');
	const update = added.columns.length === 0 ? undefined : connection.prepare(`UPDATE ${table} SET ${assignments} WHERE id = ?`);
	return (after: string): { readonly last: string; readonly documents: number } => {
		let last = after;
		const rows = page.all([last]);
		for (const [id, doc] of rows) {
			last = String(id);
			const document = parseStored(last, String(doc));
			const cells: Cell[] = [];
			columnCells(added, document, cells);
			update?.run([...cells.map(toBinding), last]);
			for (const side of added.sides) insertSideRows(connection, added.name, side, document, last);
		}
		return { last, documents: rows.length };
	};
}

function insertSideRows(connection: Connection, name: string, side: Layout['sides'][number], document: object, id: string): void {
	const marks = '?, '.repeat(side.keys.length);
	const insert = connection.prepare(`INSERT INTO ${sideTable(name, side.name)} VALUES (${marks}?)`);
	for (const row of sideRows(side, document)) insert.run([...row.map(toBinding), id]);
}
