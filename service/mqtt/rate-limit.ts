/** Lets through at most `perSecond` calls in any second that begins with a call. */
export function createRateLimit({
	perSecond,
	elapsed,
}: {
	readonly perSecond: number;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
}): () => boolean {
	let since = Number.NEGATIVE_INFINITY;
	let taken = 0;
	return () => {
		const now = elapsed();
		if (now - since >= 1000) {
			since = now;
			taken = 0;
		}
		taken++;
		return taken <= perSecond;
	};
}
