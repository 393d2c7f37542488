import { HttpError } from './http-error.ts';

export interface ScanGateLimits {
	/** Scans that run at a time. */
	readonly atOnce: number;
	/** Scans of one user that may wait. */
	readonly waitingPerUser: number;
}

interface Waiting {
	readonly signal: AbortSignal;
	readonly go: () => void;
	readonly giveUp: (error: Error) => void;
}

/**
 * Lets a few reads that look at many documents run at a time, users in turn, so that the reads which devices wait for come in
 * between. What nobody waits for any more is not begun, and ends where it looks at the signal.
 */
export function createScanGate({ atOnce, waitingPerUser }: ScanGateLimits) {
	/** By user, the one who waits longest for a turn first. */
	const waiting = new Map<string, Waiting[]>();
	let running = 0;

	/** @throws HttpError `http/throttled` when as many of this user wait as may */
	async function run<T>(user: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
		// Whoever had to wait has got the place of the one who ended: nobody comes in between.
		if (running >= atOnce) await turn(user, signal);
		else running++;
		try {
			signal.throwIfAborted();
			return await work(signal);
		} finally {
			if (!next()) running--;
		}
	}

	function turn(user: string, signal: AbortSignal): Promise<void> {
		const queue = wanted(waiting.get(user) ?? []);
		waiting.set(user, queue);
		if (queue.length >= waitingPerUser) {
			const message = `${queue.length} searches of this user wait already: send fewer at a time`;
			throw new HttpError('http/throttled', message, { headers: { 'Retry-After': '1' } });
		}
		return new Promise((go, giveUp) => queue.push({ signal, go, giveUp }));
	}

	/** Hands a place on; false where nobody waits for it. */
	function next(): boolean {
		for (const [user, queue] of waiting) {
			const first = queue.shift();
			// To the end of the line with the others of this user.
			waiting.delete(user);
			if (queue.length > 0) waiting.set(user, queue);
			if (first === undefined) continue;
			if (!first.signal.aborted) {
				first.go();
				return true;
			}
			first.giveUp(first.signal.reason);
		}
		return false;
	}

	return { run };
}

/** Without those whom nobody waits for any more: they must not keep out what the same user wants now. */
function wanted(queue: readonly Waiting[]): Waiting[] {
	for (const { signal, giveUp } of queue) if (signal.aborted) giveUp(signal.reason);
	return queue.filter(({ signal }) => !signal.aborted);
}
