import { isStoreFault } from '../store-fault.ts';

export type StoreWaits = ReturnType<typeof createStoreWaits>;

const firstPauseMilliseconds = 100;
const longestPauseMilliseconds = 5000;

interface WaitOptions {
	/** The longest pause, in milliseconds. */
	readonly longest?: number;
	readonly onWait?: (error: Error) => void;
}

/** Pauses for a store that cannot be reached just now; none of them outlasts the service. */
export function createStoreWaits(options: {
	/** Between 0 and 1: what waits for the same store should not all come back at the same moment. */
	readonly chance: () => number;
	/** Hears of each failure that is waited for. */
	readonly onWait: (error: Error) => void;
}) {
	const waiting = new Set<() => void>();
	let ended = false;

	async function rest(milliseconds: number): Promise<void> {
		await new Promise<void>((resolve) => {
			const timer = setTimeout(go, milliseconds);
			function go(): void {
				clearTimeout(timer);
				waiting.delete(go);
				resolve();
			}
			waiting.add(go);
		});
	}

	/**
	 * Does it again, after longer and longer pauses, until the store has answered.
	 * `isWanted` is told how long it would wait; `onWait` hears of each failure that is waited for.
	 * @throws what is no fault of the store, and such a fault when it is not wanted any more or the service stops
	 */
	async function untilAnswered<T>(
		work: () => Promise<T>,
		isWanted: (pauseMilliseconds: number) => boolean,
		{ longest = longestPauseMilliseconds, onWait = options.onWait }: WaitOptions = {},
	): Promise<T> {
		for (let pause = firstPauseMilliseconds; ; pause = Math.min(2 * pause, longest)) {
			try {
				return await work();
			} catch (error) {
				if (!isStoreFault(error) || ended || !isWanted(pause)) throw error;
				onWait(error);
			}
			await rest(pause * (0.5 + options.chance() / 2));
		}
	}

	/** The service stops: what waits is tried once more, and nothing waits any longer. */
	function end(): void {
		ended = true;
		for (const go of waiting) go();
	}

	return { untilAnswered, end };
}
