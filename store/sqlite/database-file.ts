import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StoreError } from '../document-store.ts';
import { codeOf, explainError, openConnection, restoreAdvice } from './connection.ts';
import { type LogFacts, readLog } from './log-frames.ts';
import { refuseForeign } from './schema.ts';

/** The database's name in its folder. */
export const databaseName = 'store.db';

const headerBytes = 100;
const magic = 'SQLite format 3\0';

/** Lies beside a database since it was made: an empty or missing file is then no new one. */
export function markerOf(file: string): string {
	return join(dirname(file), 'store.made');
}

/**
 * Looks at a database before it is opened for writing, and writes nothing to it: its head, its length, its log, whose it is,
 * and, up to `checkMaxBytes`, each of its pages.
 * @throws StoreError that names the file, what is wrong and what to do
 */
export function checkDatabaseFile(file: string, checkMaxBytes: number): void {
	const size = sizeOf(file);
	const log = sizeOf(`${file}-wal`) > 0 ? readLog(`${file}-wal`) : undefined;
	if (size === 0) {
		const state = size === statSync(file, { throwIfNoEntry: false })?.size ? 'is empty' : 'is missing';
		if (log !== undefined) throw damaged(file, `it ${state}, but its log ${file}-wal is there`);
		if (statSync(markerOf(file), { throwIfNoEntry: false })) {
			throw damaged(file, `it ${state}, although ${markerOf(file)} says that there was a database`);
		}
		return;
	}
	const fault = faultOfHead(file, size, log);
	if (fault !== undefined) throw damaged(file, fault);
	if (log?.damage !== undefined) throw damaged(file, `its log ${file}-wal is damaged: ${log.damage}`);
	checkPages(file, size <= checkMaxBytes);
}

function sizeOf(file: string): number {
	return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function faultOfHead(file: string, size: number, log: LogFacts | undefined): string | undefined {
	const head = readHead(file);
	if (head.length < headerBytes) return `it is cut off after ${size} bytes`;
	if (head.toString('latin1', 0, magic.length) !== magic) throw new StoreError(`${file} is not a database of this program`);
	const pageSize = head.readUInt16BE(16) === 1 ? 65_536 : head.readUInt16BE(16);
	const isPageSize = pageSize >= 512 && (pageSize & (pageSize - 1)) === 0;
	// The fractions are fixed by the format.
	if (!isPageSize || head.compare(Buffer.from([64, 32, 32]), 0, 3, 21, 24) !== 0) return 'its head is not readable';
	const hasCount = head.readUInt32BE(24) === head.readUInt32BE(92);
	const expected = log?.pagesAfterCommit ?? (hasCount ? head.readUInt32BE(28) : 0);
	const present = Math.floor(size / pageSize);
	for (let page = present + 1; page <= expected; page++) {
		if (!log?.pages.has(page)) return `it is cut off: it has ${size} bytes and should have ${expected * pageSize}`;
	}
	return undefined;
}

function readHead(file: string): Buffer {
	const descriptor = openSync(file, 'r');
	try {
		const head = Buffer.alloc(headerBytes);
		return head.subarray(0, readSync(descriptor, head, 0, headerBytes, 0));
	} finally {
		closeSync(descriptor);
	}
}

function checkPages(file: string, all: boolean): void {
	const connection = openConnection(file, { readOnly: true });
	try {
		refuseForeign(connection);
		if (!all) return;
		const findings = connection.prepare('PRAGMA quick_check(3)').all([]);
		const text = findings.map(([finding]) => String(finding)).join('; ');
		if (text !== 'ok') throw damaged(file, text.replaceAll(/\s+/g, ' '));
	} catch (error) {
		throw error instanceof StoreError || codeOf(error) === '' ? error : new StoreError(explainError(error, file));
	} finally {
		connection.close();
	}
}

function damaged(file: string, reason: string): StoreError {
	return new StoreError(`the database file ${file} is damaged: ${reason}. Nothing was written to it. ${restoreAdvice}`);
}
