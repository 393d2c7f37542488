import { Readable } from 'node:stream';
import { type ByteRange, type ContentStore, ContentStoreError, type Step, type StoredContent } from '../store/index.ts';
import { type BinaryFacts, type BinaryRecords, referenceSteps } from './binary-records.ts';
import { InventoryError } from './inventory-error.ts';
import type { ManagedObject, ManagedObjectId, ObjectPatch } from './managed-object.ts';
import type { ManagedObjects } from './managed-objects.ts';

export interface BinaryLimits {
	/** Bytes of one binary. */
	readonly maxBytes: number;
	/** Bytes of all different binaries of one tenant; 0 stands for no limit. */
	readonly tenantMaxBytes: (tenant: string) => Promise<number>;
	/** How old, in milliseconds, bytes without an object must be to be taken for what an ended process left. */
	readonly leftoverAfterMilliseconds: number;
}

export interface BinariesOptions {
	readonly inventory: { readonly objects: ManagedObjects; readonly binaryRecords: BinaryRecords };
	readonly contents: ContentStore;
	/** Milliseconds since 1970. */
	readonly clock: () => number;
	readonly limits: BinaryLimits;
}

/** Bytes that were stored and that no object has yet. */
export type ReceivedBytes = StoredContent;
/** A part of the bytes: positions of the first and the last one. */
export type BinaryRange = ByteRange;

/** A managed object that has bytes. */
export type BinaryObject = ManagedObject & { readonly binary: BinaryFacts };

/** What has bytes, by the id under which clients know it. */
export interface WithBytes {
	readonly id: string;
	readonly binary: BinaryFacts;
}

/** What is to become of received bytes. */
export interface NewBinary {
	readonly owner: string;
	readonly patch: ObjectPatch;
	readonly contentType: string;
}

export type Binaries = ReturnType<typeof openBinaries>;

/**
 * Managed objects with bytes. Equal bytes are kept once, whoever has them. The bytes are durable before the object is written;
 * what is kept without need is removed by `sweep` and `sweepLeftovers`, which any number of processes may call at any time.
 */
