import { join } from 'node:path';

const keyPattern = /^([0-9a-f]{2})([0-9a-f]{2})[0-9a-f]{60}-[0-9a-f-]{36}$/;

/** Where the contents are below the directory. */
export function contentsFolder(directory: string): string {
	return join(directory, 'contents');
}

/** The folder of contents with this SHA-256: by its first digits. */
export function folderOf(directory: string, sha256: string): string {
	return join(contentsFolder(directory), sha256.slice(0, 2), sha256.slice(2, 4));
}

/** The file of a content. Keys come from the database; what is no key leads nowhere. */
export function fileOf(directory: string, key: string): string | undefined {
	return isFileKey(key) ? join(folderOf(directory, key), key) : undefined;
}

/** Whether a key is one of this engine. */
export function isFileKey(key: string): boolean {
	return keyPattern.test(key);
}
