// A terminal sends Ctrl-C to npm and to the service, and npm hands its own on: what comes that close together is one signal.
const sameSignalMilliseconds = 1000;

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