export function openBinaries({ inventory, contents, clock, limits }: BinariesOptions) {
	const { objects, binaryRecords: records } = inventory;
	/** The last write of each tenant with a limit: each has to see what the one before it used. */
	const writing = new Map<string, Promise<unknown>>();
	let isSweepNeeded = true;
	let isClosed = false;
	const stopWatching = records.watchRemovals(() => {
		isSweepNeeded = true;
	});

	/**
	 * Refuses what cannot fit, before it is read.
	 * @throws InventoryError `binary/tooLarge`, `binary/quotaExceeded`
	 */
	async function checkRoom(tenant: string, bytes: number): Promise<void> {
		if (bytes > limits.maxBytes) throw tooLarge(limits.maxBytes);
		if (bytes > (await roomOf(tenant))) throw quotaExceeded();
	}

	async function roomOf(tenant: string): Promise<number> {
		const most = await limits.tenantMaxBytes(tenant);
		return most === 0 ? Number.POSITIVE_INFINITY : most - (await records.usedBytes(tenant));
	}

	/**
	 * Stores bytes that no object has yet: they have to be given to `create`, `replace` or `discard`.
	 * @throws InventoryError `binary/tooLarge`, `binary/quotaExceeded`; ContentStoreError
	 */
	async function receive(tenant: string, source: Readable): Promise<ReceivedBytes> {
		const room = await roomOf(tenant);
		if (source.destroyed) throw source.errored ?? new Error('The bytes ended before they could be read');
		const limited = Readable.from(limit(source, room), { objectMode: false });
		return contents.put(limited);
	}

	async function* limit(source: Readable, room: number): AsyncGenerator<Uint8Array> {
		let received = 0;
		for await (const bytes of source) {
			received += bytes.length;
			if (received > limits.maxBytes) throw tooLarge(limits.maxBytes);
			if (received > room) throw quotaExceeded();
			yield bytes;
		}
	}

	/** Removes received bytes that no object got. */
	async function discard({ key }: ReceivedBytes): Promise<void> {
		await contents.remove(key);
	}

	/**
	 * A new object for received bytes.
	 * @throws InventoryError `binary/quotaExceeded`, `inventory/invalid`, `inventory/tooLarge`; the bytes are gone then
	 */
	async function create(tenant: string, { owner, patch, contentType }: NewBinary, stored: ReceivedBytes): Promise<BinaryObject> {
		return give(tenant, stored, async () => {
			for (let attempt = 1; ; attempt++) {
				const binary = await changeFor(stored, contentType);
				try {
					const object = await objects.create(tenant, { owner, patch: { ...patch, binary } });
					if (object) return requireBinary(object, object.id);
				} catch (error) {
					// Equal bytes were known and went in the meantime.
					if (!isNotFound(error) || attempt === maxAttempts) throw error;
				}
			}
		});
	}

	/**
	 * Gives other bytes to an object. `isExpected` sees the object that they would replace, and refuses by throwing.
	 * @throws InventoryError `inventory/notFound`, `binary/quotaExceeded`, `inventory/conflict`; the received bytes are gone then
	 */
	async function replace(
		tenant: string,
		id: ManagedObjectId,
		{ contentType, isExpected }: { readonly contentType: string; readonly isExpected: (present: BinaryObject) => void },
		stored: ReceivedBytes,
	): Promise<BinaryObject> {
		return give(tenant, stored, async () => {
			const object = await objects.change(tenant, id, async (present) => {
				isExpected(requireBinary(present, id));
				return { fragments: {}, binary: await changeFor(stored, contentType) };
			});
			return requireBinary(object, id);
		});
	}

	/**
	 * Gives received bytes to what is no managed object, under the id of its reference. `write` stores it with these steps in one
	 * batch, and answers undefined where that failed: then it is asked again. What it throws is passed on, with the bytes still there.
	 * @throws InventoryError `binary/quotaExceeded`, `inventory/conflict`; the bytes are gone then
	 */
	async function attach<T>(
		reference: { readonly id: string; readonly tenant: string },
		contentType: string,
		stored: ReceivedBytes,
		write: (facts: BinaryFacts, steps: readonly Step[]) => Promise<T | undefined>,
	): Promise<T> {
		const { id, tenant } = reference;
		return give(tenant, stored, async () => {
			for (let attempt = 0; attempt < maxAttempts; attempt++) {
				const change = await changeFor(stored, contentType);
				const written = await write(change.facts, referenceSteps(id, tenant, change));
				if (written !== undefined) return written;
			}
			throw new InventoryError('inventory/conflict', 'What the file is for was changed again and again: try once more');
		});
	}

	async function changeFor({ sha256, length, key }: ReceivedBytes, contentType: string) {
		const facts: BinaryFacts = { sha256, length, contentType, since: clock() };
		return (await records.findKey(sha256)) === undefined ? { facts, newKey: key } : { facts };
	}

	async function give<T>(tenant: string, stored: ReceivedBytes, write: () => Promise<T>): Promise<T> {
		try {
			const object = await inTurn(tenant, async () => {
				await checkRoom(tenant, stored.length);
				return write();
			});
			// Equal bytes that were there before are kept instead.
			if ((await records.findKey(stored.sha256)) !== stored.key) await discard(stored);
			return object;
		} catch (error) {
			// A write whose outcome is unknown may have taken the bytes.
			if (error instanceof InventoryError) await discard(stored);
			throw error;
		}
	}

	async function inTurn<T>(tenant: string, work: () => Promise<T>): Promise<T> {
		if ((await limits.tenantMaxBytes(tenant)) === 0) return work();
		const before = writing.get(tenant) ?? Promise.resolve();
		const turn = before.then(work, work);
		writing.set(tenant, turn);
		try {
			return await turn;
		} finally {
			if (writing.get(tenant) === turn) writing.delete(tenant);
		}
	}

	/** @throws InventoryError `inventory/notFound` for an object without bytes, too */
	async function get(tenant: string, id: ManagedObjectId): Promise<BinaryObject> {
		return requireBinary(await objects.get(tenant, id), id);
	}

	/**
	 * The bytes of an object, or a part of them.
	 * @throws InventoryError `inventory/notFound` when it lost these bytes in the meantime; ContentStoreError
	 */
	async function open({ id, binary }: WithBytes, range?: BinaryRange): Promise<Readable> {
		return withKey(id, binary, (key) => contents.open(key, range));
	}

	/** An address for a direct download, where the engine has such. */
	async function link({ id, binary }: WithBytes, contentDisposition: string): Promise<string | undefined> {
		const address = contents.link;
		if (!address) return undefined;
		return withKey(id, binary, (key) => address(key, { contentType: binary.contentType, contentDisposition }));
	}

	async function withKey<T>(id: string, { sha256 }: BinaryFacts, use: (key: string) => Promise<T>): Promise<T> {
		const key = await records.findKey(sha256);
		if (key === undefined) throw notFound(id);
		try {
			return await use(key);
		} catch (error) {
			const isGone = error instanceof ContentStoreError && error.fault === 'missing';
			if (isGone && (await records.findKey(sha256)) !== key) throw notFound(id);
			throw error;
		}
	}

	/** Removes the bytes that no object has any more, where any were let go since the last time. Returns how many contents went. */
	async function sweep(): Promise<number> {
		if (!isSweepNeeded) return 0;
		isSweepNeeded = false;
		let removed = 0;
		try {
			for await (const key of records.takeUnneeded()) {
				await contents.remove(key);
				removed++;
			}
		} catch (error) {
			isSweepNeeded = true;
			throw error;
		}
		return removed;
	}

	/**
	 * Removes bytes that ended processes left: known to no record, and old, or from before `start` where no other process can be
	 * writing any. Returns how many.
	 */
	async function sweepLeftovers(start?: number): Promise<number> {
		const before = start ?? clock() - limits.leftoverAfterMilliseconds;
		let removed = 0;
		for await (const { key, writtenAt } of contents.list()) {
			// The next start goes on.
			if (isClosed) break;
			if (writtenAt >= before || (await records.isRecorded(key))) continue;
			await contents.remove(key);
			removed++;
		}
		// What another process let go was not heard of here.
		isSweepNeeded = true;
		return removed;
	}

	function close(): void {
		isClosed = true;
		stopWatching();
	}

	return { checkRoom, receive, discard, create, replace, attach, get, open, link, sweep, sweepLeftovers, close };
}

const maxAttempts = 10;

export function isBinary(object: ManagedObject): object is BinaryObject {
	return object.binary !== undefined;
}

function requireBinary(object: ManagedObject, id: ManagedObjectId): BinaryObject {
	if (!isBinary(object)) throw notFound(id);
	return object;
}

function isNotFound(error: unknown): boolean {
	return error instanceof InventoryError && error.code === 'inventory/notFound';
}

function notFound(id: string): InventoryError {
	return new InventoryError('inventory/notFound', `No binary for id '${id}'`);
}

function tooLarge(maxBytes: number): InventoryError {
	return new InventoryError('binary/tooLarge', `The file is too large: at most ${maxBytes} bytes are stored`);
}

function quotaExceeded(): InventoryError {
	return new InventoryError(
		'binary/quotaExceeded',
		'The tenant has no room for this file: remove binaries, or ask for a higher limit of storage',
	);
}
