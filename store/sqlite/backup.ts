import {
	closeSync,
	copyFileSync,
	fsyncSync,
	linkSync,
	openSync,
	readdirSync,
	renameSync,
	rmdirSync,
	rmSync,
	statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { StoreError } from '../document-store.ts';
import { type Connection, codeOf, explainError, isDamage, messageOf, openConnection } from './connection.ts';
import { databaseName } from './database-file.ts';
import { makeDirectory } from './make-directory.ts';
import { refuseForeign } from './schema.ts';

/** What was written, and how long it took. */
export interface BackupFigures {
	readonly sizeBytes: number;
	readonly writeMilliseconds: number;
	readonly checkMilliseconds: number;
}

/**
 * Writes all that is committed now into a new file, whether or not a service has the database open; a service goes on meanwhile.
 * Its log is not emptied before this has ended. The file appears under its name when it is whole, checked and on the disk.
 * @throws StoreError
 */
export function writeBackup(directory: string, target: string): BackupFigures {
	const file = join(directory, databaseName);
	if (!statSync(file, { throwIfNoEntry: false })?.size) throw new StoreError(`there is no database ${file} to back up`);
	if (statSync(target, { throwIfNoEntry: false })) throw new StoreError(`${target} exists: a backup overwrites nothing`);
	const folder = dirname(resolve(target));
	if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
		throw new StoreError(`there is no folder ${folder} to write the backup into: make it first`);
	const part = `${target}.${process.pid}.part`;
	return makeWhole(part, () => {
		const began = performance.now();
		// Made first, so that nobody else can read what it will hold.
		closeSync(openSync(part, 'wx', 0o600));
		withDatabase(file, file, (connection) => connection.exec(`VACUUM INTO '${part.replaceAll("'", "''")}'`));
		flush(part);
		const written = performance.now();
		checkWhole(part, part);
		const figures = {
			sizeBytes: statSync(part).size,
			writeMilliseconds: written - began,
			checkMilliseconds: performance.now() - written,
		};
		// Unlike a renaming, this fails when the name was taken meanwhile.
		linkSync(part, target);
		rmSync(part);
		flush(dirname(target));
		return figures;
	});
}

/**
 * Puts a backup into a new or empty folder, for a service to start on.
 * @throws StoreError, and leaves the folder as it was
 */
export function restoreBackup(backup: string, directory: string): { readonly file: string; readonly sizeBytes: number } {
	const size = statSync(backup, { throwIfNoEntry: false })?.size;
	if (!size) throw new StoreError(`the backup ${backup} ${size === 0 ? 'is empty' : 'does not exist'}`);
	const file = join(directory, databaseName);
	const made = makeDirectory(directory);
	if (readdirSync(directory).length > 0)
		throw new StoreError(`${directory} is not empty: a backup is restored into a new folder, move this one away first`);
	const part = `${file}.part`;
	try {
		return makeWhole(part, () => {
			closeSync(openSync(part, 'wx', 0o600));
			copyFileSync(backup, part);
			flush(part);
			checkWhole(part, `the backup ${backup}`);
			renameSync(part, file);
			flush(directory);
			return { file, sizeBytes: size };
		});
	} catch (error) {
		removeEmpty(made);
		throw error;
	}
}

/** Removes directories that were made in vain, the innermost first. */
function removeEmpty(made: readonly string[]): void {
	for (const each of [...made].reverse()) if (readdirSync(each).length === 0) rmdirSync(each);
}

/** @throws StoreError for what the file system and the driver throw; the unfinished file is gone then. */
function makeWhole<T>(part: string, make: () => T): T {
	try {
		return make();
	} catch (error) {
		for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(part + suffix, { force: true });
		throw error instanceof StoreError
			? error
			: new StoreError(`${part} cannot be written: ${messageOf(error)}`, { cause: error });
	}
}

/** `name` is what messages call the file. */
function withDatabase(file: string, name: string, work: (connection: Connection) => void): void {
	const connection = openConnection(file, { readOnly: true });
	try {
		connection.exec('PRAGMA busy_timeout = 5000');
		if (refuseForeign(connection)) throw new StoreError(`${name} holds nothing`);
		work(connection);
	} catch (error) {
		if (error instanceof StoreError || codeOf(error) === '') throw error;
		throw new StoreError(isDamage(error) ? `${name} is damaged, or no database: ${messageOf(error)}` : explainError(error, name));
	} finally {
		connection.close();
	}
}

function checkWhole(file: string, name: string): void {
	withDatabase(file, name, (connection) => {
		const findings = connection.prepare('PRAGMA integrity_check(3)').all([]).flat().map(String).join('; ');
		if (findings !== 'ok') throw new StoreError(`${name} is damaged: ${findings.replaceAll(/\s+/g, ' ')}`);
	});
}

function flush(path: string): void {
	const descriptor = openSync(path, 'r');
	try {
		fsyncSync(descriptor);
	} finally {
		closeSync(descriptor);
	}
}
