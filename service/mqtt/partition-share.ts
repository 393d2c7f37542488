import type { Logger } from 'pino';
import type { Lease, Leases } from '../leases.ts';

/** Something that is served while its lease lasts. */
export interface Served {
	/** Ends what is in work, then leaves. `false` when something was still in work as it left. */
	close(): Promise<boolean>;
	/** Leaves at once. Resolves when nothing is in work any more. */
	abandon(): Promise<void>;
}

/**
 * Serves a fair share of partitions: all of them divided by the processes that are alive, rounded up. Each process gives back
 * what it has above that and takes what is free, so the shares become even within a few ticks, whoever comes or goes.
 */
export function createPartitionShare<S extends Served>(options: {
	readonly partitions: number;
	readonly leases: Pick<Leases, 'acquire' | 'renew' | 'release'>;
	/** How many processes there are, with this one. */
	readonly processes: () => number;
	readonly open: (partition: number) => S;
	readonly elapsed: () => number;
	/** Where the search for free ones begins, so that processes do not all ask for the same. */
	readonly first: number;
	readonly log: Logger;
}) {
	const { partitions, leases, processes, elapsed, log } = options;
	const held = new Map<number, Entry>();
	/** Left with something still in work: whoever takes one of them here again would handle the same beside it. */
	const unfinished = new Set<number>();
	let ended = false;
	let renewing: Promise<void> | undefined;
	let sharing: Promise<void> | undefined;

	interface Entry {
		lease: Lease;
		readonly served: S;
		leaving: boolean;
	}

	/** To be called several times in the time of a lease. What is still under way is not begun again. */
	async function tick(): Promise<void> {
		renewing ??= renewAll().finally(() => {
			renewing = undefined;
		});
		// What is kept is renewed while others are given back, which takes its time.
		sharing ??= share(renewing).finally(() => {
			sharing = undefined;
		});
		await Promise.all([renewing, sharing]);
	}

	async function share(renewed: Promise<void>): Promise<void> {
		await renewed;
		const fair = Math.ceil(partitions / Math.max(1, processes()));
		await Promise.all([...held.keys()].slice(fair).map(giveBack));
		for (let i = 0; i < partitions && !ended; i++) await take((options.first + i) % partitions, fair);
	}

	async function renewAll(): Promise<void> {
		const results = await Promise.allSettled([...held].map(([partition, entry]) => renew(partition, entry)));
		for (const result of results) if (result.status === 'rejected') throw result.reason;
	}

	async function renew(partition: number, entry: Entry): Promise<void> {
		// It has the rest of its lease to leave, and no more, whatever holds it up.
		if (entry.leaving) return;
		const renewed = await leases.renew(entry.lease);
		if (renewed) entry.lease = renewed;
		else lose(partition, entry);
	}

	// Asked for above the fair share, too: that a holder is gone shows only to those who have asked before.
	async function take(partition: number, fair: number): Promise<void> {
		if (held.has(partition) || unfinished.has(partition)) return;
		const lease = await leases.acquire(nameOf(partition));
		if (!lease) return;
		if (ended || held.size >= fair) {
			await leases.release(lease);
			return;
		}
		held.set(partition, { lease, served: options.open(partition), leaving: false });
		log.info({ partition, partitions: held.size }, 'partition taken');
	}

	async function giveBack(partition: number): Promise<void> {
		const entry = held.get(partition);
		if (!entry) return;
		entry.leaving = true;
		const hasFinished = await entry.served.close().catch((error: unknown) => {
			log.error({ err: error, partition }, 'a partition could not be closed');
			return false;
		});
		if (held.get(partition) !== entry) return;
		if (!hasFinished) {
			abandon(partition, entry);
			log.warn({ partition }, 'partition left with messages in work: others have it when its lease is over');
			return;
		}
		held.delete(partition);
		log.info({ partition, partitions: held.size }, 'partition given back');
		await leases
			.release(entry.lease)
			.catch((error: unknown) => log.warn({ err: error, partition }, 'a lease could not be given back: it ends by itself'));
	}

	function lose(partition: number, entry: Entry): void {
		if (held.get(partition) !== entry) return;
		abandon(partition, entry);
		log.warn({ partition }, 'partition lost: its lease was not renewed in time');
	}

	function abandon(partition: number, { served }: Entry): void {
		held.delete(partition);
		unfinished.add(partition);
		served
			.abandon()
			.catch((error: unknown) => log.error({ err: error, partition }, 'a partition could not be left'))
			.finally(() => unfinished.delete(partition));
	}

	/** Leaves what could not be renewed in time, even while the store does not answer. */
	function dropExpired(): void {
		for (const [partition, entry] of held) if (elapsed() >= entry.lease.validUntil) lose(partition, entry);
	}

	/** Gives everything back. */
	async function close(): Promise<void> {
		ended = true;
		await Promise.allSettled([renewing, sharing]);
		await Promise.all([...held.keys()].map(giveBack));
	}

	return { tick, dropExpired, close, served: () => [...held.values()].map(({ served }) => served) };
}

export function nameOf(partition: number): string {
	return `bridge/${partition}`;
}
