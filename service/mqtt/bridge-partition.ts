import type { Logger } from 'pino';
import type { Access } from '../../access/index.ts';
import type { BridgedDevice, BridgedDevices } from '../../inventory/index.ts';
import { parseTopic } from '../../smartrest/index.ts';
import type { Metrics } from '../metrics.ts';
import { type BridgeDevice, createBridgeSession } from './bridge-device.ts';
import { type BridgeTopic, bridgeFilters, parseBridgeTopic, partitionOf, presenceTopic, type Sharing } from './bridge-topics.ts';
import { type ArrivedMessage, type BrokerAddress, type BrokerLinkOptions, inWorkAtMost, openBrokerLink } from './broker-link.ts';
import { createDeviceQueue } from './device-queue.ts';
import { createFailingMessages } from './failing-messages.ts';
import type { Gateway } from './gateway.ts';
import type { DeviceConnection, IncomingPublish, Session } from './session.ts';

export interface BridgePartitionOptions {
	readonly gateway: Gateway;
	readonly access: Access;
	readonly devices: BridgedDevices;
	readonly metrics: Metrics;
	readonly log: Logger;
	readonly address: BrokerAddress;
	readonly clientId: string;
	readonly topicRoot: string;
	readonly partitions: number;
	readonly sharing: Sharing;
	readonly jsonOperations: 'learned' | 'always' | 'never';
	/** Whether writes can succeed at all just now. */
	readonly isStoreWell: () => Promise<boolean>;
	readonly limits: BrokerLinkOptions['limits'];
}

export type BridgePartition = ReturnType<typeof openBridgePartition>;

const maxTurn = 64;
const pageSize = 200;
const openedAtOnce = 8;
const notificationTopic = 'devicecontrol/notifications';
const jsonKinds = ['inventory', 'event', 'alarm', 'measurement'];

