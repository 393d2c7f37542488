import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type DbOptions, GridFSBucket, MongoClient, MongoError, ObjectId, ReadConcern } from 'mongodb';
import {
	type ByteRange,
	type ContentStore,
	ContentStoreError,
	createContentDigest,
	type KeptContent,
	type StoredContent,
} from '../index.ts';

export interface GridFsContentsOptions {
	/** Address with the name of the database; it may hold a password, and is not shown. */
	readonly url: string;
	/** Wins over the one in the address. */
	readonly database?: string;
	/** How long a call waits for a server that can do it. */
	readonly timeoutMilliseconds: number;
	readonly connectTimeoutMilliseconds?: number;
	/** Between two looks at each server, by which a call hears that its server does not answer at all. */
	readonly heartbeatMilliseconds?: number;
	/** How long a call waits for its answer. */
	readonly socketTimeoutMilliseconds?: number;
	readonly maxPoolSize?: number;
}

const bucketName = 'contents';

/** Whoever hears of a content finds it, whatever the address says: there it would win over what the client is made with. */
const concerns: DbOptions = {
	writeConcern: { w: 'majority', journal: true },
	readConcern: new ReadConcern('majority'),
	readPreference: 'primary',
};

/** Opens the bucket `contents`. A content is there when its document in `contents.files` is; that is written last. */
export async function openGridFsContents(options: GridFsContentsOptions): Promise<ContentStore> {
	const client = createClient(options);
	try {
		await client.connect();
	} catch (error) {
		await client.close();
		throw error;
	}
	const database = client.db(options.database, concerns);
	const bucket = new GridFSBucket(database, { bucketName });
	const files = database.collection<{ _id: ObjectId; length: number }>(`${bucketName}.files`);
	const chunks = database.collection<{ files_id: ObjectId; n: number }>(`${bucketName}.chunks`);

	async function put(source: Readable): Promise<StoredContent> {
		const id = new ObjectId();
		const digest = createContentDigest();
		try {
			await pipeline(source, digest.tap, bucket.openUploadStreamWithId(id, id.toHexString()));
		} catch (error) {
			// Whatever stays now is found among the leftovers.
			await Promise.allSettled([removeAll(id)]);
			throw toStoreError(error);
		}
		return { key: id.toHexString(), ...digest.finish() };
	}

	async function open(key: string, range?: ByteRange): Promise<Readable> {
		const id = idOf(key);
		const found = id && (await answer(files.findOne({ _id: id }, { projection: { length: 1 } })));
		if (!id || !found) throw new ContentStoreError('missing', `there is no content '${key.slice(0, 120)}'`);
		if (found.length === 0) return Readable.from([]);
		return bucket.openDownloadStream(id, range && { start: range.start, end: range.end + 1 });
	}

	async function remove(key: string): Promise<void> {
		const id = idOf(key);
		if (id) await answer(removeAll(id));
	}

	/** Also what has lost its document, or never got one. */
	async function removeAll(id: ObjectId): Promise<void> {
		await files.deleteOne({ _id: id });
		await chunks.deleteMany({ files_id: id });
	}

	async function* list(): AsyncGenerator<KeptContent> {
		// Chunks of what was never finished have no document, and an empty content has no chunks. One at a time, by their index:
		// no single question looks at all chunks.
		const next = (after?: ObjectId) =>
			chunks.findOne(after ? { files_id: { $gt: after } } : {}, {
				sort: { files_id: 1, n: 1 },
				projection: { _id: 0, files_id: 1 },
			});
		for (let found = await next(); found; found = await next(found.files_id)) yield keptOf(found.files_id);
		for await (const { _id } of files.find({ length: 0 }, { projection: { _id: 1 } })) yield keptOf(_id);
	}

	return { put, open, remove, list, close: () => client.close() };
}

// The driver's words about an address may hold a piece of it, so they are not passed on.
function createClient({ url, timeoutMilliseconds, maxPoolSize = 100, ...options }: GridFsContentsOptions): MongoClient {
	try {
		return new MongoClient(url, {
			serverSelectionTimeoutMS: timeoutMilliseconds,
			waitQueueTimeoutMS: timeoutMilliseconds,
			connectTimeoutMS: options.connectTimeoutMilliseconds ?? 10_000,
			heartbeatFrequencyMS: options.heartbeatMilliseconds ?? 2000,
			socketTimeoutMS: options.socketTimeoutMilliseconds ?? 60_000,
			maxPoolSize,
			retryWrites: true,
		});
	} catch {
		throw new Error("the address of the database is none that MongoDB's driver understands");
	}
}

function keptOf(id: ObjectId): KeptContent {
	return { key: id.toHexString(), writtenAt: id.getTimestamp().getTime() };
}

function idOf(key: string): ObjectId | undefined {
	return /^[0-9a-f]{24}$/.test(key) ? new ObjectId(key) : undefined;
}

async function answer<T>(work: Promise<T>): Promise<T> {
	return work.catch((error: unknown) => {
		throw toStoreError(error);
	});
}

function toStoreError(error: unknown): unknown {
	if (!(error instanceof MongoError)) return error;
	// 14031: OutOfDiskSpace.
	return new ContentStoreError(error.code === 14_031 ? 'full' : 'unavailable', error.message, { cause: error });
}
