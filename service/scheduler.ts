import type { Logger } from 'pino';

export interface Job {
	readonly name: string;
	readonly everyMilliseconds: number;
	/** Of all processes on one store, only the leader runs it. */
	readonly once?: boolean;
	run(): Promise<void> | void;
}

/** Runs each job again and again, never twice at a time; a job that fails is tried again when its time comes. */
export function startScheduler(jobs: readonly Job[], log: Logger, isLeader: () => boolean = () => true): { stop(): void } {
	const timers = jobs.map((job) => {
		let running = false;
		return setInterval(() => {
			if (running || (job.once && !isLeader())) return;
			running = true;
			Promise.resolve()
				.then(() => job.run())
				.catch((error: unknown) => log.error({ err: error, job: job.name }, 'a scheduled job failed'))
				.finally(() => {
					running = false;
				});
		}, job.everyMilliseconds).unref();
	});
	return { stop: () => timers.forEach(clearInterval) };
}
