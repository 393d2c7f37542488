import type { DocumentStore } from '../store/index.ts';
import type { Readiness } from './http/index.ts';

// Anybody may ask, and each look at the store is a write.
const freshMilliseconds = 1000;

/** Tells whether the parts can do their work; what is known is good for a second. `elapsed` never goes back. */
export function createReadiness(options: {
	readonly store: DocumentStore;
	readonly elapsed: () => number;
	readonly isStopping: () => boolean;
	/** Why devices cannot be reached. */
	readonly brokerFault?: () => string | undefined;
}): () => Promise<Readiness> {
	const { store, elapsed, isStopping, brokerFault } = options;
	let looked: { readonly at: number; readonly fault: Promise<string | undefined> } | undefined;

	function look(): Promise<string | undefined> {
		if (!looked || elapsed() - looked.at >= freshMilliseconds) {
			const fault = store.ping().then(
				() => undefined,
				(error: Error) => error.message,
			);
			looked = { at: elapsed(), fault };
		}
		return looked.fault;
	}

	return async () => ({ store: part(await look()), broker: part(isStopping() ? 'the service is stopping' : brokerFault?.()) });
}

function part(reason: string | undefined) {
	return reason === undefined ? { ready: true } : { ready: false, reason };
}
