import { existsSync, writeFileSync } from 'node:fs';
import { StoreError } from '../document-store.ts';
import { type Connection, codeOf, explainError, isDamage, openConnection } from './connection.ts';
import { checkDatabaseFile, markerOf } from './database-file.ts';
import { applyGroup } from './group.ts';
import type { Answer, OpenRequest, Read, Request } from './protocol.ts';
import { openCollectionTables, openSchema } from './schema.ts';
import { openTable, type Table } from './table.ts';
import { type Binding, type Cell, fromColumn, toBinding } from './values.ts';

/** One thread's side of the database: takes requests one after the other and answers each through `answer`. */
export interface Engine {
	handle(request: Request): void;
}

/** Long queries do not hold back the answers of the short ones before them. */
const answerEveryMilliseconds = 4;

interface Opened {
	readonly connection: Connection;
	readonly lock: Connection | undefined;
	readonly tables: Map<number, Table>;
	/** Changes that the group being written has made in watched collections. */
	changes: Cell[];
}

export function createEngine(answer: (answer: Answer) => void): Engine {
	let opened: Opened | undefined;
	const onError = (error: unknown, file: string): void => {
		if (opened !== undefined && isDamage(error)) answer({ kind: 'damaged', message: explainError(error, file) });
	};

	const dispatch = (request: Request): void => {
		if (request.kind === 'open') {
			opened = open(request);
			answer({ kind: 'done' });
			return;
		}
		if (opened === undefined) throw new StoreError('the database is not open');
		switch (request.kind) {
			case 'collection':
				openCollection(opened, request, answer);
				break;
			case 'watch':
				opened.tables.get(request.number)?.setWatched(request.watched);
				break;
			case 'group':
				answer(writeGroup(opened, request.cells, onError));
				return;
			case 'reads':
				readAll(opened.connection, request, answer, onError);
				return;
			case 'close':
				close(opened);
				opened = undefined;
		}
		answer({ kind: 'done' });
	};

	return {
		handle: (request) => {
			try {
				dispatch(request);
			} catch (error) {
				const file = 'file' in request ? request.file : (opened?.connection.file ?? '');
				onError(error, file);
				answer({ kind: 'failed', message: explainError(error, file), isInput: error instanceof TypeError });
			}
		},
	};
}

function open(request: OpenRequest): Opened {
	const lock = request.lockFile === undefined ? undefined : takeLock(request.lockFile);
	let connection: Connection | undefined;
	try {
		if (lock !== undefined) checkDatabaseFile(request.file, request.checkMaxBytes);
		connection = openConnection(request.file);
		connection.exec('PRAGMA busy_timeout = 5000');
		connection.exec(`PRAGMA cache_size = -${request.cacheKilobytes}`);
		if (request.readOnly) connection.exec('PRAGMA query_only = 1');
		else openForWriting(connection, request);
		if (lock !== undefined) mark(request.file);
		return { connection, lock, tables: new Map(), changes: [] };
	} catch (error) {
		connection?.close();
		lock?.close();
		throw error;
	}
}

function openForWriting(connection: Connection, request: OpenRequest): void {
	connection.exec('PRAGMA journal_mode = WAL');
	connection.exec('PRAGMA synchronous = FULL');
	// 40 MB of log before it is carried over: a page that many commits change is then written to the database once for all of them.
	connection.exec('PRAGMA wal_autocheckpoint = 10000');
	connection.exec('PRAGMA journal_size_limit = 67108864');
	openSchema(connection);
	if (request.maxSizeBytes !== undefined) {
		const pageSize = Number(connection.prepare('PRAGMA page_size').get([])?.[0]);
		connection.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(request.maxSizeBytes / pageSize))}`);
	}
}

function mark(file: string): void {
	const marker = markerOf(file);
	if (!existsSync(marker)) writeFileSync(marker, `Beside this file lies a database, ${file}, since this file does.\n`);
}

/** A lock that the operating system releases when the process dies, however it dies. */
function takeLock(file: string): Connection {
	const lock = openConnection(file);
	try {
		lock.exec('BEGIN EXCLUSIVE');
		return lock;
	} catch (error) {
		lock.close();
		if (codeOf(error).startsWith('SQLITE_BUSY')) throw new StoreError(`another process has the database open (it holds ${file})`);
		throw error;
	}
}

function openCollection(
	opened: Opened,
	request: Extract<Request, { kind: 'collection' }>,
	answer: (answer: Answer) => void,
): void {
	openCollectionTables(opened.connection, request.layout, (collection, documents) =>
		answer({ kind: 'filled', collection, documents }),
	);
	const table = openTable(opened.connection, request.layout, request.number, (source, kind, id, doc) => {
		opened.changes.push(source.number, kind, id, doc);
	});
	opened.tables.set(request.number, table);
}

/** Hears what the driver throws, before the answer says so. */
type OnError = (error: unknown, file: string) => void;

function writeGroup(opened: Opened, cells: readonly Cell[], onError: OnError): Answer {
	opened.changes = [];
	try {
		return applyGroup(opened.connection, opened.tables, cells, opened.changes);
	} catch (error) {
		onError(error, opened.connection.file);
		const message = explainError(error, opened.connection.file);
		return { kind: 'group', error: message, failures: [], errors: [], documents: [], changes: [] };
	}
}

function readAll(
	connection: Connection,
	{ shapes, cells }: Extract<Request, { kind: 'reads' }>,
	answer: (answer: Answer) => void,
	onError: OnError,
): void {
	let texts: (string | null)[] = [];
	let errors: string[] = [];
	let answered = performance.now();
	let position = 0;
	for (const shape of shapes) {
		const sql = String(cells[position++]);
		const count = Number(cells[position++]);
		const params = cells.slice(position, position + count).map(toBinding);
		position += count;
		try {
			texts.push(read(connection, shape, sql, params));
		} catch (error) {
			onError(error, connection.file);
			texts.push(null);
			errors.push(explainError(error, connection.file));
		}
		if (performance.now() - answered > answerEveryMilliseconds) {
			answer({ kind: 'reads', texts, errors, last: false });
			texts = [];
			errors = [];
			answered = performance.now();
		}
	}
	answer({ kind: 'reads', texts, errors, last: true });
}

function read(connection: Connection, shape: Read['shape'], sql: string, params: readonly Binding[]): string {
	if (shape === 'plan') return JSON.stringify(planOf(connection, sql, params));
	const statement = connection.prepare(sql);
	switch (shape) {
		case 'documents':
			return `[${statement.get(params)?.[0] ?? ''}]`;
		case 'document':
			return String(statement.get(params)?.[0] ?? 'null');
		case 'text':
			return String(statement.get(params)?.[0]);
		case 'count':
			return String(statement.get(params)?.[0] ?? 0);
		case 'groups':
			return JSON.stringify(statement.all(params).map((row) => [...row.slice(0, -1).map(fromColumn), row[row.length - 1]]));
	}
}

/**
 * The plan, from a connection of its own: the driver leaves a statement that explains unfinished,
 * and the connection it was made on would go on seeing what it sees now.
 */
function planOf(connection: Connection, sql: string, params: readonly Binding[]): unknown {
	if (connection.file === ':memory:') return connection.prepare(sql).all(params);
	const own = openConnection(connection.file);
	try {
		return own.prepare(sql).all(params);
	} finally {
		own.close();
	}
}

function close(opened: Opened): void {
	try {
		if (opened.lock !== undefined) opened.connection.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get([]);
	} finally {
		opened.connection.close();
		opened.lock?.close();
	}
}
