/** Lets through at most `perSecond` calls in any second that begins with a call. */
export function createRateLimit({
	perSecond,
	clock,
}: {
	readonly perSecond: number;
	readonly clock: () => number;
}): () => boolean {
	let since = 0;
	let taken = 0;
	return () => {
		const now = clock();
		if (now - since >= 1000 || now < since) {
			since = now;
			taken = 0;
		}
		taken++;
		return taken <= perSecond;
	};
}
