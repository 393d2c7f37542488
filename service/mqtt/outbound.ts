import type { Logger } from 'pino';
import type { Inventory, ManagedObjectId } from '../../inventory/index.ts';
import type { Operation, Operations } from '../../operations/index.ts';
import type { Metrics } from '../metrics.ts';
import { type CustomOperations, isCustomTopic } from './custom-operations.ts';
import { createDeliveryNotes } from './delivery-notes.ts';
import { createFeed, type Feed, markSent, noteGap, noteNew, notePage, restart } from './operation-feed.ts';
import { dependsOnDevice, toNotification, toStaticLine } from './operation-messages.ts';
import type { Session } from './session.ts';
import type { StoreWaits } from './store-waits.ts';

const staticTopic = 's/ds';
const notificationTopic = 'devicecontrol/notifications';
const pageSize = 50;
const sweepsAtOnce = 8;

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
	const notes = createDeliveryNotes(options);
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
			restart(feed);
			start(delivery, feed);
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
		notes.retry();
		sweeping ??= sweepInTurn().finally(() => {
			sweeping = undefined;
		});
		return sweeping;
	}

	/** Wake-ups may have been missed: what the next ones bring stays behind what the store has, before it is asked. */
	function afterGap(): void {
		for (const { feeds, session } of deliveries.values()) {
			if (!session.device) continue;
			for (const feed of feeds) noteGap(feed);
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
				if (noteNew(feed, operation)) start(delivery, feed);
			}
		}
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
		notePage(feed, page, page.length === pageSize);
	}

	async function send(delivery: Delivery, feed: Feed, operation: Operation, waited: number): Promise<void> {
		if (!markSent(feed, operation)) return;
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
			if (delivered) notes.add(operation);
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

	/** Ends the wake-ups and writes what is known of deliveries. */
	function close(): void {
		endWatch();
		notes.store();
	}

	return { subscribed, unsubscribed, knownDevice, forgetDevice, resend, closed, sweepAll, close };
}

function agentKey(tenant: string, agent: ManagedObjectId): string {
	return `${tenant}/${agent}`;
}
