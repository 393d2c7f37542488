import { StoreError } from '../document-store.ts';
import { type Connection, codeOf } from './connection.ts';
import { parseStored } from './document-text.ts';
import { columnCells, type Layout, sideRows } from './layout.ts';
import { indexName, quote, sideTable, tableName } from './names.ts';
import { type Cell, toBinding } from './values.ts';

const schemaVersion = 2;
const backfillPage = 500;

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

/** Brings the tables of a collection to its layout; documents that are there already get into new indexes. */
export function openCollectionTables(connection: Connection, layout: Layout): void {
	const key = `collection:${layout.name}`;
	const stored = readMeta(connection, key);
	const text = JSON.stringify(layout);
	if (stored === text) return;
	const before: Layout = stored === undefined ? { name: layout.name, columns: [], indexes: [], sides: [] } : JSON.parse(stored);
	connection.forgetStatements();
	connection.transaction(() => {
		if (stored === undefined) createTable(connection, layout);
		else alterTable(connection, before, layout);
		for (const index of layout.indexes) createIndex(connection, layout, index);
		writeMeta(connection, key, text);
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

function createIndex(connection: Connection, layout: Layout, index: Layout['indexes'][number]): void {
	const keys = index.keys.map((path) => (path === '_id' ? 'id' : quote(path))).join(', ');
	const unique = index.unique ? 'UNIQUE ' : '';
	try {
		connection.exec(
			`CREATE ${unique}INDEX IF NOT EXISTS ${indexName(layout.name, index.name)} ON ${tableName(layout.name)} (${keys})`,
		);
	} catch (error) {
		if (!codeOf(error).startsWith('SQLITE_CONSTRAINT')) throw error;
		throw new StoreError(`${layout.name} holds documents that break its unique index '${index.name}'`);
	}
}

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
	if (addedColumns.length > 0 || addedSides.length > 0)
		backfill(connection, { ...after, columns: addedColumns, sides: addedSides });
}

function backfill(connection: Connection, added: Layout): void {
	const table = tableName(added.name);
	const page = connection.prepare(`SELECT id, doc FROM ${table} WHERE id > ? ORDER BY id LIMIT ${backfillPage}`);
	const assignments = added.columns.map((path) => `${quote(path)} = ?`).join(', ');
	const update = added.columns.length === 0 ? undefined : connection.prepare(`UPDATE ${table} SET ${assignments} WHERE id = ?`);
	let last = '';
	for (;;) {
		const rows = page.all([last]);
		for (const [id, doc] of rows) {
			last = String(id);
			const document = parseStored(last, String(doc));
			const cells: Cell[] = [];
			columnCells(added, document, cells);
			update?.run([...cells.map(toBinding), last]);
			for (const side of added.sides) insertSideRows(connection, added.name, side, document, last);
		}
		if (rows.length < backfillPage) return;
	}
}

function insertSideRows(connection: Connection, name: string, side: Layout['sides'][number], document: object, id: string): void {
	const marks = '?, '.repeat(side.keys.length);
	const insert = connection.prepare(`INSERT INTO ${sideTable(name, side.name)} VALUES (${marks}?)`);
	for (const row of sideRows(side, document)) insert.run([...row.map(toBinding), id]);
}
