import type { Db } from 'mongodb';
import { messageOf } from './explain-error.ts';

/** Documents whose field is older than this go. */
export interface Expiry {
	readonly collection: string;
	readonly field: string;
	readonly afterSeconds: number;
}

export interface ExpiryOptions {
	readonly db: Db;
	/** May grow while it runs. */
	readonly expiries: ReadonlyMap<string, Expiry>;
	readonly now: () => number;
	readonly everySeconds: number;
	readonly onFault: (error: Error) => void;
}

/**
 * Removes what has expired from time to time. MongoDB's own way needs dates, and these are numbers. Every process does it:
 * what one has removed another does not find.
 */
export function startExpiry({ db, expiries, now, everySeconds, onFault }: ExpiryOptions): {
	readonly run: () => Promise<void>;
	/** Returns when nothing is under way. */
	readonly stop: () => Promise<void>;
} {
	const run = async (): Promise<void> => {
		for (const { collection, field, afterSeconds } of expiries.values()) {
			await db.collection(collection).deleteMany({ [field]: { $lt: now() - afterSeconds * 1000 } });
		}
	};
	let isStopped = false;
	let timer: NodeJS.Timeout | undefined;
	let running = Promise.resolve();
	const schedule = (): void => {
		if (isStopped) return;
		timer = setTimeout(() => {
			// What fails now is tried again at the next round.
			running = run()
				.catch((error: unknown) => {
					if (!isStopped) onFault(new Error(`expired documents stay: ${messageOf(error)}`, { cause: error }));
				})
				.finally(schedule);
		}, everySeconds * 1000);
		timer.unref();
	};
	schedule();
	const stop = async (): Promise<void> => {
		isStopped = true;
		clearTimeout(timer);
		await running;
	};
	return { run, stop };
}
