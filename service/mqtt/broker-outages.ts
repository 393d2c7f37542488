import type { Logger } from 'pino';

export type BrokerOutages = ReturnType<typeof createBrokerOutages>;

/** Says once that the outside broker is away, and why, however many sessions notice it. */
export function createBrokerOutages(log: Logger) {
	let told: string | undefined;

	/** A session has no connection any more, or gets none. */
	function lost(reason: string, retryMilliseconds: number): void {
		log[told === reason ? 'debug' : 'warn']({ reason, retryMilliseconds }, 'no connection to the outside broker');
		told = reason;
	}

	/** A session is connected: the next one that is not is news. */
	function connected(): void {
		told = undefined;
	}

	return { lost, connected };
}
