import type { Logger } from 'pino';
import type { Access } from '../access/index.ts';
import type { Config } from '../config/index.ts';
import type { BridgedDevices, Inventory } from '../inventory/index.ts';
import type { DocumentStore, Leases } from '../store/index.ts';
import type { Metrics } from './metrics.ts';
import { type Bridge, createPresenceNotes, type Gateway, openBridge, readBrokerAddress } from './mqtt/index.ts';

export type OutsideBroker = Awaited<ReturnType<typeof openOutsideBroker>>;

/** Connects to the outside broker of the configuration; `undefined` when it names none. */
export async function openOutsideBroker(options: {
	readonly config: Config;
	readonly store: DocumentStore;
	readonly bridgedDevices: BridgedDevices | undefined;
	readonly gateway: Gateway;
	readonly access: Access;
	readonly inventory: Inventory;
	/** Milliseconds since 1970. */
	readonly clock: () => number;
	readonly metrics: Metrics;
	readonly log: Logger;
	readonly elapsed: () => number;
	readonly leases: Leases;
	/** A name that no other process has. */
	readonly processId: string;
	/** How many processes there are, with this one. */
	readonly processes: () => number;
}): Promise<Bridge | undefined> {
	const { config, store, bridgedDevices, processId } = options;
	const { bridge, mqtt } = config;
	if (bridge.url === undefined || !bridgedDevices) return undefined;
	const address = await readBrokerAddress(bridge.url.reveal(), bridge);
	const leaseMilliseconds = config.processes.leaseSeconds * 1000;
	const notePresence = createPresenceNotes(options);
	return openBridge({
		...options,
		...bridge,
		address,
		devices: bridgedDevices,
		notePresence: (...presence) => store.unlessSilent(() => notePresence(...presence)),
		leaseMilliseconds,
		isStoreWell: () =>
			store.ping().then(
				() => true,
				() => false,
			),
		first: Number.parseInt(processId.slice(0, 4), 16),
		limits: {
			partitionDevicesMax: bridge.partitionDevicesMax,
			unacknowledgedMaxMessages: bridge.unacknowledgedMaxMessages,
			sessionExpirySeconds: bridge.sessionExpirySeconds,
			reconnectMaxSeconds: bridge.reconnectMaxSeconds,
			packetMaxBytes: mqtt.packetMaxBytes,
			connectTimeoutSeconds: mqtt.connectTimeoutSeconds,
			downlinkBufferMaxBytes: mqtt.downlinkBufferMaxBytes,
		},
	});
}
