import { setTimeout as delay } from 'node:timers/promises';

/** A time by which something has to be done; what is not by then is not waited for. */
export function createDeadline(milliseconds: number, elapsed: () => number) {
	const end = elapsed() + milliseconds;
	const left = () => Math.max(0, end - elapsed());

	/** Waits that long, but not longer than there is time. */
	async function pause(wanted: number): Promise<void> {
		if (wanted > 0) await delay(Math.min(wanted, left()));
	}

	async function wait(work: Promise<unknown>): Promise<void> {
		const done = new AbortController();
		const late = delay(left(), undefined, { signal: done.signal }).catch(() => undefined);
		await Promise.race([work, late]).finally(() => done.abort());
	}

	return { left, pause, wait };
}
