import type { Logger } from 'pino';
import type { Config } from '../config/index.ts';
import type { Operations } from '../operations/index.ts';
import type { DocumentStore } from '../store/index.ts';
import { createDeadline } from './deadline.ts';
import type { Readiness } from './http/index.ts';
import type { Metrics } from './metrics.ts';
import type { Bridge, EmbeddedBroker } from './mqtt/index.ts';
import { createOperationFigures } from './operation-figures.ts';
import type { OtherProcesses } from './other-processes.ts';
import { isStoreFault } from './store-fault.ts';

/** Returns what reads, for each scrape, the figures that nobody counts as they change. */
export function createMetricsSampler(options: {
	readonly config: Config;
	readonly metrics: Metrics;
	readonly readiness: () => Promise<Readiness>;
	readonly store: DocumentStore;
	readonly broker: EmbeddedBroker;
	readonly bridge: Bridge | undefined;
	readonly operations: Operations;
	readonly others: OtherProcesses | undefined;
	readonly clock: () => number;
	readonly elapsed: () => number;
	/** The longest that the figures of the store are waited for. */
	readonly timeoutMilliseconds: number;
	readonly log: Logger;
}): () => Promise<void> {
	const { config, metrics, readiness, store, broker, bridge, others, elapsed, timeoutMilliseconds } = options;
	const sampleOperations = createOperationFigures({
		...options,
		everyMilliseconds: config.metrics.sampleSeconds * 1000,
		isCounting: others?.isLeader ?? (() => true),
	});

	async function sampleStore(): Promise<void> {
		try {
			const figures = await store.statistics();
			metrics.storeWaiting.set(figures.waitingBatches);
			metrics.storeCommits.read(figures.commits);
			metrics.storeBatches.read(figures.committedBatches);
			metrics.storeBytes.set(figures.sizeBytes);
		} catch (error) {
			if (!isStoreFault(error)) throw error;
			metrics.ready.set({ part: 'store' }, 0);
		}
	}

	return async () => {
		const parts = await readiness();
		metrics.ready.set({ part: 'store' }, Number(parts.store.ready));
		metrics.ready.set({ part: 'broker' }, Number(parts.broker.ready));
		metrics.mqttConnections.set(broker.connections());
		metrics.mqttQueued.set(broker.queuedMessages());
		bridge?.sampleMetrics();
		metrics.processes.set(others?.count() ?? 1);
		// Who watches has to hear of a store that fails: its own figures then stay what they were.
		if (!parts.store.ready) return;
		await createDeadline(timeoutMilliseconds, elapsed).wait(sampleStore());
		await sampleOperations();
	};
}
