import type { Logger } from 'pino';
import type { Inventory, ManagedObjectId } from '../../inventory/index.ts';
import type { Operation, Operations } from '../../operations/index.ts';
import type { Metrics } from '../metrics.ts';
import { type CustomOperations, isCustomTopic } from './custom-operations.ts';
import { dependsOnDevice, toNotification, toStaticLine } from './operation-messages.ts';
import type { Session } from './session.ts';
import type { StoreWaits } from './store-waits.ts';

const staticTopic = 's/ds';
const notificationTopic = 'devicecontrol/notifications';
const pageSize = 50;
const maxQueue = 4 * pageSize;
const deliveredMilliseconds = 20;
const maxRemembered = 10_000;
const sweepsAtOnce = 8;

/** What flows to one session on one of the topics for operations. */
interface Feed {
	readonly topic: string;
	readonly qos: 0 | 1;
	/** Operations to send next, in order, with the feed's `waits` when they were PENDING. */
	readonly queue: { readonly operation: Operation; readonly waits: number }[];
	/** Numbers of operations that were sent since the device last asked; they are not sent again by themselves. */
	readonly sent: Set<number>;
	/** The store has to be asked for operations after this number. */
	sweepAfter: number | undefined;
	/** The lowest number that a wake-up brought while the store was being asked. */
	missed: number | undefined;
	/** The newest number there was when the store was asked: wake-ups bring nothing new up to it. */
	askedUpTo: number;
	/** How often it had to wait for room: what was queued before may have been called off since. */
	waits: number;
	running: boolean;
}

interface Delivery {
	readonly session: Session;
	readonly feeds: Feed[];
	/** The agent whose operations it gets, once it is known. */
	agent: string | undefined;
	unacknowledged: number;
	/** Called when there is room again, or the session ends. */
	onRoom: (() => void)[];
}

export type Outbound = ReturnType<typeof createOutbound>;

/**
 * Delivers PENDING operations: when a device subscribes, when it asks (500), and at once while it is connected;
 * oldest first, one a message, never more under way than the window. [SR-500]
 */
