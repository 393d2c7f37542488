import { type Operations, operationStatuses } from '../operations/index.ts';
import type { DocumentStore } from '../store/index.ts';
import type { Metrics } from './metrics.ts';
import type { EmbeddedBroker } from './mqtt/index.ts';

/** Reads the figures that nobody counts as they change. */
export async function sampleMetrics(options: {
	readonly metrics: Metrics;
	readonly store: DocumentStore;
	readonly broker: EmbeddedBroker;
	readonly operations: Operations;
	readonly processes: number;
}): Promise<void> {
	const { metrics, store, broker, operations, processes } = options;
	const figures = await store.statistics();
	metrics.storeWaiting.set(figures.waitingBatches);
	metrics.storeCommits.set(figures.commits);
	metrics.storeBatches.set(figures.committedBatches);
	metrics.storeBytes.set(figures.sizeBytes);
	metrics.mqttConnections.set(broker.connections());
	metrics.mqttQueued.set(broker.queuedMessages());
	metrics.processes.set(processes);
	const counts = new Map((await operations.countByStatus()).map(({ status, count }) => [status, count]));
	for (const status of operationStatuses) metrics.operations.set({ status }, counts.get(status) ?? 0);
}
