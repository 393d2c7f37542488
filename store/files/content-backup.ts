import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createContentDigest } from '../index.ts';
import { fileOf } from './content-file.ts';
import { syncDirectory, whenMissing } from './file-system.ts';

/** A content as the database knows it. */
export interface KnownContent {
	readonly sha256: string;
	readonly key: string;
}

/** What was copied. */
export interface CopiedContents {
	readonly files: number;
	readonly bytes: number;
}

/** A content that is not there, or not as it was stored. */
export class LostContentError extends Error {
	override readonly name = 'LostContentError';
	readonly sha256: string;

	constructor(sha256: string, message: string) {
		super(message);
		this.sha256 = sha256;
	}
}

/**
 * Copies contents out of the directory of a store into a folder, where each file has its SHA-256 as name; those that are there
 * stay. @throws LostContentError
 */
export async function copyIntoBackup(
	directory: string,
	contents: readonly KnownContent[],
	folder: string,
): Promise<CopiedContents> {
	return copyAll(
		contents,
		({ key }) => fileOf(directory, key),
		({ sha256 }) => backupFileOf(folder, sha256),
	);
}

/** The way back, into the new directory of a store. @throws LostContentError */
export async function copyFromBackup(
	folder: string,
	contents: readonly KnownContent[],
	directory: string,
): Promise<CopiedContents> {
	return copyAll(
		contents,
		({ sha256 }) => backupFileOf(folder, sha256),
		({ key }) => fileOf(directory, key),
	);
}

function backupFileOf(folder: string, sha256: string): string {
	return join(folder, sha256.slice(0, 2), sha256);
}

type PathOf = (content: KnownContent) => string | undefined;

async function copyAll(contents: readonly KnownContent[], fromOf: PathOf, toOf: PathOf): Promise<CopiedContents> {
	let bytes = 0;
	for (const content of contents) {
		const [from, to] = [fromOf(content), toOf(content)];
		if (from === undefined || to === undefined)
			throw new LostContentError(content.sha256, `the content with the SHA-256 ${content.sha256} is in no file`);
		bytes += (await sizeOf(to)) ?? (await copy(content.sha256, from, to));
	}
	return { files: contents.length, bytes };
}

async function sizeOf(file: string): Promise<number | undefined> {
	return stat(file).then(({ size }) => size, whenMissing);
}

/** Returns the bytes, durable; nothing stays of what is not what it should be. */
async function copy(sha256: string, from: string, to: string): Promise<number> {
	const source = await open(from).catch(whenMissing);
	if (!source) throw new LostContentError(sha256, `the file ${from} is missing`);
	const part = `${to}.part`;
	await mkdir(dirname(to), { recursive: true, mode: 0o700 });
	const target = await open(part, 'w', 0o600);
	try {
		const found = await pour(source, target);
		if (found.sha256 !== sha256)
			throw new LostContentError(sha256, `the file ${from} is damaged: its SHA-256 is ${found.sha256}`);
		await target.sync();
		await rename(part, to);
		await syncDirectory(dirname(to));
		return found.length;
	} catch (error) {
		await rm(part, { force: true });
		throw error;
	} finally {
		await target.close();
	}
}

async function pour(source: FileHandle, target: FileHandle) {
	const digest = createContentDigest();
	const stream = createReadStream('', { fd: source, highWaterMark: 1024 * 1024 });
	for await (const bytes of digest.tap(stream)) await target.writeFile(bytes);
	return digest.finish();
}
