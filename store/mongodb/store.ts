import { AsyncLocalStorage } from 'node:async_hooks';
import type { Db } from 'mongodb';
import { checkSpec } from '../collection-spec.ts';
import {
	type BatchOutcome,
	type Collection,
	type CollectionSpec,
	type DocumentStore,
	type Query,
	type Step,
	type StoredDocument,
	StoreError,
} from '../document-store.ts';
import { createApplier } from './apply-batches.ts';
import { createSingleApplier } from './apply-single.ts';
import { createCollection } from './collection.ts';
import { type Connection, type ConnectionOptions, connect } from './connection.ts';
import { ensureCollection } from './ensure-collection.ts';
import { type Expiry, startExpiry } from './expiry.ts';
import { SilenceError, toStoreError } from './explain-error.ts';
import { explainQuery, type QueryPlan } from './explain-query.ts';
import { prepareBatch, type Row } from './prepare-step.ts';
import { createTransactions } from './transaction.ts';
import { createTransactionSessions } from './transaction-sessions.ts';
import { createWatchers } from './watchers.ts';
import { createWriteQueue, type WriteQueue } from './write-queue.ts';

export interface MongoStoreOptions extends ConnectionOptions {
	/** Milliseconds since 1970, for what expires. */
	readonly now: () => number;
	/** Steps that share a transaction; a larger batch has one of its own. */
	readonly maxGroupSteps?: number;
	/** Bytes that share a transaction; a larger batch has one of its own. */
	readonly maxGroupBytes?: number;
	/** Groups that are written at a time. */
	readonly maxGroupsInFlight?: number;
	/** Batches that may wait, and reads; more are refused with StoreError. */
	readonly maxWaitingBatches?: number;
	/** Bytes of batches that may wait; more are refused with StoreError. */
	readonly maxWaitingBytes?: number;
	/** How long a transaction is tried again that others are in the way of. */
	readonly transactionTimeoutMilliseconds?: number;
	/** Transactions of a process that was not heard of for so long are ended, and it ends what it writes `unlessSilent`. */
	readonly silentMilliseconds?: number;
	readonly expireEverySeconds?: number;
	/**
	 * Hears what goes wrong where no caller waits: a listener that throws, a broken stream of changes.
	 * Without it, Node.js prints a warning of the process.
	 */
	readonly onFault?: (error: Error) => void;
}

export interface MongoStore extends DocumentStore {
	/** Hosts and database, without credentials. */
	readonly name: string;
	/** Removes what has expired now. Returns when it is done. */
	expire(): Promise<void>;
	/** Runs a query for its plan; with a `hint`, over the index of that name. */
	explain(collection: string, query: Query, hint?: string): Promise<QueryPlan>;
}

/** Spec names are letters only, so nobody else has this collection. */
const pingCollection = '_ping';
const sizeIsGoodForMilliseconds = 5000;

/** Opens a database of a MongoDB replica set. @throws StoreError when it cannot be reached, or is none. */
export async function openMongoStore(options: MongoStoreOptions): Promise<MongoStore> {
	return createStore(options, await connect(options));
}

