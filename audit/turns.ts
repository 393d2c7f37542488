/** Lets work on the same things go one after the other, in the order in which it came. */
export function createTurns() {
	const last = new Map<string, Promise<unknown>>();

	/** Runs the work when all that came before it and names one of these keys has ended. */
	async function inTurn<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
		const before = keys.flatMap((key) => last.get(key) ?? []);
		const turn = before.length === 0 ? work() : Promise.all(before).then(work);
		// Whoever comes next waits for the end, however it ends.
		const ended = turn.catch(() => undefined);
		for (const key of keys) last.set(key, ended);
		try {
			return await turn;
		} finally {
			for (const key of keys) if (last.get(key) === ended) last.delete(key);
		}
	}

	return { inTurn };
}
