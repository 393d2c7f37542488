import ipaddr from 'ipaddr.js';
import { createMinuteCounts, type MinuteCounts } from './minute-counts.ts';

export interface AttemptLimits {
	/** Wrong passwords for one user from one address within a minute; then even the right one has to wait. */
	readonly failuresPerMinute: number;
	/** Wrong passwords from one address within a minute, for whomever; then its attempts are delayed. */
	readonly failuresPerAddress: number;
	/** Wrong passwords for one user within a minute, from wherever; then attempts for that user are delayed. */
	readonly failuresPerUser: number;
	readonly delayMilliseconds: number;
	/** Delayed attempts of one address that wait at a time; more are refused. */
	readonly delayedPerAddress: number;
}

export type AttemptOutcome = 'right' | 'wrong' | 'throttled';

/**
 * Slows down guessing. Nobody can lock others out by it: what is refused is one user from one address, and what concerns an
 * address or a user as a whole is only delayed. This process counts for itself.
 */
export function createLoginAttempts(options: {
	readonly limits: AttemptLimits;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	/** Resolves after so many milliseconds. */
	readonly pause: (milliseconds: number) => Promise<void>;
	/** How many users and addresses are remembered; beyond it the oldest are forgotten. */
	readonly maxEntries: number;
}) {
	const { limits, elapsed, pause, maxEntries } = options;
	const ofPairs = createMinuteCounts(elapsed, maxEntries);
	const ofAddresses = createMinuteCounts(elapsed, maxEntries);
	const ofUsers = createMinuteCounts(elapsed, maxEntries);
	const delayed = new Map<string, number>();
	const running = new Map<string, Set<Promise<unknown>>>();

	/** Runs a check of a password when it may run. `name` is whom it is for, `address` where it comes from. */
	async function run(address: string, name: string, check: () => Promise<boolean>): Promise<AttemptOutcome> {
		const network = networkOf(address);
		// Anybody may send any name, and it is remembered: longer ones are nobody's.
		const user = name.slice(0, maxNameLength);
		const pair = `${network} ${user}`;
		// Attempts that come at once are not all let through before the first of them has failed.
		for (let others = running.get(pair); others && mustWaitFor(pair, others.size); others = running.get(pair))
			await Promise.race(others);
		if (ofPairs.count(pair) >= limits.failuresPerMinute) return 'throttled';
		const attempt = runDelayed(network, user, check);
		const settled = attempt.then(ignore, ignore);
		const others = running.get(pair) ?? new Set();
		running.set(pair, others.add(settled));
		try {
			const outcome = await attempt;
			if (outcome === 'wrong') for (const [counts, key] of countsOf(network, user)) counts.note(key);
			return outcome;
		} finally {
			others.delete(settled);
			if (others.size === 0) running.delete(pair);
		}
	}

	function mustWaitFor(pair: string, others: number): boolean {
		const failures = ofPairs.count(pair);
		return failures < limits.failuresPerMinute && failures + others >= limits.failuresPerMinute;
	}

	async function runDelayed(network: string, user: string, check: () => Promise<boolean>): Promise<AttemptOutcome> {
		const isGuessing = ofAddresses.count(network) >= limits.failuresPerAddress || ofUsers.count(user) >= limits.failuresPerUser;
		if (isGuessing && !(await delay(network))) return 'throttled';
		return (await check()) ? 'right' : 'wrong';
	}

	async function delay(network: string): Promise<boolean> {
		const waiting = delayed.get(network) ?? 0;
		if (waiting >= limits.delayedPerAddress) return false;
		delayed.set(network, waiting + 1);
		await pause(limits.delayMilliseconds);
		const left = (delayed.get(network) ?? 1) - 1;
		if (left > 0) delayed.set(network, left);
		else delayed.delete(network);
		return true;
	}

	function countsOf(network: string, user: string): readonly (readonly [MinuteCounts, string])[] {
		return [
			[ofPairs, `${network} ${user}`],
			[ofAddresses, network],
			[ofUsers, user],
		];
	}

	return { run };
}

/** Of a tenant and a user. */
const maxNameLength = 300;

/** An address as it is counted: of IPv6 the network of 64 bits, all of which one client has; IPv4 however it is written. */
export function networkOf(address: string): string {
	// What follows % is an interface of this machine.
	const [plain = ''] = address.split('%');
	if (!ipaddr.isValid(plain)) return address;
	const parsed = ipaddr.process(plain);
	if (!('parts' in parsed)) return parsed.toString();
	const network = parsed.parts.slice(0, 4).map((part) => part.toString(16));
	return `${network.join(':')}::/64`;
}

function ignore(): void {}