function createStore(options: MongoStoreOptions, { client, db, endpoint }: Connection): MongoStore {
	const collections = new Map<string, { readonly spec: string; readonly opened: Promise<void> }>();
	const expiries = new Map<string, Expiry>();
	const onFault = options.onFault ?? ((error: Error) => process.emitWarning(error));
	const explain = (error: unknown): Error => toStoreError(error, endpoint);
	const sessions = createTransactionSessions({ client, db, silentMilliseconds: options.silentMilliseconds ?? 15_000, onFault });
	const transact = createTransactions({ sessions, timeoutMilliseconds: options.transactionTimeoutMilliseconds ?? 60_000 });
	const maxWaiting = options.maxWaitingBatches ?? 50_000;
	const queue = createWriteQueue({
		together: createApplier(db, transact),
		single: createSingleApplier(db),
		maxGroupSteps: options.maxGroupSteps ?? 1000,
		maxGroupBytes: options.maxGroupBytes ?? 8 * 1024 * 1024,
		maxGroupsInFlight: options.maxGroupsInFlight ?? 4,
		maxWaitingBatches: maxWaiting,
		maxWaitingBytes: options.maxWaitingBytes ?? 256 * 1024 * 1024,
		isOver: sessions.isOver,
		explain,
	});
	const scopes = new AsyncLocalStorage<{ era: number | undefined }>();
	/** What is written within `unlessSilent` belongs to its era. */
	const writes: WriteQueue = {
		...queue,
		batch: async (batch) => {
			const era = scopes.getStore()?.era;
			return queue.batch(era === undefined ? batch : { ...batch, era });
		},
		alone: (claims, bytes, write) => queue.alone(claims, bytes, write, scopes.getStore()?.era),
	};
	const watchers = createWatchers({ db, onFault });
	const expiry = startExpiry({ db, expiries, now: options.now, everySeconds: options.expireEverySeconds ?? 30, onFault });
	const size = createSizeProbe(db);
	const reads = new Set<Promise<unknown>>();
	let closed: Promise<void> | undefined;
	let pinging: Promise<void> | undefined;

	const read = async <T>(work: () => Promise<T>): Promise<T> => {
		if (closed !== undefined) throw new StoreError('the store is closed');
		if (reads.size >= maxWaiting) throw new StoreError(`the store is busy: ${reads.size} reads are waiting`);
		const reading = work();
		reads.add(reading);
		try {
			return await reading;
		} catch (error) {
			throw explain(error);
		} finally {
			reads.delete(reading);
		}
	};

	/** Collections are opened once, however many ask. */
	const openOnce = <T extends StoredDocument>(spec: CollectionSpec<T>): Promise<void> => {
		const text = JSON.stringify({ ...spec, version: undefined });
		const known = collections.get(spec.name);
		if (known !== undefined && known.spec !== text) {
			throw new StoreError(`the collection '${spec.name}' is already open with other indexes`);
		}
		if (known !== undefined) return known.opened;
		const opened = read(() => ensureCollection(db, spec));
		collections.set(spec.name, { spec: text, opened });
		opened.catch(() => collections.delete(spec.name));
		return opened;
	};

	const collection = async <T extends StoredDocument>(spec: CollectionSpec<T>): Promise<Collection<T>> => {
		if (closed !== undefined) throw new StoreError('the store is closed');
		checkSpec(spec);
		await openOnce(spec);
		if (spec.expire) expiries.set(spec.name, { collection: spec.name, ...spec.expire });
		return createCollection({
			rows: db.collection<Row>(spec.name),
			writes,
			read,
			listen: (listener, onGap) => watchers.add(spec.name, listener, onGap),
		});
	};

	const batch = async (steps: readonly Step[]): Promise<BatchOutcome> => {
		return writes.batch(prepareBatch(steps, (name) => collections.has(name)));
	};

	const unlessSilent = async <T>(work: () => Promise<T>): Promise<T> => {
		const era = sessions.era();
		if (era === undefined) throw new SilenceError();
		const scope: { era: number | undefined } = { era };
		const result = await scopes.run(scope, work);
		// What it has begun that goes on, such as timers and feeds, has nothing to do with what it wrote.
		scope.era = undefined;
		return result;
	};

	const close = async (): Promise<void> => {
		writes.refuse(new StoreError('the store is closed'));
		await Promise.all([expiry.stop(), watchers.close(), writes.drained(), Promise.allSettled(reads)]);
		await sessions.close();
		await client.close();
	};

	return {
		name: endpoint.name,
		collection,
		batch,
		unlessSilent,
		ping: () => {
			pinging ??= read(async () => {
				const pings = db.collection<Row>(pingCollection);
				await pings.updateOne({ _id: 'ping' }, { $inc: { count: 1 } }, { upsert: true });
				await pings.findOne({ _id: 'ping' });
			}).finally(() => {
				pinging = undefined;
			});
			// Under load the ping waits behind all others; what is committed meanwhile proves as much.
			return Promise.race([pinging, queue.nextCommit()]);
		},
		statistics: async () => ({ ...writes.figures(), sizeBytes: await read(size) }),
		// The driver reconnects for as long as it is open.
		failed: new Promise(() => {}),
		close: () => {
			closed ??= close();
			return closed;
		},
		expire: () => read(expiry.run),
		explain: (name, query, hint) => read(() => explainQuery(db.collection<Row>(name), query, hint)),
	};
}

/** How much room the database takes; the question costs the server something, so the answer is kept for a while. */
function createSizeProbe(db: Db): () => Promise<number> {
	let known: { readonly at: number; readonly bytes: number } | undefined;
	return async () => {
		if (known && performance.now() - known.at < sizeIsGoodForMilliseconds) return known.bytes;
		const { storageSize, indexSize } = await db.stats();
		known = { at: performance.now(), bytes: Number(storageSize) + Number(indexSize) };
		return known.bytes;
	};
}
