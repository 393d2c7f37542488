import type { Logger } from 'pino';

/** The right to serve a partition alone, for a while. */
export interface PartitionLease {
	readonly name: string;
	readonly term: number;
	/** In milliseconds of `elapsed`. */
	readonly validUntil: number;
}

export interface PartitionLeases {
	acquire(name: string): Promise<PartitionLease | undefined>;
	renew(lease: PartitionLease): Promise<PartitionLease | undefined>;
	release(lease: PartitionLease): Promise<void>;
}

/** Something that is served while its lease lasts. */
export interface Served {
	/** Ends what is in work, then leaves. */
	close(): Promise<void>;
	/** Leaves at once. */
	abandon(): void;
}

/**
 * Serves a fair share of partitions: all of them divided by the processes that are alive, rounded up. Each process gives back
 * what it has above that and takes what is free, so the shares become even within a few ticks, whoever comes or goes.
 */
export function createPartitionShare<S extends Served>(options: {
	readonly partitions: number;
	readonly leases: PartitionLeases;
	/** How many processes there are, with this one. */
	readonly processes: () => number;
	readonly open: (partition: number) => S;
	readonly elapsed: () => number;
	/** Where the search for free ones begins, so that processes do not all ask for the same. */
	readonly first: number;
	readonly log: Logger;
}) {
	const { partitions, leases, processes, elapsed, log } = options;
	const held = new Map<number, { lease: PartitionLease; readonly served: S }>();
	let ended = false;
	let ticking: Promise<void> | undefined;

	/** To be called several times in the time of a lease. One that is still under way is not begun again. */
	function tick(): Promise<void> {
		ticking ??= share().finally(() => {
			ticking = undefined;
		});
		return ticking;
	}

	async function share(): Promise<void> {
		await Promise.all([...held.keys()].map(renew));
		const fair = Math.ceil(partitions / Math.max(1, processes()));
		for (const partition of [...held.keys()].slice(fair)) await giveBack(partition);
		for (let i = 0; i < partitions && !ended; i++) await take((options.first + i) % partitions, fair);
	}

	async function renew(partition: number): Promise<void> {
		const entry = held.get(partition);
		if (!entry) return;
		const renewed = await leases.renew(entry.lease);
		if (renewed) entry.lease = renewed;
		else lose(partition);
	}

	// Asked for above the fair share, too: that a holder is gone shows only to those who have asked before.
	async function take(partition: number, fair: number): Promise<void> {
		if (held.has(partition)) return;
		const lease = await leases.acquire(nameOf(partition));
		if (!lease) return;
		if (ended || held.size >= fair) {
			await leases.release(lease);
			return;
		}
		held.set(partition, { lease, served: options.open(partition) });
		log.info({ partition, partitions: held.size }, 'partition taken');
	}

	async function giveBack(partition: number): Promise<void> {
		const entry = held.get(partition);
		if (!entry) return;
		await entry.served.close();
		if (!held.delete(partition)) return;
		log.info({ partition, partitions: held.size }, 'partition given back');
		await leases.release(entry.lease);
	}

	function lose(partition: number): void {
		const entry = held.get(partition);
		if (!entry) return;
		held.delete(partition);
		entry.served.abandon();
		log.warn({ partition }, 'partition lost: its lease was not renewed in time');
	}

	/** Leaves what could not be renewed in time, even while the store does not answer. */
	function dropExpired(): void {
		for (const [partition, { lease }] of held) if (elapsed() >= lease.validUntil) lose(partition);
	}

	/** Gives everything back. */
	async function close(): Promise<void> {
		ended = true;
		await ticking?.catch(ignore);
		await Promise.all([...held.keys()].map(giveBack));
	}

	return { tick, dropExpired, close, served: () => [...held.values()].map(({ served }) => served) };
}

export function nameOf(partition: number): string {
	return `bridge/${partition}`;
}

// It has been told to whoever called it.
function ignore(): void {}
