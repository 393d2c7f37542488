import { messageOf } from './connection.ts';
import { stepCode } from './protocol.ts';
import { conditionSql } from './query-sql.ts';
import { encodeRemoval, type OpenCollection } from './steps.ts';
import type { WriteQueue } from './write-queue.ts';

/** A collection whose documents expire. */
export interface Expiry {
	readonly collection: OpenCollection;
	readonly field: string;
	readonly afterSeconds: number;
}

export interface ExpiryOptions {
	/** May grow while it runs. */
	readonly expiries: ReadonlyMap<string, Expiry>;
	readonly writes: WriteQueue;
	readonly now: () => number;
	readonly everySeconds: number;
	readonly onFault: (error: Error) => void;
}

const removedAtOnce = 200;
const rounds = 50;

/** Removes expired documents from time to time, few at once so that nobody waits behind it. */
export function startExpiry(options: ExpiryOptions): { run: () => Promise<void>; stop: () => void } {
	const run = async (): Promise<void> => {
		for (const expiry of options.expiries.values()) await removeExpired(expiry, options);
	};
	let isRunning = false;
	let isStopped = false;
	const timer = setInterval(() => {
		if (isRunning) return;
		isRunning = true;
		// What fails now is tried again at the next round.
		run()
			.catch((error: unknown) => {
				if (!isStopped) options.onFault(new Error(`expired documents stay: ${messageOf(error)}`, { cause: error }));
			})
			.finally(() => {
				isRunning = false;
			});
	}, options.everySeconds * 1000);
	timer.unref();
	const stop = () => {
		isStopped = true;
		clearInterval(timer);
	};
	return { run, stop };
}

async function removeExpired({ collection, field, afterSeconds }: Expiry, { writes, now }: ExpiryOptions): Promise<void> {
	const condition = conditionSql(collection.layout, { [field]: { $lt: now() - afterSeconds * 1000 } });
	for (let round = 0; round < rounds; round++) {
		const removed = await writes.batchForDocument((cells) => {
			cells.push(stepCode.removeWhere, collection.number);
			encodeRemoval(condition, removedAtOnce, cells);
			return false;
		});
		if (Number(removed) < removedAtOnce) return;
	}
}
