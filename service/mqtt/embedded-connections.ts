import type { Client } from 'aedes';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics.ts';
import { createBacklog } from './backlog.ts';
import type { DeviceConnection } from './session.ts';
import { createUnacknowledged, type Unacknowledged } from './unacknowledged.ts';

/** What is sent to the clients of the embedded broker, each by itself, and what they acknowledge of it. */
export function createEmbeddedConnections(options: {
	readonly downlinkBufferMaxBytes: number;
	readonly addressOf: (client: Client) => string | undefined;
	readonly metrics: Metrics;
	readonly log: Logger;
}) {
	const { downlinkBufferMaxBytes, addressOf, metrics, log } = options;
	const unacknowledged = new WeakMap<Client, Unacknowledged>();
	/** The id of the packet that is being handed to the broker. */
	let publishedId = 0;

	function connectionOf(client: Client): DeviceConnection {
		const backlog = createBacklog(downlinkBufferMaxBytes);
		const connection: DeviceConnection = {
			publish(topic, payload, qos, done = ignore) {
				const packet = { cmd: 'publish' as const, topic, payload, qos, retain: false, dup: false };
				const written = backlog.add(Buffer.byteLength(payload) + topic.length);
				if (qos === 0) {
					client.publish(packet, (error) => {
						written();
						done(!error && !client.closed);
					});
					return;
				}
				const waiting = unacknowledged.get(client) ?? createUnacknowledged();
				unacknowledged.set(client, waiting);
				const messageId = waiting.add(done);
				if (messageId === undefined) {
					written();
					done(false);
					client.close();
					return;
				}
				publishedId = messageId;
				client.publish(packet, (error) => {
					written();
					if (error) waiting.settle(messageId, false);
				});
			},
			answer(topic, payload, qos) {
				if (backlog.isFull()) metrics.mqttDropped.inc();
				else connection.publish(topic, payload, qos);
			},
			isFull: backlog.isFull,
			room: backlog.room,
			close(reason) {
				log.debug({ address: addressOf(client), reason }, 'connection cut off');
				client.close();
			},
		};
		return connection;
	}

	return {
		connectionOf,
		/** The id that the packet has to have which the broker asks about. */
		publishedId: () => publishedId,
		/** The client has acknowledged a packet. */
		settle: (client: Client, messageId: number) => unacknowledged.get(client)?.settle(messageId, true),
		/** The client is gone: what it has not acknowledged it never will. */
		abandon: (client: Client) => unacknowledged.get(client)?.abandon(),
	};
}

function ignore(): void {}
