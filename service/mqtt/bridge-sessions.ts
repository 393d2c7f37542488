import type { Logger } from 'pino';
import type { Metrics } from '../metrics.ts';
import { type BridgeDevice, createBridgeSession } from './bridge-device.ts';
import type { BrokerLink } from './broker-link.ts';
import type { Gateway } from './gateway.ts';
import type { DeviceConnection, Session } from './session.ts';

const staticTopic = 's/ds';
const notificationTopic = 'devicecontrol/notifications';

export type BridgeSessions = ReturnType<typeof createBridgeSessions>;

/** Sessions of devices at an outside broker, which nobody opens and closes there: one lasts while its device is taken to be there. */
export function createBridgeSessions(options: {
	readonly gateway: Gateway;
	readonly link: Pick<BrokerLink, 'publish' | 'isFull' | 'room'>;
	/** The host name of the broker. */
	readonly host: string;
	readonly topicRoot: string;
	readonly jsonOperations: 'learned' | 'always' | 'never';
	/** Whether the devices are served here still. */
	readonly isServed: () => boolean;
	/** Whether operations may go out yet. */
	readonly mayDeliver: () => boolean;
	readonly metrics: Metrics;
	readonly log: Logger;
}) {
	const { gateway, link, host, topicRoot, jsonOperations, isServed, mayDeliver, metrics, log } = options;

	function open(device: BridgeDevice): Promise<Session> {
		const session = createBridgeSession(device, host, connectionOf(device));
		const opening = begin(device, session).finally(() => {
			if (device.opening === opening) device.opening = undefined;
		});
		device.session = session;
		device.opening = opening;
		return opening;
	}

	async function begin(device: BridgeDevice, session: Session): Promise<Session> {
		try {
			await gateway.opened(session);
		} catch (error) {
			if (device.session === session) close(device);
			throw error;
		}
		if (!isServed() || session.closed) {
			session.closed = true;
			return session;
		}
		gateway.connected(session);
		listen(device);
		return session;
	}

	/** From now on the device gets operations, where its session is open and it gets them from here. */
	function listen(device: BridgeDevice): void {
		if (!device.home || !mayDeliver()) return;
		listenTo(device, staticTopic);
		if (jsonOperations === 'always' || (jsonOperations === 'learned' && device.json)) listenTo(device, notificationTopic);
	}

	function listenTo({ session }: BridgeDevice, topic: string): void {
		if (!session || session.subscriptions.has(topic)) return;
		session.subscriptions.set(topic, 1);
		gateway.outbound.subscribed(session, topic, 1);
	}

	function close(device: BridgeDevice): void {
		const { session } = device;
		if (!session) return;
		device.session = undefined;
		device.opening = undefined;
		session.closed = true;
		gateway.disconnected(session);
	}

	function connectionOf(device: BridgeDevice): DeviceConnection {
		const topicOf = (topic: string) => `${topicRoot}/${device.tenant}/${device.clientId}/${topic}`;
		return {
			publish: (topic, payload, qos, done) => link.publish(topicOf(topic), payload, qos, done),
			answer(topic, payload, qos) {
				if (link.isFull()) metrics.mqttDropped.inc();
				else link.publish(topicOf(topic), payload, qos);
			},
			isFull: link.isFull,
			room: link.room,
			close(reason) {
				log.debug({ tenant: device.tenant, device: device.serial, reason }, 'session closed');
				close(device);
				// Its connection is the broker's business: the next look, or its next message, opens the session again.
				device.remembered = false;
			},
		};
	}

	return { open, listen, close };
}
