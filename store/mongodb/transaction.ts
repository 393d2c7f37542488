import { setTimeout as delay } from 'node:timers/promises';
import { type ClientSession, MongoNetworkError, type TransactionOptions } from 'mongodb';
import { StoreError } from '../document-store.ts';
import { isTransient, isUnknownCommit, isUnreachable, messageOf, SilenceError, TryAgain } from './explain-error.ts';
import type { Attempt, TransactionSessions } from './transaction-sessions.ts';

export interface TransactionsOptions {
	readonly sessions: TransactionSessions;
	/** How long a transaction is tried again that others are in the way of. */
	readonly timeoutMilliseconds: number;
}

/**
 * Runs work in a transaction; the work may run several times. `era` is that of the sessions when it was wanted: none commits in another.
 * @throws what the driver throws, StoreError at the end of the time, and of the era
 */
export type RunTransaction = <T>(work: (session: ClientSession) => Promise<Attempt<T>>, era?: number) => Promise<T>;

const options: TransactionOptions = {
	// All reads of it see one moment; a write on what was changed since then makes it begin again.
	readConcern: { level: 'snapshot' },
	writeConcern: { w: 'majority', journal: true },
	readPreference: 'primary',
};
const maxAttempts = 1000;
const firstPause = 2;
const longestPause = 200;

export function createTransactions({ sessions, timeoutMilliseconds }: TransactionsOptions): RunTransaction {
	return async (work, era) => {
		const deadline = performance.now() + timeoutMilliseconds;
		const check = (): void => {
			if (sessions.isOver(era)) throw new SilenceError();
		};
		for (let attempt = 1; ; attempt++) {
			try {
				return (await sessions.use((session) => attemptOnce(session, work, check, deadline))).result;
			} catch (error) {
				if (!isTransient(error)) throw error;
				if (attempt >= maxAttempts || performance.now() > deadline) {
					throw new StoreError(
						`the database did not commit a transaction within ${timeoutMilliseconds} ms and ${attempt} attempts, because others changed the same documents or it could not be reached: ${messageOf(error)}`,
					);
				}
				// By chance, so that two which are in each other's way do not meet again.
				await delay(Math.min(firstPause * 2 ** Math.min(attempt, 10), longestPause) * Math.random());
			}
		}
	};
}

async function attemptOnce<T>(
	session: ClientSession,
	work: (session: ClientSession) => Promise<Attempt<T>>,
	check: () => void,
	deadline: number,
): Promise<Attempt<T>> {
	check();
	session.startTransaction(options);
	let attempt: Attempt<T>;
	try {
		attempt = await work(session);
		if (attempt.commit) check();
	} catch (error) {
		// Where the connection is lost, the session goes as it is: there may be nobody to tell.
		if (isUnreachable(error)) throw error instanceof MongoNetworkError ? new TryAgain(messageOf(error), { cause: error }) : error;
		await session.abortTransaction();
		throw error;
	}
	if (!attempt.commit) await session.abortTransaction();
	else await commit(session, deadline);
	return attempt;
}

/** An answer that was lost leaves open whether it is committed: asking again is harmless, and tells. */
async function commit(session: ClientSession, deadline: number): Promise<void> {
	for (;;) {
		try {
			await session.commitTransaction();
			return;
		} catch (error) {
			if (!isUnknownCommit(error) || performance.now() > deadline) throw error;
			await delay(longestPause);
		}
	}
}
