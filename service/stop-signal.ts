// A terminal sends Ctrl-C to npm and to the service, and npm hands its own on: what comes that close together is one signal.
const sameSignalMilliseconds = 1000;

/** What is cut off at the end of SHUTDOWN_GRACE_SECONDS leaves this much for the store. */
export const leftForStoreMilliseconds = 5000;

/** Fails unless the process has ended by itself before. */
export function failAfter(milliseconds: number, fail: (error: Error) => void): void {
	setTimeout(() => fail(new Error('the service did not end within SHUTDOWN_GRACE_SECONDS')), milliseconds).unref();
}

/** Calls back at the first SIGINT or SIGTERM. A later one means: now. */
export function onStopSignal(stop: (signal: string) => void): void {
	let first: number | undefined;
	const hear = (signal: string) => {
		if (first === undefined) {
			first = Date.now();
			stop(signal);
		} else if (Date.now() - first > sameSignalMilliseconds) process.exit(1);
	};
	process.on('SIGINT', hear).on('SIGTERM', hear);
}
