export type MinuteCounts = ReturnType<typeof createMinuteCounts>;

/** Counts by key within the minute that begins with the first one, in this process. Whoever was not counted for longest is forgotten first. */
export function createMinuteCounts(
	/** Milliseconds that never go back. */
	elapsed: () => number,
	maxEntries: number,
) {
	const counts = new Map<string, { count: number; readonly since: number }>();

	function count(key: string): number {
		const known = counts.get(key);
		if (!known) return 0;
		if (elapsed() - known.since < 60_000) return known.count;
		counts.delete(key);
		return 0;
	}

	function note(key: string): void {
		const known = count(key) > 0 ? counts.get(key) : undefined;
		const noted = known ?? { count: 0, since: elapsed() };
		noted.count++;
		counts.delete(key);
		counts.set(key, noted);
		if (counts.size > maxEntries) counts.delete(counts.keys().next().value ?? '');
	}

	return { count, note };
}
