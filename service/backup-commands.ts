import { rename, rm, stat } from 'node:fs/promises';
import type { Config } from '../config/index.ts';
import { type ContentRecord, contentSpec, referenceSpec } from '../inventory/index.ts';
import { type CopiedContents, copyFromBackup, copyIntoBackup, isFileKey, LostContentError } from '../store/files/index.ts';
import { readDocuments, restoreBackup, writeBackup } from '../store/sqlite/index.ts';
import { contentEngineOf, filesFolderOf } from './binary-parts.ts';

/** How often the database is taken again because binaries went while others were copied: each time there is less to copy. */
const maxSnapshots = 10;

/** Writes a backup of the embedded database, and beside it one of the files of its binaries. Returns what came of it. */
export async function backUp(config: Config, target: string): Promise<string> {
	refuseMongoDb(config, 'mongodump');
	const { store } = config;
	const folder = filesOfBackup(target);
	if (await isThere(folder)) throw new Error(`${folder} exists: a backup overwrites nothing`);
	const engine = contentEngineOf(config);
	const part = `${folder}.${process.pid}.part`;
	const files = openFilesBackup(filesFolderOf(store.dataDir), part);
	const made = [part];
	const complete = async (snapshot: string) => {
		if (!(await files.copyNamedIn(snapshot))) return false;
		if (files.copied().files === 0) return true;
		await rename(part, folder);
		made.push(folder);
		return true;
	};
	try {
		const { sizeBytes, writeMilliseconds, checkMilliseconds } = await writeBackup(
			store.dataDir,
			target,
			engine === 'files' ? complete : undefined,
		);
		const times = `written in ${seconds(writeMilliseconds)} s, checked in ${seconds(checkMilliseconds)} s`;
		return `backup ${target}: ${sizeBytes} bytes, ${times}\n${engine === 'files' ? filesText(folder, files.copied()) : elsewhere(engine)}`;
	} catch (error) {
		for (const each of made) await rm(each, { recursive: true, force: true });
		throw error;
	}
}

/** Copies what a snapshot names, and again what a later one does. */
function openFilesBackup(source: string, part: string) {
	let copied: CopiedContents = { files: 0, bytes: 0 };
	let snapshots = 0;
	let lost: string | undefined;

	/** False when a file is gone: then the next snapshot does not name it either, unless it is lost. */
	async function copyNamedIn(snapshot: string): Promise<boolean> {
		const named = readDocuments(snapshot, contentSpec).map(knownContent);
		try {
			copied = await copyIntoBackup(source, named, part);
			return true;
		} catch (error) {
			if (!(error instanceof LostContentError)) throw error;
			if (error.sha256 === lost || ++snapshots >= maxSnapshots) throw new Error(lossText(error, snapshot), { cause: error });
			lost = error.sha256;
			return false;
		}
	}

	return { copyNamedIn, copied: () => copied };
}

function lossText({ message, sha256 }: LostContentError, snapshot: string): string {
	const owners = readDocuments(snapshot, referenceSpec).filter((reference) => reference.sha256 === sha256);
	const ids = owners.slice(0, 5).map(({ _id }) => _id);
	return `${message}. It belongs to ${ids.join(', ')}${owners.length > ids.length ? ', …' : ''} (tenant/id): replace or remove these binaries, or put the file back. Nothing was written`;
}

/** Puts a backup, with its files, into a new folder. Returns what came of it. */
export async function restore(config: Config, backup: string, directory: string): Promise<string> {
	refuseMongoDb(config, 'mongorestore');
	let copied: CopiedContents | undefined;
	const folder = filesFolderOf(directory);
	const restored = await restoreBackup(backup, directory, async (snapshot) => {
		const named = readDocuments(snapshot, contentSpec).map(knownContent);
		if (named.some(({ key }) => !isFileKey(key))) return;
		copied = await copyFromBackup(filesOfBackup(backup), named, folder).catch(async (error: unknown) => {
			await rm(folder, { recursive: true, force: true });
			throw error;
		});
	});
	const binaries = copied ? filesText(folder, copied) : 'binaries: they are where BINARIES_STORE had them\n';
	return `restored ${restored.sizeBytes} bytes to ${restored.file}: start the service with DATA_DIR=${directory}\n${binaries}`;
}

// A service with these settings has its data elsewhere: a file would give false comfort.
function refuseMongoDb({ mongodb }: Config, tool: string): void {
	if (mongodb.url === undefined) return;
	throw new Error(
		`MONGODB_URL is set: backup and restore are for the embedded database. MongoDB has its own tools, \`${tool}\`: see docs/guides/backup.md`,
	);
}

function filesOfBackup(backup: string): string {
	return `${backup}.binaries`;
}

function knownContent({ _id, key }: ContentRecord) {
	return { sha256: _id, key };
}

function filesText(folder: string, { files, bytes }: CopiedContents): string {
	if (files === 0) return 'binaries: none\n';
	return `binaries ${folder}: ${files} ${files === 1 ? 'file' : 'files'}, ${bytes} bytes, each with the SHA-256 that it had\n`;
}

function elsewhere(engine: string): string {
	return `binaries: not in the backup, because BINARIES_STORE is ${engine}: back up that store after this one\n`;
}

async function isThere(path: string): Promise<boolean> {
	return stat(path).then(
		() => true,
		() => false,
	);
}

function seconds(milliseconds: number): string {
	return (milliseconds / 1000).toFixed(1);
}
