/** Loaded before a server with `--import`: collects garbage and tells what was used when the bench asks, so that it can be compared. */
import { isMainThread } from 'node:worker_threads';
import { say } from './load/job.ts';

if (isMainThread && process.send) {
	process.on('message', () => {
		const rssBeforeKilobytes = process.memoryUsage.rss() / 1024;
		const cpuSecondsBefore = cpuSeconds();
		// What the first run finalises the second one frees.
		globalThis.gc?.();
		globalThis.gc?.();
		const { rss, heapUsed } = process.memoryUsage();
		say('result', {
			rssKilobytes: rss / 1024,
			heapKilobytes: heapUsed / 1024,
			rssBeforeKilobytes,
			cpuSecondsBefore,
			cpuSeconds: cpuSeconds(),
		});
	});
	// The channel must not keep a server alive that has been told to stop.
	process.channel?.unref();
}

/** Processor time of all threads since the start. */
function cpuSeconds(): number {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1e6;
}
