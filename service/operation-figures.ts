import type { Logger } from 'pino';
import type { Operations } from '../operations/index.ts';
import { createDeadline } from './deadline.ts';
import type { Metrics } from './metrics.ts';

/** A scrape that comes while operations are counted waits no longer than this: its other figures must not be lost. */
const scrapeWaitsMilliseconds = 1000;

/**
 * Counts operations for `/metrics`: seldom, and in one of the processes that share a store, for the count takes longer the more
 * operations there are. Returns what is called for each scrape.
 */
export function createOperationFigures(options: {
	readonly metrics: Pick<Metrics, 'operations' | 'oldestPending'>;
	readonly operations: Pick<Operations, 'survey'>;
	readonly everyMilliseconds: number;
	readonly clock: () => number;
	/** Never goes back. */
	readonly elapsed: () => number;
	/** Whether this is the process that counts; the others tell nothing. */
	readonly isCounting: () => boolean;
	readonly log: Logger;
}): () => Promise<void> {
	const { metrics, operations, everyMilliseconds, clock, elapsed, isCounting, log } = options;
	let underWay: Promise<void> | undefined;
	let countedAt: number | undefined;

	async function count(): Promise<void> {
		const began = elapsed();
		try {
			const { counts, oldestPending } = await operations.survey();
			if (!isCounting()) return;
			for (const [status, found] of counts) metrics.operations.set({ status }, found);
			metrics.oldestPending.set(oldestPending === undefined ? 0 : Math.max(0, clock() - oldestPending) / 1000);
			countedAt = began;
		} catch (error) {
			// The next scrape counts again.
			log.warn({ err: error }, 'operations could not be counted');
		}
	}

	function forget(): void {
		countedAt = undefined;
		metrics.operations.reset();
		metrics.oldestPending.remove();
	}

	return async () => {
		if (!isCounting()) return forget();
		if (underWay === undefined && (countedAt === undefined || elapsed() - countedAt >= everyMilliseconds)) {
			underWay = count().finally(() => {
				underWay = undefined;
			});
		}
		if (underWay !== undefined) await createDeadline(scrapeWaitsMilliseconds, elapsed).wait(underWay);
	};
}
