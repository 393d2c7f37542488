import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Access } from '../access/index.ts';
import type { Config } from '../config/index.ts';
import { openBridgedDevices } from '../inventory/index.ts';
import { type DocumentStore, openLeases, openMembers } from '../store/index.ts';
import type { Metrics } from './metrics.ts';
import { type Bridge, type Gateway, openBridge, readBrokerAddress } from './mqtt/index.ts';

/** Connects to the outside broker of the configuration; `undefined` when it names none. */
export async function openOutsideBroker(options: {
	readonly config: Config;
	readonly store: DocumentStore;
	readonly gateway: Gateway;
	readonly access: Access;
	readonly metrics: Metrics;
	readonly log: Logger;
	readonly elapsed: () => number;
}): Promise<Bridge | undefined> {
	const { config, store, elapsed } = options;
	const { bridge, mqtt } = config;
	if (bridge.url === undefined) return undefined;
	const address = await readBrokerAddress(bridge.url.reveal(), bridge);
	const leaseMilliseconds = bridge.leaseSeconds * 1000;
	const holder = randomUUID();
	return openBridge({
		...options,
		...bridge,
		address,
		devices: await openBridgedDevices({ store }),
		leases: await openLeases({ store, holder, elapsed, leaseMilliseconds }),
		members: await openMembers({ store, group: 'bridge', holder, elapsed, silentMilliseconds: leaseMilliseconds }),
		leaseMilliseconds,
		// Less than a lease, which is not renewed meanwhile.
		graceMilliseconds: Math.min(config.server.shutdownGraceSeconds * 1000, leaseMilliseconds / 2),
		first: Number.parseInt(holder.slice(0, 4), 16),
		limits: {
			unacknowledgedMaxMessages: bridge.unacknowledgedMaxMessages,
			sessionExpirySeconds: bridge.sessionExpirySeconds,
			reconnectMaxSeconds: bridge.reconnectMaxSeconds,
			packetMaxBytes: mqtt.packetMaxBytes,
			connectTimeoutSeconds: mqtt.connectTimeoutSeconds,
			downlinkBufferMaxBytes: mqtt.downlinkBufferMaxBytes,
		},
	});
}
