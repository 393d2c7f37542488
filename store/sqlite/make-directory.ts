import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { StoreError } from '../document-store.ts';
import { messageOf } from './connection.ts';

/**
 * Makes a directory that only its owner can look into, with those above it. Returns what was not there before, from the outermost.
 * @throws StoreError
 */
export function makeDirectory(directory: string): string[] {
	const path = resolve(directory);
	try {
		if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [];
		const above = dirname(path) === path ? [] : makeDirectory(dirname(path));
		// One by one: where a file system takes no directories at all (/proc), `recursive` goes on for ever.
		mkdirSync(path, { mode: 0o700 });
		return [...above, path];
	} catch (error) {
		if (error instanceof StoreError) throw error;
		// Somebody else was faster.
		if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [];
		const isOdd = error instanceof Error && 'code' in error && error.code === 'ENOENT';
		const reason = isOdd ? `the file system of ${dirname(path)} takes no directories` : messageOf(error);
		throw new StoreError(`cannot make the directory ${path}: ${reason}`, { cause: error });
	}
}
