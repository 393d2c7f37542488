import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'aedes';

/** How far ahead of its pace a client may get: what devices report after a start goes at full speed. */
const burstMilliseconds = 1000;

/** Spreads the messages of one client over time: how many milliseconds it has to wait for so many more of them. */
export function createPace({
	perSecond,
	elapsed,
}: {
	/** 0 is no pace. */
	readonly perSecond: number;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
}): (messages: number) => number {
	if (perSecond === 0) return () => 0;
	let ahead = Number.NEGATIVE_INFINITY;
	return (messages) => {
		const now = elapsed();
		ahead = Math.max(ahead, now) + (messages * 1000) / perSecond;
		return Math.max(0, ahead - now - burstMilliseconds);
	};
}

/** How many messages go together, so that no wait is much longer than a tenth of a second. */
export function turnAtPace(maxTurn: number, perSecond: number): number {
	return perSecond === 0 ? maxTurn : Math.min(maxTurn, Math.ceil(perSecond / 10));
}

/**
 * Lets a client wait that is not read meanwhile: its pings wait with its messages, so its keep-alive begins anew. This leans on an
 * inner name of the broker; a test fails when it changes.
 */
export async function holdBack(client: Client, milliseconds: number): Promise<void> {
	await delay(milliseconds);
	const timer: unknown = Reflect.get(client, '_keepaliveTimer');
	if (typeof timer === 'object' && timer !== null && 'refresh' in timer && typeof timer.refresh === 'function') timer.refresh();
}
