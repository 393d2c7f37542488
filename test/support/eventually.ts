import { setTimeout as delay } from 'node:timers/promises';
import { patience } from './named-stores.ts';

/** Reads until what was read is right, and fails with the last thing read when that takes too long, by the time of an embedded store. */
export async function eventually<T>(
	what: string,
	read: () => Promise<T> | T,
	isRight: (value: T) => boolean,
	deadlineMilliseconds = 10_000,
): Promise<T> {
	const deadline = Date.now() + deadlineMilliseconds * patience;
	for (;;) {
		const value = await read();
		if (isRight(value)) return value;
		if (Date.now() > deadline) {
			throw new Error(
				`${what}: not within ${deadlineMilliseconds * patience} ms; last seen: ${JSON.stringify(value)?.slice(0, 1000)}`,
			);
		}
		await delay(20);
	}
}

/** What the promise gives, or an error that says what was waited for. */
export async function within<T>(what: string, promise: Promise<T>, deadlineMilliseconds = 10_000): Promise<T> {
	const done = new AbortController();
	const late = delay(deadlineMilliseconds * patience, undefined, { signal: done.signal }).then(
		() => {
			throw new Error(`${what}: not within ${deadlineMilliseconds * patience} ms`);
		},
		() => new Promise<never>(() => {}),
	);
	try {
		return await Promise.race([promise, late]);
	} finally {
		done.abort();
	}
}
