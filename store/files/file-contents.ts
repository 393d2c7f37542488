import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, mkdtemp, open as openFile, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import {
	type ByteRange,
	type ContentStore,
	ContentStoreError,
	createContentDigest,
	type KeptContent,
	type StoredContent,
} from '../index.ts';
import { contentsFolder, fileOf, folderOf } from './content-file.ts';
import { codeOf, syncDirectory, whenMissing } from './file-system.ts';

export interface FileContentsOptions {
	/** Created when missing; without one, the contents are in a temporary directory that goes with `close`. */
	readonly directory?: string;
	/** Bytes that must stay free on its disk. */
	readonly minFreeBytes: number;
	/** Whether no other process uses the directory: unfinished files are then leftovers of a crash, and are removed at once. */
	readonly isExclusive: boolean;
}

const incomingPattern = /^incoming-([0-9a-f-]{36})$/;
/** How many bytes are written between two looks at the room that is left. */
const roomCheckBytes = 64 * 1024 * 1024;

/**
 * Opens a directory of contents. A content is written to `incoming`, made durable, and only then given its name below `contents`,
 * in folders by the first digits of its SHA-256.
 */
export async function openFileContents({ directory, minFreeBytes, isExclusive }: FileContentsOptions): Promise<ContentStore> {
	const root = directory ?? (await mkdtemp(join(tmpdir(), 'binaries-')));
	const incoming = join(root, 'incoming');
	const contents = contentsFolder(root);
	if (isExclusive) await rm(incoming, { recursive: true, force: true });
	for (const each of [incoming, contents]) await mkdir(each, { recursive: true });
	await syncDirectory(root);

	async function put(source: Readable): Promise<StoredContent> {
		const id = randomUUID();
		const path = join(incoming, id);
		try {
			const { sha256, length } = await write(path, source);
			const key = `${sha256}-${id}`;
			const [first, second] = [join(contents, sha256.slice(0, 2)), folderOf(root, sha256)];
			await mkdir(second, { recursive: true });
			await rename(path, join(second, key));
			for (const each of [second, first, contents]) await syncDirectory(each);
			return { key, sha256, length };
		} catch (error) {
			source.destroy();
			await rm(path, { force: true });
			throw toStoreError(error);
		}
	}

	async function write(path: string, source: Readable): Promise<Pick<StoredContent, 'sha256' | 'length'>> {
		const file: FileHandle = await openFile(path, 'wx');
		try {
			const digest = createContentDigest();
			let unchecked = roomCheckBytes;
			for await (const bytes of digest.tap(source)) {
				unchecked += bytes.length;
				if (unchecked >= roomCheckBytes) {
					await checkRoom();
					unchecked = 0;
				}
				// In full, from where the last one ended.
				await file.writeFile(bytes);
			}
			await file.sync();
			return digest.finish();
		} finally {
			await file.close();
		}
	}

	async function checkRoom(): Promise<void> {
		const { bavail, bsize } = await statfs(incoming);
		if (bavail * bsize < minFreeBytes)
			throw new ContentStoreError(
				'full',
				`the disk is nearly full: ${bavail * bsize} bytes are free, ${minFreeBytes} are needed`,
			);
	}

	async function open(key: string, range?: ByteRange): Promise<Readable> {
		const path = pathOf(key);
		if (path === undefined) throw missing(key);
		try {
			// Once it is open, its removal does not take it away from whoever reads it.
			const file = await openFile(path, 'r');
			return createReadStream('', { fd: file, ...range, highWaterMark: 256 * 1024 });
		} catch (error) {
			if (codeOf(error) === 'ENOENT') throw missing(key);
			throw toStoreError(error);
		}
	}

	async function remove(key: string): Promise<void> {
		const path = pathOf(key);
		if (path !== undefined) await rm(path, { force: true });
	}

	async function* list(): AsyncGenerator<KeptContent> {
		yield* filesIn(incoming, 'incoming-');
		for (const first of await readdir(contents))
			for (const second of await readdir(join(contents, first))) yield* filesIn(join(contents, first, second), '');
	}

	function pathOf(key: string): string | undefined {
		const [, unfinished] = incomingPattern.exec(key) ?? [];
		if (unfinished !== undefined) return join(incoming, unfinished);
		return fileOf(root, key);
	}

	async function close(): Promise<void> {
		if (directory === undefined) await rm(root, { recursive: true, force: true });
	}

	return { put, open, remove, list, close };
}

async function* filesIn(folder: string, prefix: string): AsyncGenerator<KeptContent> {
	for (const name of await readdir(folder)) {
		const found = await stat(join(folder, name)).catch(whenMissing);
		if (found) yield { key: prefix + name, writtenAt: found.mtimeMs };
	}
}

function missing(key: string): ContentStoreError {
	return new ContentStoreError('missing', `there is no content '${key.slice(0, 120)}'`);
}

const fullCodes: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];
const brokenCodes: readonly unknown[] = ['EIO', 'EROFS', 'EACCES', 'EPERM', 'EMFILE', 'ENFILE', 'ENOENT', 'ENOTDIR'];

function toStoreError(error: unknown): unknown {
	const message = error instanceof Error ? error.message : String(error);
	if (fullCodes.includes(codeOf(error))) return new ContentStoreError('full', message, { cause: error });
	if (brokenCodes.includes(codeOf(error))) return new ContentStoreError('unavailable', message, { cause: error });
	return error;
}
