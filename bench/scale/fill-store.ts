import { statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../child.ts';
import type { FillJob, FillProgress } from './fill.ts';

/** More than a package takes, with its share of the log. */
const bytesAPackage = 700;
const logBytes = 512 * 1024 ** 2;

/** Fills a store in a process of its own, from where it was interrupted; the seconds that it took in all. */
export async function fillStore(job: FillJob, say: (line: string) => void): Promise<number> {
	checkRoom(job);
	const child = startChild({ entry: './scale/fill.js', args: [JSON.stringify(job)], nodeArgs: ['--max-semi-space-size=64'] });
	try {
		for (;;) {
			const { devices, seconds } = await child.hear<FillProgress>('result');
			const left = (seconds / devices) * (job.devices - devices);
			const rows = Math.round((devices * job.packagesEach) / seconds);
			say(
				`${devices} of ${job.devices} devices, ${Math.round(seconds)} s, ${rows} packages a second, about ${Math.round(left)} s left`,
			);
			if (devices >= job.devices) return seconds;
		}
	} finally {
		await child.stop();
	}
}

function checkRoom({ directory, devices, packagesEach: each }: FillJob): void {
	const { bavail, bsize } = statfsSync(directory);
	const needed = devices * each * bytesAPackage + logBytes;
	const present = statSync(join(directory, 'store.db'), { throwIfNoEntry: false })?.size ?? 0;
	if (bavail * bsize + present < needed)
		throw new Error(`${directory} has ${bavail * bsize} bytes free, ${needed} are needed for ${devices} devices`);
}
