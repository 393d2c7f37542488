import type { IncomingPublish, Session } from './session.ts';
import type { StoreWaits } from './store-waits.ts';

export type UnlessSilent = <T>(work: () => Promise<T>) => Promise<T>;
type HandleTurn = (session: Session, turn: readonly IncomingPublish[]) => Promise<void>;

const longestPauseMilliseconds = 2000;

export type Patience = ReturnType<typeof createPatience>;

/**
 * Holds devices back while the store cannot write, instead of cutting them off: nothing is acknowledged meanwhile, so they send
 * no more than their windows allow, and go on by themselves when it can. What takes longer than `limitMilliseconds` fails.
 */
export function createPatience({
	handle,
	waits,
	unlessSilent,
	elapsed,
	limitMilliseconds,
	onWait,
}: {
	readonly handle: HandleTurn;
	readonly waits: Pick<StoreWaits, 'untilAnswered'>;
	readonly unlessSilent: UnlessSilent;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	readonly limitMilliseconds: number;
	/** Hears of each failure that is waited for. */
	readonly onWait: (session: Session, error: Error) => void;
}) {
	/**
	 * `check` is called before each attempt, and fails when the turn is not this process's business any more. What it has found
	 * holds until all is written: a process that is silent in between writes nothing.
	 * @throws StoreError when it must all be sent again
	 */
	async function handlePatiently(
		session: Session,
		turn: readonly IncomingPublish[],
		check?: () => Promise<void> | void,
	): Promise<void> {
		const giveUpAt = elapsed() + limitMilliseconds;
		await waits.untilAnswered(
			async () => {
				await unlessSilent(async () => {
					if (check) await check();
					await handle(session, turn);
				});
			},
			(pause) => elapsed() + pause <= giveUpAt,
			{
				longest: longestPauseMilliseconds,
				onWait(error) {
					onWait(session, error);
					for (const publish of turn) publish.retried = true;
				},
			},
		);
	}

	return { handlePatiently };
}
