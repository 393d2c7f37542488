/** Loaded before a server with `--import`: collects garbage when the bench asks for it, so that memory can be compared. */
import { isMainThread } from 'node:worker_threads';
import { say } from './load/job.ts';

if (isMainThread && process.send) {
	process.on('message', () => {
		const rssBeforeKilobytes = process.memoryUsage.rss() / 1024;
		// What the first run finalises the second one frees.
		globalThis.gc?.();
		globalThis.gc?.();
		const { rss, heapUsed } = process.memoryUsage();
		say('result', { rssKilobytes: rss / 1024, heapKilobytes: heapUsed / 1024, rssBeforeKilobytes });
	});
	// The channel must not keep a server alive that has been told to stop.
	process.channel?.unref();
}
