import type { Logger } from 'pino';
import type { Access } from '../../access/index.ts';
import type { BridgedDevices } from '../../inventory/index.ts';
import { parseTopic } from '../../smartrest/index.ts';
import type { Metrics } from '../metrics.ts';
import type { BridgeDevice } from './bridge-device.ts';
import { createBridgeRoster } from './bridge-roster.ts';
import { createBridgeSessions } from './bridge-sessions.ts';
import { bridgeFilters, markTopic, parseBridgeTopic, partitionOf, presenceTopic, type Sharing } from './bridge-topics.ts';
import { type ArrivedMessage, type BrokerAddress, type BrokerLinkOptions, inWorkAtMost, openBrokerLink } from './broker-link.ts';
import type { BrokerOutages } from './broker-outages.ts';
import { createCatchUp } from './catch-up.ts';
import { createFailingMessages } from './failing-messages.ts';
import type { Gateway } from './gateway.ts';
import type { IncomingPublish } from './session.ts';

export interface BridgePartitionOptions {
	readonly gateway: Gateway;
	readonly access: Access;
	readonly devices: BridgedDevices;
	/** Hears when a device is gone, or back. */
	readonly notePresence: (tenant: string, serial: string, isThere: boolean) => Promise<void>;
	readonly metrics: Metrics;
	readonly log: Logger;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	readonly outages: BrokerOutages;
	readonly address: BrokerAddress;
	readonly clientId: string;
	readonly topicRoot: string;
	readonly partitions: number;
	readonly sharing: Sharing;
	readonly jsonOperations: 'learned' | 'always' | 'never';
	/** Whether writes can succeed at all just now. */
	readonly isStoreWell: () => Promise<boolean>;
	readonly limits: BrokerLinkOptions['limits'] & { readonly partitionDevicesMax: number };
}

export type BridgePartition = ReturnType<typeof openBridgePartition>;

const maxTurn = 64;
const jsonKinds = ['inventory', 'event', 'alarm', 'measurement'];

/** The devices of one partition, behind one session at the outside broker. */
export function openBridgePartition(number: number, options: BridgePartitionOptions) {
	const { gateway, access, devices, notePresence, metrics, address, topicRoot, sharing, limits } = options;
	const log = options.log.child({ partition: number });
	let ended = false;

	const clientId = `${options.clientId}-${number}`;
	const filters = (how: Sharing) => bridgeFilters(topicRoot, options.clientId, number, how);
	const link = openBrokerLink({
		address,
		clientId,
		subscribe: [...filters(sharing), markTopic(topicRoot, clientId)],
		unsubscribe: filters(sharing === 'own' ? 'hashed' : 'own'),
		onMessage: take,
		onReady: () => catchUp.begin(),
		outages: options.outages,
		log,
		metrics,
		elapsed: options.elapsed,
		limits,
	});
	const catchUp = createCatchUp({ topic: markTopic(topicRoot, clientId), publish: link.publish, onCaughtUp, log });
	const sessions = createBridgeSessions({
		...options,
		link,
		host: address.host,
		isServed: () => !ended,
		mayDeliver: catchUp.isOver,
		log,
	});
	const roster = createBridgeRoster({
		...options,
		partition: number,
		maxDevices: limits.partitionDevicesMax,
		sessions,
		handleTurn,
		// The connection is held up before more can be in work.
		queueLimits: { maxMessages: inWorkAtMost(limits.unacknowledgedMaxMessages), maxTurn },
		isServed: () => !ended,
		log,
	});
	const handleUnlessFailing = createFailingMessages({
		handle: handleInOrder,
		isStoreWell: options.isStoreWell,
		onGivenUp({ tenant, serial }: BridgeDevice, { topic }, error) {
			metrics.mqttErrors.inc({ kind: 'given up' });
			log.error({ err: error, tenant, device: serial, topic }, 'a message was given up, for it always fails');
		},
	});

	/** What devices reported before is known: operations that are PENDING still may go out. */
	function onCaughtUp(): void {
		if (ended) return;
		log.debug('everything is handled that the broker has kept');
		roster.listen();
		roster
			.lookAtStore()
			.catch((error: unknown) =>
				log.warn({ err: error }, 'devices at the outside broker could not be looked up; that is tried again'),
			);
	}

	function take(message: ArrivedMessage): void {
		if (catchUp.take(message)) return;
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
		const device = roster.heard(from);
		const { payload, messageId, redelivered } = message;
		if (!device.queue.push({ topic: from.topic, payload, messageId, redelivered, done })) {
			done(new Error('too many messages wait to be handled'));
		}
	}

	async function handleTurn(device: BridgeDevice, turn: readonly IncomingPublish[]): Promise<void> {
		checkServed();
		if (!(await access.tenants.isActive(device.tenant))) {
			metrics.mqttErrors.inc({ kind: 'unknown tenant' }, turn.length);
			roster.forget(device);
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
			checkServed();
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
			sessions.listen(device);
		}
		// A broker that divides by topic sends other topics of the device elsewhere: operations go where its static messages come.
		if (!device.home && publishes.some(({ topic }) => isOwnStatic(topic))) {
			device.home = true;
			sessions.close(device);
		}
		// Whoever speaks is there, whatever was told before.
		if (device.home && !(device.remembered && device.session)) await roster.remember(device, true);
		const session = await (device.opening ?? device.session ?? sessions.open(device));
		await gateway.handleTurn(session, publishes, checkServed);
	}

	async function handlePresence(device: BridgeDevice, payload: Buffer): Promise<void> {
		const state = payload.length > 20 ? '' : payload.toString('latin1').trim();
		if (!['connected', 'disconnected'].includes(state)) metrics.mqttErrors.inc({ kind: 'bad presence' });
		else if (!device.home) {
			// Where the device is at home, it is remembered from what it has said.
			const isKnown = await devices.setConnected(device.tenant, device.serial, state === 'connected');
			if (isKnown) await notePresence(device.tenant, device.serial, state === 'connected');
		} else if (state === 'connected') {
			sessions.close(device);
			await sessions.open(device);
			await roster.remember(device, true);
		} else {
			sessions.close(device);
			await roster.remember(device, false);
		}
	}

	/** Does what was missed or could not be done. */
	async function sweep(): Promise<void> {
		if (catchUp.isOver()) return roster.lookAtStore();
		if (link.fault() !== undefined) return;
		log.warn('operations wait, for what the broker has kept is not all handled yet');
		catchUp.begin();
	}

	function end(): void {
		ended = true;
		roster.end();
	}

	/** Handles what was taken up, acknowledges it, and leaves the session to the next one; `false` when there was not enough time. */
	async function close(graceMilliseconds: number): Promise<boolean> {
		try {
			return await link.close(graceMilliseconds);
		} finally {
			end();
			await roster.idle();
		}
	}

	/** The partition belongs to somebody else by now. Resolves when nothing of it is in work here. */
	async function abandon(): Promise<void> {
		end();
		link.cutOff();
		await link.idle();
		await roster.idle();
	}

	return {
		number,
		sweep,
		close,
		abandon,
		fault: link.fault,
		inWork: link.inWork,
		deviceCount: roster.size,
	};
}

function isOwnStatic(topic: string): boolean {
	const parsed = parseTopic(topic);
	return parsed?.kind === 'static' && parsed.direction === 'up' && parsed.child === undefined;
}
