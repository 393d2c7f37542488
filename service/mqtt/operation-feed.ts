import type { Operation } from '../../operations/index.ts';

const maxQueue = 200;
const maxRemembered = 10_000;

/** What flows to one session on one of the topics for operations. */
export interface Feed {
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

export function createFeed(topic: string, qos: 0 | 1): Feed {
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

/** Takes the news of an operation. False for late news of what the store had when it was asked: it may be done already. */
export function noteNew(feed: Feed, operation: Operation): boolean {
	if (operation.seq <= feed.askedUpTo) return false;
	// While the store is asked for older ones, what came meanwhile has to stay behind them.
	if (feed.sweepAfter !== undefined) feed.missed = Math.min(feed.missed ?? operation.seq, operation.seq);
	else if (feed.queue.length < maxQueue) enqueue(feed, operation);
	else feed.sweepAfter = operation.seq - 1;
	return true;
}

/** Wake-ups may have been missed: what the next ones bring stays behind what the store has. */
export function noteGap(feed: Feed): void {
	if (feed.sweepAfter === undefined) feed.sweepAfter = 0;
	else feed.missed = 1;
}

/** Takes a page that the store was asked for, which is the last one unless it is full. */
export function notePage(feed: Feed, page: readonly Operation[], isFull: boolean): void {
	for (const operation of page) enqueue(feed, operation);
	if (isFull) feed.sweepAfter = page.at(-1)?.seq;
	else {
		feed.sweepAfter = feed.missed === undefined ? undefined : feed.missed - 1;
		feed.missed = undefined;
	}
}

// Wake-ups come in the order of commits, which is that of the numbers; should they not, the queue is in order still.
function enqueue(feed: Feed, operation: Operation): void {
	let place = feed.queue.length;
	while (place > 0 && (feed.queue[place - 1]?.operation.seq ?? 0) > operation.seq) place--;
	feed.queue.splice(place, 0, { operation, waits: feed.waits });
}

/** Forgets what was sent: it all goes out again, in order. */
export function restart(feed: Feed): void {
	feed.sent.clear();
	feed.queue.length = 0;
	feed.sweepAfter = 0;
}

/** Whether it is to be sent; not again until the device asks. */
export function markSent({ sent }: Feed, { seq }: Operation): boolean {
	if (sent.has(seq)) return false;
	sent.add(seq);
	if (sent.size > maxRemembered) sent.delete(sent.values().next().value ?? seq);
	return true;
}
