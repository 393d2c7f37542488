import {
	type Change,
	type Collection,
	type CollectionSpec,
	type DocumentStore,
	DuplicateKeyError,
	type Step,
} from '../store/index.ts';
import { InventoryError } from './inventory-error.ts';

/** Who has the connection of a device. */
export interface ConnectionRecord {
	/** Tenant and serial. */
	readonly _id: string;
	readonly process: string;
	readonly session: string;
	/** Sessions that had it before in other processes and may have messages to handle still, each with its process. */
	readonly waitsFor: Readonly<Record<string, string>>;
	/** How many those are. */
	readonly waits: number;
}

/** One connection of a device: a process, and a name for the session that no other has. Letters and digits: both are field names. */
export interface ConnectionOwner {
	readonly process: string;
	readonly session: string;
}

export const connectionSpec: CollectionSpec<ConnectionRecord> = {
	name: 'connections',
	indexes: [
		{ name: 'byProcess', keys: ['process', '_id'] },
		{ name: 'byWaits', keys: ['waits'] },
	],
	ofProcesses: true,
};
const maxWaits = 20;
const maxAttempts = 100;
const pageSize = 500;

export type DeviceConnections = Awaited<ReturnType<typeof openDeviceConnections>>;

/** Which process has the connection of each device, so that a device has one and its messages stay in order. */
export async function openDeviceConnections({ store }: { readonly store: DocumentStore }) {
	const connections: Collection<ConnectionRecord> = await store.collection(connectionSpec);

	/**
	 * Makes a session the one of its device; a session of another process that was it before is waited for. Returns the record, and
	 * the session of the same process that was displaced.
	 * @throws InventoryError `inventory/conflict` when too many are waited for, or others are always faster
	 */
	async function claim(
		id: string,
		owner: ConnectionOwner,
	): Promise<{ readonly record: ConnectionRecord; readonly displaced: ConnectionOwner | undefined }> {
		for (let attempt = 0; attempt < maxAttempts; attempt++) {
			const before = await connections.get(id);
			if (before && before.waits >= maxWaits) break;
			const record = before ? await displace(before, owner) : await insert({ _id: id, ...owner, waitsFor: {}, waits: 0 });
			if (record) return { record, displaced: before };
		}
		throw new InventoryError('inventory/conflict', `Too many connections of '${id}' follow each other: try again later`);
	}

	async function insert(record: ConnectionRecord): Promise<ConnectionRecord | undefined> {
		try {
			await connections.insert(record);
			return record;
		} catch (error) {
			if (error instanceof DuplicateKeyError) return undefined;
			throw error;
		}
	}

	async function displace(
		{ _id, process, session }: ConnectionRecord,
		owner: ConnectionOwner,
	): Promise<ConnectionRecord | undefined> {
		const isOther = process !== owner.process;
		return connections.findOneAndUpdate(
			{ _id, session },
			{
				$set: { ...owner, ...(isOther && { [`waitsFor.${session}`]: process }) },
				...(isOther && { $inc: { waits: 1 } }),
			},
		);
	}

	/** A session that is waited for has handled everything, or never will. Returns the record as it is then, if that changed it. */
	async function clear(id: string, session: string): Promise<ConnectionRecord | undefined> {
		const field = `waitsFor.${session}`;
		return connections.findOneAndUpdate({ _id: id, [field]: { $exists: true } }, { $unset: [field], $inc: { waits: -1 } });
	}

	/** The session has ended: removes the record where it is still its own and waits for nobody. Tells whether it did. */
	async function release(id: string, session: string): Promise<boolean> {
		const outcome = await store.batch([
			{ kind: 'require', collection: connectionSpec.name, id, where: { session, waits: 0 } },
			{ kind: 'remove', collection: connectionSpec.name, id },
		]);
		return outcome.ok;
	}

	async function find(id: string): Promise<ConnectionRecord | undefined> {
		return connections.get(id);
	}

	/** All in which somebody is waited for. */
	function listWaiting(): AsyncIterable<ConnectionRecord> {
		return connections.scan({ waits: { $gt: 0 } });
	}

	/** Removes the records of a process that is gone, a bounded number at a time; those in which others are waited for are returned. */
	async function removeOf(process: string): Promise<ConnectionRecord[]> {
		const left: ConnectionRecord[] = [];
		let steps: Step[] = [];
		const flush = async () => {
			if (steps.length > 0) await store.batch(steps);
			steps = [];
		};
		for await (const record of connections.scan({ process })) {
			const { _id, session } = record;
			if (record.waits > 0) left.push(record);
			// Somebody may have claimed it meanwhile.
			else steps.push({ kind: 'removeWhere', collection: connectionSpec.name, filter: { _id, session, waits: 0 } });
			if (steps.length >= pageSize) await flush();
		}
		await flush();
		return left;
	}

	/** Calls back with each record that was written; `onGap` when some may have been missed. */
	function watch(listener: (record: ConnectionRecord) => void, onGap: () => void): () => void {
		return connections.watch((changes: readonly Change<ConnectionRecord>[]) => {
			for (const { document } of changes) if (document) listener(document);
		}, onGap);
	}

	return { claim, clear, release, find, listWaiting, removeOf, watch };
}