export function createOutbound(options: {
	readonly operations: Operations;
	readonly inventory: Inventory;
	readonly customOperations: CustomOperations;
	readonly metrics: Metrics;
	readonly log: Logger;
	/** What is to be delivered waits for a store that is away. */
	readonly waits: Pick<StoreWaits, 'untilAnswered'>;
	/** Messages to one device that may wait for its acknowledgement. */
	readonly window: number;
}) {
	const { operations, inventory, customOperations, metrics, log, waits, window } = options;
	const deliveries = new Map<Session, Delivery>();
	const byAgent = new Map<string, Set<Delivery>>();
	const delivered = new Map<string, Operation>();
	let flush: NodeJS.Timeout | undefined;
	let sweeping: Promise<void> | undefined;
	const endWatch = operations.watchPending(wake, afterGap);

	/** The device listens to a topic, or listens again: what is PENDING goes out. */
	function subscribed(session: Session, topic: string, qos: 0 | 1): void {
		if (topic !== staticTopic && topic !== notificationTopic && !isCustomTopic(topic)) return;
		const delivery = deliveries.get(session) ?? { session, feeds: [], agent: undefined, unacknowledged: 0, onRoom: [] };
		deliveries.set(session, delivery);
		const present = delivery.feeds.findIndex((feed) => feed.topic === topic);
		if (present >= 0) delivery.feeds.splice(present, 1);
		delivery.feeds.push(createFeed(topic, qos));
		if (session.device) knownDevice(session);
	}

	function unsubscribed(session: Session, topic: string): void {
		const feeds = deliveries.get(session)?.feeds;
		const present = feeds?.findIndex((feed) => feed.topic === topic) ?? -1;
		if (present >= 0) feeds?.splice(present, 1);
	}

	/** The device's managed object is known: deliver to feeds that have not begun. */
	function knownDevice(session: Session): void {
		const delivery = deliveries.get(session);
		if (!delivery || !session.device) return;
		const agent = agentKey(session.principal.tenant, session.device);
		if (delivery.agent !== agent) leave(delivery);
		delivery.agent = agent;
		byAgent.set(agent, (byAgent.get(agent) ?? new Set()).add(delivery));
		for (const feed of delivery.feeds) {
			if (feed.sweepAfter !== undefined) start(delivery, feed);
			else if (feed.sent.size === 0) sweep(delivery, feed);
		}
	}

	/** What the session speaks for has changed: nothing is sent before its object is known again. */
	function forgetDevice(session: Session): void {
		const delivery = deliveries.get(session);
		if (!delivery) return;
		leave(delivery);
		delivery.agent = undefined;
		// New feeds: what the old ones are about to send is for another object.
		delivery.feeds.splice(0, delivery.feeds.length, ...delivery.feeds.map(({ topic, qos }) => createFeed(topic, qos)));
	}

	/** 500: everything PENDING goes out again; on one topic where one is named. */
	function resend(session: Session, topic?: string): void {
		const delivery = deliveries.get(session);
		if (!delivery) return;
		for (const feed of delivery.feeds) {
			if (topic !== undefined && feed.topic !== topic) continue;
			feed.sent.clear();
			feed.queue.length = 0;
			sweep(delivery, feed);
		}
	}

	function closed(session: Session): void {
		const delivery = deliveries.get(session);
		if (!delivery) return;
		deliveries.delete(session);
		leave(delivery);
		for (const go of delivery.onRoom.splice(0)) go();
	}

	function leave(delivery: Delivery): void {
		if (delivery.agent === undefined) return;
		const others = byAgent.get(delivery.agent);
		if (others?.delete(delivery) && others.size === 0) byAgent.delete(delivery.agent);
	}

	/** Finds what a lost wake-up left behind, a few feeds at a time; asked again before its end, it goes on with what it does. */
	function sweepAll(): Promise<void> {
		retryDelivered();
		sweeping ??= sweepInTurn().finally(() => {
			sweeping = undefined;
		});
		return sweeping;
	}

	/** Wake-ups may have been missed: what the next ones bring stays behind what the store has, before it is asked. */
	function afterGap(): void {
		for (const { feeds, session } of deliveries.values()) {
			if (!session.device) continue;
			for (const feed of feeds) {
				if (feed.sweepAfter === undefined) feed.sweepAfter = 0;
				else feed.missed = 1;
			}
		}
		sweepAll().catch((error: unknown) => log.warn({ err: error }, 'operations could not be looked for'));
	}

	async function sweepInTurn(): Promise<void> {
		const idle = [...deliveries.values()].flatMap((delivery) => delivery.feeds.map((feed) => ({ delivery, feed })));
		const next = idle[Symbol.iterator]();
		const work = async () => {
			for (const { delivery, feed } of next) await lookOnce(delivery, feed);
		};
		await Promise.all(Array.from({ length: sweepsAtOnce }, work));
	}

	// One look only: what it finds is sent by the feed itself, which may have to wait for its device.
	async function lookOnce(delivery: Delivery, feed: Feed): Promise<void> {
		const { session } = delivery;
		if (feed.running || !session.device || !isOpen(delivery, feed)) return;
		feed.running = true;
		feed.sweepAfter = 0;
		try {
			await fill(delivery, feed, session.device);
		} catch (error) {
			cutOff(delivery, feed, error);
			return;
		} finally {
			feed.running = false;
		}
		start(delivery, feed);
	}

	function wake(operation: Operation): void {
		for (const delivery of byAgent.get(agentKey(operation.tenant, operation.agentId)) ?? []) {
			for (const feed of delivery.feeds) {
				// Late news of what the store had when it was asked: it may be done already.
				if (operation.seq <= feed.askedUpTo) continue;
				// While the store is asked for older ones, what came meanwhile has to stay behind them.
				if (feed.sweepAfter !== undefined) feed.missed = Math.min(feed.missed ?? operation.seq, operation.seq);
				else if (feed.queue.length < maxQueue) enqueue(feed, operation);
				else feed.sweepAfter = operation.seq - 1;
				start(delivery, feed);
			}
		}
	}

	// Wake-ups come in the order of commits, which is that of the numbers; should they not, the queue is in order still.
	function enqueue(feed: Feed, operation: Operation): void {
		let place = feed.queue.length;
		while (place > 0 && (feed.queue[place - 1]?.operation.seq ?? 0) > operation.seq) place--;
		feed.queue.splice(place, 0, { operation, waits: feed.waits });
	}

	function sweep(delivery: Delivery, feed: Feed): void {
		feed.sweepAfter = 0;
		start(delivery, feed);
	}

	function start(delivery: Delivery, feed: Feed): void {
		if (feed.running) return;
		feed.running = true;
		run(delivery, feed).catch((error: unknown) => cutOff(delivery, feed, error));
	}

	// Nothing is lost: the operations are PENDING in the store, and the device gets them when it is back.
	function cutOff(delivery: Delivery, feed: Feed, error: unknown): void {
		if (!isOpen(delivery, feed)) return;
		const { session } = delivery;
		log.warn({ err: error, tenant: session.principal.tenant, device: session.serial }, 'operations could not be delivered');
		session.connection.close('operations could not be delivered');
	}

	async function run(delivery: Delivery, feed: Feed): Promise<void> {
		const { session } = delivery;
		try {
			while (isOpen(delivery, feed)) {
				const next = feed.queue.shift();
				if (next) await send(delivery, feed, next.operation, next.waits);
				else if (feed.sweepAfter !== undefined && session.device) await fill(delivery, feed, session.device);
				else return;
			}
		} finally {
			// At once, not in a callback: a wake-up in between would be lost.
			feed.running = false;
		}
	}

	function isOpen({ session, feeds }: Delivery, feed: Feed): boolean {
		return !session.closed && feeds.includes(feed);
	}

	/** While the store is away, it is asked again and again: the device need not connect again for that. */
	function fill(delivery: Delivery, feed: Feed, device: ManagedObjectId): Promise<void> {
		return patiently(delivery, feed, () => fillOnce(delivery.session.principal.tenant, device, feed));
	}

	function patiently<T>(delivery: Delivery, feed: Feed, work: () => Promise<T>): Promise<T> {
		return waits.untilAnswered(work, () => isOpen(delivery, feed));
	}

	async function fillOnce(tenant: string, device: ManagedObjectId, feed: Feed): Promise<void> {
		const asked = feed.sweepAfter;
		feed.askedUpTo = Math.max(feed.askedUpTo, await operations.newestNumber(tenant, device));
		const page = await operations.listPending(tenant, device, asked ?? 0, pageSize);
		// Somebody asked for everything meanwhile (500): that is done next.
		if (feed.sweepAfter !== asked) return;
		for (const operation of page) enqueue(feed, operation);
		if (page.length === pageSize) feed.sweepAfter = page.at(-1)?.seq;
		else {
			feed.sweepAfter = feed.missed === undefined ? undefined : feed.missed - 1;
			feed.missed = undefined;
		}
	}

	async function send(delivery: Delivery, feed: Feed, operation: Operation, waited: number): Promise<void> {
		if (feed.sent.has(operation.seq)) return;
		remember(feed.sent, operation.seq);
		const payload = await patiently(delivery, feed, () => toPayload(delivery.session, feed, operation));
		if (payload === undefined) return;
		await takeRoom(delivery, feed);
		const isWanted = waited === feed.waits || (await patiently(delivery, feed, () => isPending(operation)));
		// Forgotten while it waited: the device asked for everything again, and gets it in order.
		if (!isWanted || !isOpen(delivery, feed) || !feed.sent.has(operation.seq)) {
			giveRoom(delivery);
			return;
		}
		const { session } = delivery;
		const isFew = feed.topic === staticTopic || feed.topic === notificationTopic;
		metrics.mqttMessages.add('down', isFew ? feed.topic : 's/dc');
		log.debug({ tenant: operation.tenant, device: session.serial, operation: operation.id, topic: feed.topic }, 'operation sent');
		session.connection.publish(feed.topic, payload, feed.qos, (delivered) => {
			giveRoom(delivery);
			if (delivered) noteDelivered(operation);
		});
	}

	async function takeRoom(delivery: Delivery, feed: Feed): Promise<void> {
		const { session } = delivery;
		for (;;) {
			if (delivery.unacknowledged >= window && !session.closed) {
				feed.waits++;
				await new Promise<void>((resolve) => delivery.onRoom.push(resolve));
			} else if (session.connection.isFull() && !session.closed) {
				feed.waits++;
				await session.connection.room();
			} else break;
		}
		delivery.unacknowledged++;
	}

	function giveRoom(delivery: Delivery): void {
		delivery.unacknowledged--;
		delivery.onRoom.shift()?.();
	}

	// Somebody may have called the operation off while it, or one before it, waited for room.
	async function isPending({ tenant, id }: Operation): Promise<boolean> {
		return (await operations.find(tenant, id))?.status === 'PENDING';
	}

	/** `undefined` where there is nothing to send: no template, or no name by which the agent could know the device. */
	async function toPayload(session: Session, feed: Feed, operation: Operation): Promise<string | undefined> {
		if (operation.externalIds.length === 0) return undefined;
		if (feed.topic === notificationTopic) return toNotification(operation);
		if (feed.topic !== staticTopic) return customOperations.toLines(session, feed.topic, operation);
		if (!dependsOnDevice(operation)) return toStaticLine(operation, undefined);
		const device = await inventory.objects.find(operation.tenant, operation.deviceId);
		return device && toStaticLine(operation, device);
	}

	// A little later and together: the commit would stand before that of the next operation.
	function noteDelivered(operation: Operation): void {
		delivered.set(operation._id, operation);
		retryDelivered();
	}

	function retryDelivered(): void {
		if (delivered.size > 0) flush ??= setTimeout(storeDelivered, deliveredMilliseconds);
	}

	function storeDelivered(): void {
		clearTimeout(flush);
		flush = undefined;
		const noted = [...delivered.values()];
		delivered.clear();
		for (const operation of noted) {
			const { tenant, id } = operation;
			operations.setDelivered(tenant, id).catch((error: unknown) => {
				log.warn({ err: error, tenant, operation: id }, 'delivery of an operation could not be noted yet');
				// Written with the next ones, or by the next sweep.
				delivered.set(operation._id, operation);
			});
		}
	}

	/** Ends the wake-ups and writes what is known of deliveries. */
	function close(): void {
		endWatch();
		storeDelivered();
	}

	return { subscribed, unsubscribed, knownDevice, forgetDevice, resend, closed, sweepAll, close };
}

function createFeed(topic: string, qos: 0 | 1): Feed {
	return {
		topic,
		qos,
		queue: [],
		sent: new Set(),
		sweepAfter: undefined,
		missed: undefined,
		askedUpTo: 0,
		waits: 0,
		running: false,
	};
}

function agentKey(tenant: string, agent: ManagedObjectId): string {
	return `${tenant}/${agent}`;
}

function remember(sent: Set<number>, seq: number): void {
	sent.add(seq);
	if (sent.size > maxRemembered) sent.delete(sent.values().next().value ?? seq);
}
