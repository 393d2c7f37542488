import type { Change, Collection, CollectionSpec, DocumentStore, StoredDocument } from '../store/index.ts';
import { deviceKey } from './device-key.ts';

/** A device that is reached through an outside broker, as it was last seen there. */
export interface BridgedDevice extends StoredDocument {
	readonly tenant: string;
	readonly serial: string;
	/** Names the device's topics at the broker. */
	readonly clientId: string;
	/** The part of the work that serves it. */
	readonly partition: number;
	/** False once the broker has said that it is gone. */
	readonly connected: boolean;
	/** It uses JSON topics, so it may listen for operations as JSON. */
	readonly json: boolean;
}

interface Layout extends StoredDocument {
	readonly partitions: number;
}

export type BridgedDevices = Awaited<ReturnType<typeof openBridgedDevices>>;

const spec: CollectionSpec<BridgedDevice> = {
	name: 'bridgedDevices',
	indexes: [{ name: 'byPartition', keys: ['partition', '_id'] }],
};
const layoutSpec: CollectionSpec<Layout> = { name: 'bridgeLayouts', indexes: [] };

/** Everything that is stored of them. */
export const bridgeCollections: readonly CollectionSpec<StoredDocument>[] = [spec, layoutSpec];

/** Remembers which devices are reached through an outside broker, so that operations reach them after a restart, too. */
export async function openBridgedDevices({ store }: { readonly store: DocumentStore }) {
	const devices: Collection<BridgedDevice> = await store.collection(spec);
	const layouts = await store.collection(layoutSpec);

	/** The number of partitions that holds from now on: that of the first who asked. */
	async function fixPartitions(partitions: number): Promise<number> {
		const document: Layout = { _id: 'layout', partitions };
		await store.batch([{ kind: 'insert', collection: layoutSpec.name, document }]);
		return (await layouts.get('layout'))?.partitions ?? partitions;
	}

	async function find(tenant: string, serial: string): Promise<BridgedDevice | undefined> {
		return devices.get(deviceKey(tenant, serial));
	}

	async function remember(device: Omit<BridgedDevice, '_id'>): Promise<void> {
		const document: BridgedDevice = { _id: deviceKey(device.tenant, device.serial), ...device };
		await store.batch([{ kind: 'put', collection: spec.name, document }]);
	}

	/** Notes whether a device is there; false, and nothing, for one that is not known. */
	async function setConnected(tenant: string, serial: string, connected: boolean): Promise<boolean> {
		return (await devices.findOneAndUpdate({ _id: deviceKey(tenant, serial) }, { $set: { connected } })) !== undefined;
	}

	/** A page of the devices of a partition that may be there, in the order of their ids. */
	async function listOf(partition: number, after: string, limit: number): Promise<BridgedDevice[]> {
		return devices.find({ filter: { partition, _id: { $gt: after } }, sort: [['_id', 1]], limit });
	}

	/** Tells of devices that were seen elsewhere, by whichever process. May miss some. */
	function watch(onSeen: (device: BridgedDevice) => void): () => void {
		return devices.watch((changes: readonly Change<BridgedDevice>[]) => {
			for (const { document } of changes) if (document) onSeen(document);
		});
	}

	return { fixPartitions, find, remember, setConnected, listOf, watch };
}
