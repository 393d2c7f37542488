import { type Operations, operationStatuses } from '../operations/index.ts';
import type { DocumentStore } from '../store/index.ts';
import type { Readiness } from './http/index.ts';
import type { Metrics } from './metrics.ts';
import type { Bridge, EmbeddedBroker } from './mqtt/index.ts';

/** Reads the figures that nobody counts as they change. */
export async function sampleMetrics(options: {
	readonly metrics: Metrics;
	readonly readiness: () => Promise<Readiness>;
	readonly store: DocumentStore;
	readonly broker: EmbeddedBroker;
	readonly bridge: Bridge | undefined;
	readonly operations: Operations;
	readonly processes: number;
}): Promise<void> {
	const { metrics, readiness, store, broker, bridge, operations, processes } = options;
	const parts = await readiness();
	metrics.ready.set({ part: 'store' }, Number(parts.store.ready));
	metrics.ready.set({ part: 'broker' }, Number(parts.broker.ready));
	metrics.mqttConnections.set(broker.connections());
	metrics.mqttQueued.set(broker.queuedMessages());
	bridge?.sampleMetrics();
	metrics.processes.set(processes);
	// Who watches has to hear of a store that fails: its own figures then stay what they were.
	if (!parts.store.ready) return;
	const figures = await store.statistics();
	metrics.storeWaiting.set(figures.waitingBatches);
	metrics.storeCommits.set(figures.commits);
	metrics.storeBatches.set(figures.committedBatches);
	metrics.storeBytes.set(figures.sizeBytes);
	const counts = new Map((await operations.countByStatus()).map(({ status, count }) => [status, count]));
	for (const status of operationStatuses) metrics.operations.set({ status }, counts.get(status) ?? 0);
}
