import type { Logger } from 'pino';

// A terminal sends Ctrl-C to npm and to the service, and npm hands its own on: what comes that close together is one signal.
const sameSignalMilliseconds = 1000;
/** What is cut off at the end of SHUTDOWN_GRACE_SECONDS leaves this much for the store. */
const leftForStoreMilliseconds = 5000;

/** Stops the service at the first SIGINT or SIGTERM, and fails when that takes too long. */
export function stopOnSignal(options: {
	readonly log: Logger;
	readonly graceSeconds: number;
	readonly stop: () => Promise<void>;
	readonly fail: (error: unknown) => void;
}): void {
	const { log, graceSeconds, stop, fail } = options;
	onStopSignal((signal) => {
		log.info({ signal }, 'stopping');
		const late = new Error('the service did not end within SHUTDOWN_GRACE_SECONDS');
		setTimeout(() => fail(late), graceSeconds * 1000 + leftForStoreMilliseconds).unref();
		stop().then(() => log.info('stopped'), fail);
	});
}

/** Calls back at the first SIGINT or SIGTERM. A later one means: now. */
export function onStopSignal(stop: (signal: string) => void): void {
	let first: number | undefined;
	const hear = (signal: string) => {
		if (first === undefined) {
			first = performance.now();
			stop(signal);
		} else if (performance.now() - first > sameSignalMilliseconds) process.exit(1);
	};
	process.on('SIGINT', hear).on('SIGTERM', hear);
}

/** Takes up what has changed in files at each SIGHUP. */
export function reloadOnSignal({ log, reload }: { readonly log: Logger; readonly reload: () => Promise<void> }): void {
	process.on('SIGHUP', () => {
		log.info('looking at the files again');
		reload().catch((error: unknown) => log.error({ err: error }, 'the files could not be looked at again'));
	});
}
