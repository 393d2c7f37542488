export type RateLimit = ReturnType<typeof createRateLimit>;

/**
 * Counts what each key does in a second, at this process alone. What is remembered is of one second: no more keys than there were
 * calls in it.
 */
export function createRateLimit(
	/** Milliseconds that never go back. */
	elapsed: () => number,
) {
	let since = Number.NEGATIVE_INFINITY;
	const taken = new Map<string, number>();

	/** Counts one more; by how many the key is now over what it may do in a second, 0 where it is not. */
	function excess(key: string, perSecond: number): number {
		if (perSecond === 0) return 0;
		const now = elapsed();
		if (now - since >= 1000) {
			since = now;
			taken.clear();
		}
		const count = (taken.get(key) ?? 0) + 1;
		taken.set(key, count);
		return Math.max(0, count - perSecond);
	}

	return { excess };
}