/** The devices of one partition, behind one session at the outside broker. */
export function openBridgePartition(number: number, options: BridgePartitionOptions) {
	const { gateway, access, devices, metrics, address, topicRoot, sharing, limits } = options;
	const log = options.log.child({ partition: number });
	const known = new Map<string, BridgeDevice>();
	let ended = false;

	const filters = (how: Sharing) => bridgeFilters(topicRoot, options.clientId, number, how);
	const link = openBrokerLink({
		address,
		clientId: `${options.clientId}-${number}`,
		subscribe: filters(sharing),
		unsubscribe: filters(sharing === 'own' ? 'hashed' : 'own'),
		onMessage: take,
		log,
		metrics,
		limits,
	});
	const endWatch = sharing === 'hashed' ? devices.watch(followElsewhere) : () => {};
	let looking: Promise<void> | undefined;
	const handleUnlessFailing = createFailingMessages({
		handle: handleInOrder,
		isStoreWell: options.isStoreWell,
		onGivenUp({ tenant, serial }: BridgeDevice, { topic }, error) {
			metrics.mqttErrors.inc({ kind: 'given up' });
			log.error({ err: error, tenant, device: serial, topic }, 'a message was given up, for it always fails');
		},
	});

	function take(message: ArrivedMessage): void {
		const { topic: text, done } = message;
		const from = parseBridgeTopic(topicRoot, text);
		if (!from) {
			metrics.mqttErrors.inc({ kind: 'foreign topic' });
			done();
			return;
		}
		if (sharing === 'own' && partitionOf(from, options.partitions) !== number) {
			metrics.bridgeSkipped.inc();
			done();
			return;
		}
		const device = deviceOf(from);
		// The device, or the one way by which the broker knows it, may have another name by now.
		if (device.clientId !== from.clientId) {
			device.clientId = from.clientId;
			device.remembered = false;
		}
		const { payload, messageId, redelivered } = message;
		if (!device.queue.push({ topic: from.topic, payload, messageId, redelivered, done })) {
			done(new Error('too many messages wait to be handled'));
		}
	}

	function deviceOf({ tenant, serial, clientId }: Pick<BridgeTopic, 'tenant' | 'serial' | 'clientId'>): BridgeDevice {
		const key = keyOf({ tenant, serial });
		const present = known.get(key);
		if (present) return present;
		const queue = createDeviceQueue((turn) => handleTurn(device, turn), {
			// The connection is held up before this many can be in work.
			maxMessages: inWorkAtMost(limits.unacknowledgedMaxMessages) + 1,
			maxTurn,
		});
		const device: BridgeDevice = { tenant, serial, clientId, json: false, home: sharing === 'own', remembered: false, queue };
		known.set(key, device);
		return device;
	}

	async function handleTurn(device: BridgeDevice, turn: readonly IncomingPublish[]): Promise<void> {
		checkServed();
		if (!(await access.tenants.isActive(device.tenant))) {
			metrics.mqttErrors.inc({ kind: 'unknown tenant' }, turn.length);
			known.delete(keyOf(device));
			return;
		}
		await handleUnlessFailing(device, turn);
	}

	// Whoever has the partition now handles them: here nothing was acknowledged.
	function checkServed(): void {
		if (ended) throw new Error('the partition is served elsewhere');
	}

	async function handleInOrder(device: BridgeDevice, turn: readonly IncomingPublish[]): Promise<void> {
		let publishes: IncomingPublish[] = [];
		for (const publish of turn) {
			if (publish.topic !== presenceTopic) {
				publishes.push(publish);
				continue;
			}
			await handlePublishes(device, publishes);
			publishes = [];
			await handlePresence(device, publish.payload);
		}
		await handlePublishes(device, publishes);
	}

	async function handlePublishes(device: BridgeDevice, publishes: readonly IncomingPublish[]): Promise<void> {
		if (publishes.length === 0) return;
		const usesJson = !device.json && publishes.some(({ topic }) => jsonKinds.includes(parseTopic(topic)?.kind ?? ''));
		if (usesJson) {
			device.json = true;
			device.remembered = false;
			hearNotifications(device);
		}
		// A broker that divides by topic sends other topics of the device elsewhere: operations go where its static messages come.
		if (!device.home && publishes.some(({ topic }) => isOwnStatic(topic))) {
			device.home = true;
			closeSession(device);
		}
		// Whoever speaks is there, whatever was told before.
		if (device.home && !(device.remembered && device.session)) await remember(device, true);
		const session = await (device.opening ?? device.session ?? openSession(device));
		await gateway.handleTurn(session, publishes, checkServed);
	}

	async function remember(device: BridgeDevice, connected: boolean): Promise<void> {
		const { tenant, serial, clientId, json } = device;
		device.remembered = true;
		try {
			await devices.remember({ tenant, serial, clientId, partition: number, connected, json });
		} catch (error) {
			device.remembered = false;
			throw error;
		}
	}

	async function handlePresence(device: BridgeDevice, payload: Buffer): Promise<void> {
		const state = payload.length > 20 ? '' : payload.toString('latin1').trim();
		if (!['connected', 'disconnected'].includes(state)) metrics.mqttErrors.inc({ kind: 'bad presence' });
		else if (!device.home) await devices.setConnected(device, state === 'connected');
		else if (state === 'connected') {
			closeSession(device);
			await openSession(device);
			await remember(device, true);
		} else {
			closeSession(device);
			await remember(device, false);
		}
	}

	function openSession(device: BridgeDevice): Promise<Session> {
		const session = createBridgeSession(device, address.host, connectionOf(device));
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
			if (device.session === session) closeSession(device);
			throw error;
		}
		if (ended || session.closed) {
			session.closed = true;
			return session;
		}
		gateway.connected(session);
		if (device.home) listenTo(device, 's/ds');
		hearNotifications(device);
		return session;
	}

	function hearNotifications(device: BridgeDevice): void {
		const isWanted = options.jsonOperations === 'always' || (options.jsonOperations === 'learned' && device.json);
		if (isWanted && device.home) listenTo(device, notificationTopic);
	}

	function listenTo({ session }: BridgeDevice, topic: string): void {
		if (!session || session.subscriptions.has(topic)) return;
		session.subscriptions.set(topic, 1);
		gateway.outbound.subscribed(session, topic, 1);
	}

	function closeSession(device: BridgeDevice): void {
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
				closeSession(device);
				// Its connection is the broker's business: the next look, or its next message, opens the session again.
				device.remembered = false;
			},
		};
	}

	// Where the broker divides, what is told of a device may arrive at any partition. The last one to have its messages serves it.
	function followElsewhere(found: BridgedDevice): void {
		const device = known.get(found._id);
		if (found.partition !== number) {
			if (!device?.home) return;
			device.home = false;
			device.remembered = false;
			closeSession(device);
		} else if (!found.connected && device) closeSession(device);
		else
			openFound(found).catch((error: unknown) =>
				log.warn({ err: error }, 'a device at the outside broker could not be looked up'),
			);
	}

	/** Opens the sessions of devices that the store knows, so that operations reach them before they have said a word. */
	function lookAtStore(): Promise<void> {
		looking ??= openKnown().finally(() => {
			looking = undefined;
		});
		return looking;
	}

	async function openKnown(): Promise<void> {
		for (let after = ''; !ended; ) {
			const page = await devices.listOf(number, after, pageSize);
			const next = page[Symbol.iterator]();
			const work = async () => {
				for (const found of next) await openFound(found);
			};
			await Promise.all(Array.from({ length: openedAtOnce }, work));
			const last = page.at(-1);
			if (!last || page.length < pageSize) return;
			after = last._id;
		}
	}

	async function openFound(found: BridgedDevice): Promise<void> {
		const device = known.get(found._id);
		if (ended || !found.connected || device?.session) return;
		const opened = device ?? deviceOf(found);
		opened.home = true;
		opened.json ||= found.json;
		opened.remembered = opened.clientId === found.clientId && opened.json === found.json;
		await openSession(opened);
	}

	function end(): void {
		ended = true;
		endWatch();
		for (const device of known.values()) closeSession(device);
	}

	/** Handles what was taken up, acknowledges it, and leaves the session to the next one; `false` when there was not enough time. */
	async function close(graceMilliseconds: number): Promise<boolean> {
		try {
			return await link.close(graceMilliseconds);
		} finally {
			end();
			await looking?.catch(ignore);
		}
	}

	/** The partition belongs to somebody else by now. Resolves when nothing of it is in work here. */
	async function abandon(): Promise<void> {
		end();
		link.cutOff();
		await link.idle();
		await looking?.catch(ignore);
	}

	return {
		number,
		lookAtStore,
		close,
		abandon,
		fault: link.fault,
		inWork: link.inWork,
		deviceCount: () => known.size,
	};
}

function isOwnStatic(topic: string): boolean {
	const parsed = parseTopic(topic);
	return parsed?.kind === 'static' && parsed.direction === 'up' && parsed.child === undefined;
}

function keyOf({ tenant, serial }: Pick<BridgeDevice, 'tenant' | 'serial'>): string {
	return `${tenant}/${serial}`;
}

// It has been told to whoever asked for it.
function ignore(): void {}
