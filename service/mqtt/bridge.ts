import type { Leases } from '../leases.ts';
import { type BridgePartition, type BridgePartitionOptions, openBridgePartition } from './bridge-partition.ts';
import { createBrokerOutages } from './broker-outages.ts';
import { createPartitionShare } from './partition-share.ts';

export interface BridgeOptions extends Omit<BridgePartitionOptions, 'outages'> {
	readonly leases: Pick<Leases, 'acquire' | 'renew' | 'release'>;
	/** How many processes there are, with this one. */
	readonly processes: () => number;
	readonly leaseMilliseconds: number;
	/** Any number, another one for each process. */
	readonly first: number;
}

export type Bridge = Awaited<ReturnType<typeof openBridge>>;

const ticksInLease = 6;
const looksInLease = 16;

/**
 * The way to devices at an outside broker: once started, serves this process's share of the partitions.
 * @throws Error when the store was begun with another number of partitions
 */
export async function openBridge(options: BridgeOptions) {
	const { devices, metrics, leaseMilliseconds, log } = options;
	const fixed = await devices.fixPartitions(options.partitions);
	if (fixed !== options.partitions) {
		throw new Error(`MQTT_BRIDGE_PARTITIONS: found ${options.partitions}; right is ${fixed}, with which this store was begun`);
	}
	// Less than a lease, which is not renewed meanwhile.
	let graceMilliseconds = leaseMilliseconds / 2;
	const share = createPartitionShare({ ...options, open });
	const outages = createBrokerOutages(log);
	let hasBegun = false;
	let ticks: NodeJS.Timeout | undefined;
	let watch: NodeJS.Timeout | undefined;

	function start(): void {
		ticks = setInterval(tick, leaseMilliseconds / ticksInLease);
		watch = setInterval(share.dropExpired, leaseMilliseconds / looksInLease);
		tick();
	}

	function tick(): void {
		share.tick().then(
			() => {
				hasBegun = true;
			},
			(error: unknown) => log.error({ err: error }, 'the share of partitions could not be looked after'),
		);
	}

	function open(number: number): BridgePartition & { close(): Promise<boolean> } {
		const partition = openBridgePartition(number, { ...options, outages });
		return { ...partition, close: () => partition.close(graceMilliseconds) };
	}

	function lookFailed(error: unknown, partition: number): void {
		log.warn({ err: error, partition }, 'devices at the outside broker could not be looked up; that is tried again');
	}

	/** Opens what a failure has closed, or left closed. */
	async function sweep(): Promise<void> {
		await Promise.all(
			share.served().map(({ number, sweep: sweepOne }) => sweepOne().catch((error: unknown) => lookFailed(error, number))),
		);
	}

	/** Why devices cannot be reached; `undefined` when they can. */
	function fault(): string | undefined {
		if (!hasBegun) return 'no partition of the outside broker was asked for yet';
		return share.served().flatMap((partition) => partition.fault() ?? [])[0];
	}

	function sampleMetrics(): void {
		const served = share.served();
		metrics.bridgePartitions.set({ state: 'connected' }, served.filter((partition) => partition.fault() === undefined).length);
		metrics.bridgePartitions.set({ state: 'disconnected' }, served.filter((partition) => partition.fault() !== undefined).length);
		metrics.bridgeDevices.set(sum(served.map((partition) => partition.deviceCount())));
		metrics.bridgeInWork.set(sum(served.map((partition) => partition.inWork())));
	}

	/** Ends what is in work, as far as there is time for it, and leaves the partitions to others. */
	async function close(milliseconds: number): Promise<void> {
		graceMilliseconds = Math.min(graceMilliseconds, milliseconds);
		clearInterval(ticks);
		await share.close();
		clearInterval(watch);
	}

	return { start, sweep, fault, sampleMetrics, close };
}

function sum(numbers: readonly number[]): number {
	return numbers.reduce((total, number) => total + number, 0);
}
