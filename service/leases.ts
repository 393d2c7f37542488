import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type DocumentStore, type Lease, type Leases, openLeases } from '../store/index.ts';

export type { Lease, Leases };

/** What a process does while it has a lease. */
export interface LeaseWork {
	/**
	 * The lease is held: the work begins, and ends when the signal is aborted, for the lease is lost or the process stops.
	 * What two must never do carries `guard(lease)`, for a process that stalled hears of nothing in time; cleaning up, which two
	 * may do, needs none. A failure gives the lease back.
	 */
	onHeld(lease: Lease, signal: AbortSignal): Promise<void> | void;
}

/** A lease that this process holds whenever it can have it. */
export interface HeldLease {
	/** The lease as it is held now. */
	current(): Lease | undefined;
	/** Ends the work, gives the lease back and asks for it no more. */
	stop(): Promise<void>;
}

export type LeaseKeeper = Awaited<ReturnType<typeof openLeaseKeeper>>;

/** Asks for leases, renews them, and tells their work when they are lost. When a holder is gone, another one has its lease within the time. */
export async function openLeaseKeeper(options: {
	readonly store: DocumentStore;
	/** This process, by a name that it had at no earlier start. */
	readonly holder: string;
	readonly leaseMilliseconds: number;
	readonly elapsed: () => number;
	readonly log: Logger;
}) {
	const { leaseMilliseconds, elapsed, log } = options;
	const askMilliseconds = leaseMilliseconds / 12;
	const renewMilliseconds = leaseMilliseconds / 6;
	// A holder that is gone is seen to be silent from the look after its last renewal on, and that it was so for long enough by
	// another look: with both, another one has the lease within its time.
	const leases = await openLeases({ ...options, leaseMilliseconds: leaseMilliseconds - 2 * askMilliseconds });
	const held = new Set<HeldLease>();

	function holdLease(name: string, work: LeaseWork): HeldLease {
		const stopping = new AbortController();
		let current: Lease | undefined;
		const note = (lease: Lease | undefined) => {
			current = lease;
		};
		const running = keep(name, work, stopping.signal, note);
		const one: HeldLease = {
			current: () => current,
			async stop() {
				stopping.abort();
				held.delete(one);
				await running;
			},
		};
		held.add(one);
		return one;
	}

	async function keep(name: string, work: LeaseWork, stop: AbortSignal, note: (lease: Lease | undefined) => void): Promise<void> {
		while (!stop.aborted) {
			const lease = await leases.acquire(name).catch((error: unknown) => {
				log.warn({ err: error, lease: name }, 'a lease could not be asked for');
				return undefined;
			});
			if (lease) await hold(lease, work, stop, note);
			await pause(askMilliseconds, stop);
		}
	}

	async function hold(lease: Lease, work: LeaseWork, stop: AbortSignal, note: (lease: Lease | undefined) => void): Promise<void> {
		const lost = new AbortController();
		const lose = () => lost.abort();
		let current = lease;
		let expiry: NodeJS.Timeout | undefined;
		const held = (renewed: Lease) => {
			if (lost.signal.aborted) return;
			current = renewed;
			note(renewed);
			clearTimeout(expiry);
			expiry = setTimeout(lose, renewed.validUntil - elapsed()).unref();
		};
		held(lease);
		stop.addEventListener('abort', lose, { once: true });
		if (stop.aborted) lose();
		lost.signal.addEventListener('abort', () => note(undefined), { once: true });
		log.debug({ lease: lease.name, term: lease.term }, 'lease held');
		const whenLost = aborted(lost.signal);
		let failed = false;
		const working = (async () => work.onHeld(lease, lost.signal))().catch((error: unknown) => {
			log.error({ err: error, lease: lease.name }, 'the work of a lease failed');
			failed = true;
			lose();
		});
		while (!lost.signal.aborted) {
			await pause(renewMilliseconds, lost.signal);
			if (!lost.signal.aborted) await Promise.race([renew(current, held, lose), whenLost]);
		}
		clearTimeout(expiry);
		stop.removeEventListener('abort', lose);
		await working;
		if (!stop.aborted && !failed) log.warn({ lease: lease.name, term: lease.term }, 'lease lost');
		else
			await leases
				.release(current)
				.catch((error: unknown) => log.warn({ err: error, lease: lease.name }, 'lease not given back'));
	}

	async function renew(lease: Lease, held: (renewed: Lease) => void, lose: () => void): Promise<void> {
		try {
			const renewed = await leases.renew(lease);
			if (renewed) held(renewed);
			else lose();
		} catch (error) {
			// Its time goes on: the next attempt may come soon enough.
			log.warn({ err: error, lease: lease.name }, 'a lease could not be renewed');
		}
	}

	/** Ends the work of all leases and gives them back. */
	async function close(): Promise<void> {
		await Promise.all([...held].map((one) => one.stop()));
	}

	return { holdLease, leases, guard: leases.guard, close };
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
	await delay(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}

function aborted(signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
