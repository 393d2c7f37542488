import type { DocumentStore } from '../store/index.ts';
import { createDeadline } from './deadline.ts';
import type { Readiness } from './http/index.ts';

// Anybody may ask, and each look at the store is a write.
const freshMilliseconds = 1000;

/** Tells whether the parts can do their work; what is known is good for a second. `elapsed` never goes back. */
export function createReadiness(options: {
	readonly store: Pick<DocumentStore, 'ping'>;
	readonly elapsed: () => number;
	/** A store that takes longer to answer is not ready. */
	readonly timeoutMilliseconds: number;
	readonly isStopping: () => boolean;
	/** Why devices cannot be reached. */
	readonly brokerFault?: () => string | undefined;
}): () => Promise<Readiness> {
	const { store: database, elapsed, timeoutMilliseconds, isStopping, brokerFault } = options;
	let looked: { readonly at: number; readonly fault: Promise<string | undefined> } | undefined;
	let asked: Promise<string | undefined> | undefined;

	function look(): Promise<string | undefined> {
		if (!looked || elapsed() - looked.at >= freshMilliseconds) looked = { at: elapsed(), fault: lookInTime() };
		return looked.fault;
	}

	async function lookInTime(): Promise<string | undefined> {
		let fault: string | undefined = `the database did not answer within ${timeoutMilliseconds} ms`;
		// One question at a time: a store that does not answer is not asked more and more.
		asked ??= ask().finally(() => {
			asked = undefined;
		});
		const answered = asked.then((answer) => {
			fault = answer;
		});
		await createDeadline(timeoutMilliseconds, elapsed).wait(answered);
		return fault;
	}

	async function ask(): Promise<string | undefined> {
		return database.ping().then(
			() => undefined,
			(error: Error) => error.message,
		);
	}

	return async () => {
		// A balancer has to hear at once that this process goes, however slow the database is.
		const store = isStopping() ? undefined : await look();
		return { store: part(store), broker: part(isStopping() ? 'the service is stopping' : brokerFault?.()) };
	};
}

function part(reason: string | undefined) {
	return reason === undefined ? { ready: true } : { ready: false, reason };
}
