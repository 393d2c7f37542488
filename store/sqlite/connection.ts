import { pathToFileURL } from 'node:url';
import Database from 'libsql';
import { StoreError } from '../document-store.ts';
import type { Binding } from './values.ts';

/** A prepared statement; rows come as arrays of columns. */
export interface Statement {
	run(params: readonly Binding[]): { readonly changes: number };
	get(params: readonly Binding[]): readonly unknown[] | undefined;
	all(params: readonly Binding[]): readonly (readonly unknown[])[];
}

/** One connection to the database file, with the statements it has prepared. */
export interface Connection {
	readonly file: string;
	exec(sql: string): void;
	/** A statement kept for the life of the connection or until many others were asked for. */
	prepare(sql: string): Statement;
	/** Whether a transaction is open: some errors end it. */
	inTransaction(): boolean;
	/** Runs the work in a transaction that is durable when this returns. */
	transaction<T>(work: () => T): T;
	/** Forgets the prepared statements: after a change of the schema. */
	forgetStatements(): void;
	close(): void;
}

const keptStatements = 500;

/**
 * Opens the file, making it if it is not there. A connection that only reads changes neither the file nor its log.
 * @throws StoreError that names the file.
 */
export function openConnection(file: string, { readOnly = false } = {}): Connection {
	let database: Database.Database;
	try {
		database = new Database(readOnly ? `${pathToFileURL(file).href}?mode=ro` : file);
	} catch (error) {
		throw new StoreError(`cannot open the database file ${file}: ${messageOf(error)}`);
	}
	const statements = new Map<string, Statement>();
	const prepare = (sql: string): Statement => {
		const known = statements.get(sql);
		if (known) return known;
		if (statements.size >= keptStatements) statements.clear();
		const made = wrapStatement(database.prepare(sql));
		statements.set(sql, made);
		return made;
	};
	return {
		file,
		prepare,
		exec: (sql) => void database.exec(sql),
		inTransaction: () => database.inTransaction,
		transaction: (work) => {
			prepare('BEGIN IMMEDIATE').run([]);
			try {
				const result = work();
				prepare('COMMIT').run([]);
				return result;
			} catch (error) {
				// A full disk may have ended the transaction already.
				if (database.inTransaction) prepare('ROLLBACK').run([]);
				throw error;
			}
		},
		forgetStatements: () => statements.clear(),
		close: () => {
			statements.clear();
			database.close();
		},
	};
}

function wrapStatement(statement: Database.Statement): Statement {
	const raw = statement.reader ? statement.raw() : statement;
	return {
		run: (params) => raw.run(params),
		get: (params) => raw.get(params) as readonly unknown[] | undefined,
		all: (params) => raw.all(params) as readonly (readonly unknown[])[],
	};
}

/** SQLite's name of what went wrong, or an empty text. */
export function codeOf(error: unknown): string {
	return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Whether the database itself cannot go on, whatever was asked of it. */
export function isFailureOfDatabase(error: unknown): boolean {
	return /^SQLITE_(FULL|IOERR|CORRUPT|NOTADB|READONLY|PERM|CANTOPEN|BUSY|LOCKED|PROTOCOL)/.test(codeOf(error));
}

/** Whether the file itself is broken: nothing that is done with it can be trusted any more. */
export function isDamage(error: unknown): boolean {
	return /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error));
}

export const restoreAdvice =
	'Move its folder away, and restore a backup into a new one with `npm run restore -- FILE DATA_DIR` (docs/guides/backup.md)';

/** What an operator needs to read of an error of the driver. */
export function explainError(error: unknown, file: string): string {
	const code = codeOf(error);
	if (code.startsWith('SQLITE_FULL')) return `the disk is full, or ${file} has reached its largest size`;
	if (code.startsWith('SQLITE_IOERR')) return `reading or writing ${file} failed: ${messageOf(error)} (${code})`;
	if (code.startsWith('SQLITE_CORRUPT')) return `the database file ${file} is damaged: ${messageOf(error)}. ${restoreAdvice}`;
	if (code.startsWith('SQLITE_NOTADB')) return `${file} is not a database of this program`;
	if (code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_PERM'))
		return `${file} cannot be written: ${messageOf(error)}`;
	return code === '' ? messageOf(error) : `${messageOf(error)} (${code}, ${file})`;
}

export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
