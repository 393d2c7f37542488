/** Counts failed attempts by who made them; after too many within a minute, the next ones have to wait. */
export function createAttemptLimit(options: {
	readonly perMinute: number;
	readonly maxEntries: number;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
}) {
	const failures = new Map<string, { count: number; since: number }>();

	function isThrottled(who: string): boolean {
		const failed = failures.get(who);
		if (!failed) return false;
		if (options.elapsed() - failed.since < 60_000) return failed.count >= options.perMinute;
		failures.delete(who);
		return false;
	}

	function noteFailure(who: string): void {
		const failed = failures.get(who) ?? { count: 0, since: options.elapsed() };
		failed.count++;
		failures.delete(who);
		failures.set(who, failed);
		if (failures.size > options.maxEntries) failures.delete(failures.keys().next().value ?? '');
	}

	return { isThrottled, noteFailure };
}
