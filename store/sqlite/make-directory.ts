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
		return makeWithParents(path);
	} catch (error) {
		const isOdd = error instanceof Error && 'code' in error && error.code === 'ENOENT';
		const reason = isOdd ? 'its file system takes no directories' : messageOf(error);
		throw new StoreError(`cannot make the directory ${path}: ${reason}`, { cause: error });
	}
}

// One by one: where a file system takes no directories at all (/proc), `recursive` goes on for ever.
function makeWithParents(path: string): string[] {
	if (isDirectory(path)) return [];
	const above = dirname(path) === path ? [] : makeWithParents(dirname(path));
	try {
		mkdirSync(path, { mode: 0o700 });
	} catch (error) {
		// Somebody else may have been faster.
		if (!isDirectory(path)) throw error;
		return above;
	}
	return [...above, path];
}

/** False also where it cannot be told: making it says why. */
function isDirectory(path: string): boolean {
	try {
		return statSync(path).isDirectory();
	} catch {
		return false;
	}
}
