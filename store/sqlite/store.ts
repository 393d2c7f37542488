import { existsSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import {
	type Collection,
	type CollectionSpec,
	type DocumentStore,
	type Query,
	type StoredDocument,
	StoreError,
} from '../document-store.ts';
import { type Channel, openLocalChannel, openWorkerChannel } from './channel.ts';
import { createCollection } from './collection.ts';
import { databaseName } from './database-file.ts';
import { type Expiry, startExpiry } from './expiry.ts';
import { type Layout, layOut } from './layout.ts';
import { makeDirectory } from './make-directory.ts';
import { type Read, stepCode } from './protocol.ts';
import { selectSql } from './query-sql.ts';
import { createReadQueue } from './read-queue.ts';
import { encodeSteps, type OpenCollection } from './steps.ts';
import { createWatchers } from './watchers.ts';
import { createWriteQueue } from './write-queue.ts';

export interface SqliteStoreOptions {
	/** Where the database lies; it is made if it is not there. `':memory:'` keeps nothing. */
	readonly directory: string;
	/** Milliseconds since 1970, for what expires. */
	readonly now: () => number;
	/** Steps that share a commit; a larger batch is committed alone. */
	readonly maxGroupSteps?: number;
	/** Batches that may wait; more are refused with StoreError. */
	readonly maxWaitingBatches?: number;
	/** Bytes of such batches; one alone may be larger. */
	readonly maxWaitingBytes?: number;
	readonly expireEverySeconds?: number;
	/** Memory for pages of the database, in each of the two threads. */
	readonly cacheMegabytes?: number;
	/** The database grows no larger than this. */
	readonly maxSizeBytes?: number;
	/** With less free on its disk, the store says that it is not ready: writes would fail before long. */
	readonly minFreeBytes?: number;
	/** A database up to this size is read through and checked when it is opened; of a larger one only its head, length and log. */
	readonly checkMaxBytes?: number;
	/** Memory that JavaScript may take in each of the two threads. */
	readonly threadHeapMegabytes?: number;
	/**
	 * Hears what goes wrong where no caller waits: a listener that throws, a removal of what has expired.
	 * Without it, Node.js prints a warning of the process.
	 */
	readonly onFault?: (error: Error) => void;
	/** Told from time to time how many documents of a collection have come into its new indexes, while it is opened. */
	readonly onFilled?: (collection: string, documents: number) => void;
}

export interface SqliteStore extends DocumentStore {
	/** Removes what has expired now. Returns when it is done. */
	expire(): Promise<void>;
	/** The plan of a query, a line a step. */
	explain(collection: string, query: Query): Promise<string[]>;
}

const defaultMinFreeBytes = 64 * 1024 * 1024;
const defaultCheckMaxBytes = 1024 ** 3;

/** Whether a database was made in a directory. */
export function hasSqliteStore(directory: string): boolean {
	return existsSync(join(directory, databaseName));
}

/** Opens the embedded database. @throws StoreError when it is open elsewhere, damaged, or of a newer version. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
	const engines = await openEngines(options);
	return createStore(options, engines);
}

/** The writer's channel, the readers', and how much the database takes. */
interface Engines {
	readonly writer: Channel;
	readonly reader: Channel;
	readonly sizeBytes: () => number;
}

async function openEngines(options: SqliteStoreOptions): Promise<Engines> {
	const common = {
		kind: 'open',
		cacheKilobytes: (options.cacheMegabytes ?? 64) * 1024,
		maxSizeBytes: options.maxSizeBytes,
		checkMaxBytes: options.checkMaxBytes ?? defaultCheckMaxBytes,
	} as const;
	if (options.directory === ':memory:') {
		const channel = openLocalChannel();
		await channel.ask({ ...common, file: ':memory:', lockFile: undefined, readOnly: false });
		return { writer: channel, reader: channel, sizeBytes: () => 0 };
	}
	makeDirectory(options.directory);
	const file = join(options.directory, databaseName);
	const writer = openWorkerChannel('store-writer', options.threadHeapMegabytes, options.onFilled);
	const reader = openWorkerChannel('store-reader', options.threadHeapMegabytes);
	try {
		await writer.ask({ ...common, file, lockFile: join(options.directory, 'lock.db'), readOnly: false });
		await reader.ask({ ...common, file, lockFile: undefined, readOnly: true });
	} catch (error) {
		await Promise.all([writer.terminate(), reader.terminate()]);
		throw error;
	}
	return { writer, reader, sizeBytes: () => sizeOf(file) + sizeOf(`${file}-wal`) };
}

function createStore(options: SqliteStoreOptions, { writer, reader, sizeBytes }: Engines): SqliteStore {
	const collections = new Map<string, OpenCollection>();
	const opening = new Map<string, Promise<OpenCollection>>();
	const expiries = new Map<string, Expiry>();
	const onFault = options.onFault ?? ((error: Error) => process.emitWarning(error));
	let nextNumber = 0;
	const watchers = createWatchers({
		onWatched: (number, watched) => {
			// After the end nobody is told of anything.
			writer.ask({ kind: 'watch', number, watched }).catch(() => undefined);
		},
		onFault,
	});
	const reads = createReadQueue(reader);
	const writes = createWriteQueue({
		channel: writer,
		maxGroupSteps: options.maxGroupSteps ?? 1000,
		maxWaitingBatches: options.maxWaitingBatches ?? 50_000,
		maxWaitingBytes: options.maxWaitingBytes ?? 256 * 1024 * 1024,
		onChanges: watchers.publish,
	});
	let closed: Promise<void> | undefined;

	const open = async (layout: Layout): Promise<OpenCollection> => {
		const collection = { number: nextNumber++, layout, isUnique: layout.indexes.some((index) => index.unique) };
		await writer.ask({ kind: 'collection', number: collection.number, layout });
		collections.set(layout.name, collection);
		return collection;
	};

	/** Collections are opened once, however many ask. Names that differ by case alone are one table to SQLite. */
	const openOnce = (layout: Layout): Promise<OpenCollection> => {
		const key = layout.name.toLowerCase();
		const known = opening.get(key);
		if (known !== undefined) return known;
		const opened = open(layout);
		opening.set(key, opened);
		opened.catch(() => opening.delete(key));
		return opened;
	};

	const collection = async <T extends StoredDocument>(spec: CollectionSpec<T>): Promise<Collection<T>> => {
		if (closed !== undefined) throw new StoreError('the store is closed');
		const layout = layOut(spec);
		const opened = await openOnce(layout);
		if (JSON.stringify(opened.layout) !== JSON.stringify(layout)) {
			throw new StoreError(`the collection '${opened.layout.name}' is already open with another name or other indexes`);
		}
		if (spec.expire) expiries.set(layout.name, { collection: opened, ...spec.expire });
		return createCollection({ collection: opened, reads, writes, listen: (listener) => watchers.add(opened.number, listener) });
	};

	const read = async (query: Read) => JSON.parse(await reads.read(query));
	const expiry = startExpiry({
		expiries,
		writes,
		now: options.now,
		everySeconds: options.expireEverySeconds ?? 30,
		onFault,
	});

	const close = async (): Promise<void> => {
		const error = new StoreError('the store is closed');
		expiry.stop();
		writes.refuse(error);
		reads.refuse(error);
		await Promise.all([writes.drained(), reads.drained()]);
		try {
			if (reader !== writer && reader.isAlive()) await reader.ask({ kind: 'close' });
			if (writer.isAlive()) await writer.ask({ kind: 'close' });
		} finally {
			await Promise.all([writer.terminate(), reader.terminate()]);
		}
	};

	return {
		collection,
		unlessSilent: (work) => work(),
		batch: (steps) => writes.batch(steps.length, (cells) => encodeSteps(steps, collections, cells)),
		ping: async () => {
			await checkFreeSpace(options);
			await writes.batch(1, (cells) => {
				cells.push(stepCode.ping);
				return false;
			});
			await read({ shape: 'count', sql: 'SELECT count(*) FROM meta', params: [] });
		},
		statistics: async () => ({
			waitingBatches: writes.waitingBatches(),
			commits: writes.commits(),
			committedBatches: writes.committedBatches(),
			sizeBytes: sizeBytes(),
		}),
		failed: Promise.race([writer.died, reader.died]),
		close: () => {
			closed ??= close();
			return closed;
		},
		expire: expiry.run,
		explain: async (name, query) => {
			const open = collections.get(name);
			if (open === undefined) throw new StoreError(`the collection '${name}' is not open`);
			const { sql, params } = selectSql(open.layout, query);
			const rows: unknown[][] = await read({ shape: 'plan', sql: `EXPLAIN QUERY PLAN ${sql}`, params });
			return rows.map((row) => String(row[3]));
		},
	};
}

function sizeOf(file: string): number {
	return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

// A small write may succeed on a full disk, in room that the log has already.
async function checkFreeSpace({ directory, minFreeBytes = defaultMinFreeBytes }: SqliteStoreOptions): Promise<void> {
	if (directory === ':memory:') return;
	const { bavail, bsize } = await statfs(directory);
	const free = bavail * bsize;
	if (free < minFreeBytes) throw new StoreError(`the disk is nearly full: ${free} bytes are free, ${minFreeBytes} are needed`);
}
