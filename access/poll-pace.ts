const minute = 60_000;

/** Counts how often each device asks within a minute, in this process. Whoever has not asked for longest is forgotten first. */
export function createPollPace(options: {
	readonly perMinute: number;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	readonly maxEntries: number;
}) {
	const { perMinute, elapsed, maxEntries } = options;
	const asked = new Map<string, { readonly since: number; readonly count: number }>();

	/** Whether it may ask now. */
	function take(serial: string): boolean {
		const now = elapsed();
		const known = asked.get(serial);
		const current = known && now - known.since < minute ? known : { since: now, count: 0 };
		asked.delete(serial);
		asked.set(serial, { since: current.since, count: Math.min(current.count + 1, perMinute + 1) });
		if (asked.size > maxEntries) asked.delete(asked.keys().next().value ?? '');
		return current.count < perMinute;
	}

	return { take };
}
