import { isStoreFault } from '../store-fault.ts';
import type { IncomingPublish, Session } from './session.ts';

type HandleTurn = (session: Session, turn: readonly IncomingPublish[]) => Promise<void>;

const firstPauseMilliseconds = 100;
const longestPauseMilliseconds = 2000;

export type Patience = ReturnType<typeof createPatience>;

/**
 * Holds devices back while the store cannot write, instead of cutting them off: nothing is acknowledged meanwhile, so they send
 * no more than their windows allow, and go on by themselves when it can. What takes longer than `limitMilliseconds` fails.
 */
export function createPatience({
	handle,
	elapsed,
	limitMilliseconds,
	onWait,
}: {
	readonly handle: HandleTurn;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	readonly limitMilliseconds: number;
	/** Hears of each failure that is waited for. */
	readonly onWait: (session: Session, error: Error) => void;
}) {
	const waiting = new Set<() => void>();
	let ended = false;

	/** @throws StoreError when it must all be sent again */
	async function handlePatiently(session: Session, turn: readonly IncomingPublish[]): Promise<void> {
		const giveUpAt = elapsed() + limitMilliseconds;
		for (let pause = firstPauseMilliseconds; ; pause = Math.min(2 * pause, longestPauseMilliseconds)) {
			try {
				return await handle(session, turn);
			} catch (error) {
				if (!isStoreFault(error) || ended || elapsed() + pause > giveUpAt) throw error;
				onWait(session, error);
			}
			for (const publish of turn) publish.retried = true;
			await rest(pause);
		}
	}

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

	/** The service stops: what waits is tried once more, and nothing waits any longer. */
	function end(): void {
		ended = true;
		for (const go of waiting) go();
	}

	return { handlePatiently, end };
}
