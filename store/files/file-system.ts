import { open } from 'node:fs/promises';

/** A new name in a directory is durable with the directory. */
export async function syncDirectory(path: string): Promise<void> {
	const directory = await open(path, 'r');
	try {
		await directory.sync();
	} finally {
		await directory.close();
	}
}

/** For `catch`: nothing where there is no such file. @throws everything else */
export function whenMissing(error: unknown): undefined {
	if (codeOf(error) === 'ENOENT') return undefined;
	throw error;
}

export function codeOf(error: unknown): unknown {
	return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
