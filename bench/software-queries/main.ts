/** Measures searches for installed software on fleets of several sizes, and writes `docs/software-search-figures.md`. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../child.ts';
import { chooseDataDirectory } from '../machine.ts';
import { parseOptions } from '../parse-options.ts';
import type { FillJob } from '../scale/fill.ts';
import { fillStore } from '../scale/fill-store.ts';
import { packagesMax } from '../scale/fleet.ts';
import type { PackageSizes, SoftwareLatency } from './probe.ts';
import { type SizeFigures, writeFigures } from './report.ts';

const usage = `npm run bench:software [-- options]

  --devices 1000,10000      sizes of the fleets, the smallest first
  --packages 200            how many packages each device has
  --directory FOLDER        where the stores are made; one that is there, as \`npm run bench:scale -- --keep\` leaves it, is used
  --keep                    leaves the stores where they are
`;

const values = parseOptions(usage, {
	/** Sizes of the fleets, the smallest first. */
	devices: { type: 'string', default: '1000,10000' },
	packages: { type: 'string', default: '200' },
	/** Where the stores are made; one that is there, as `npm run bench:scale -- --keep` leaves it, is used. */
	directory: { type: 'string', default: join(chooseDataDirectory(), 'bench-software') },
	/** Leaves the stores where they are. */
	keep: { type: 'boolean', default: false },
});
const sizes = values.devices.split(',').map(Number);
const packagesEach = Number(values.packages);
if (!sizes.every((size) => Number.isInteger(size) && size >= 100 && size <= 1_000_000))
	throw new Error('--devices must be whole numbers from 100 to 1000000');
if (!(Number.isInteger(packagesEach) && packagesEach >= 1 && packagesEach <= packagesMax))
	throw new Error(`--packages must be a whole number from 1 to ${packagesMax}`);

const all: SizeFigures[] = [];
for (const devices of sizes) {
	const directory = join(values.directory, `${devices}x${packagesEach}`);
	mkdirSync(directory, { recursive: true });
	const job: FillJob = { directory, devices, packagesEach, tenants: 1 };
	await fillStore(job, print);
	all.push(await measure(job));
	if (!values.keep) rmSync(directory, { recursive: true });
}
if (!values['no-write']) writeFigures('docs/software-search-figures.md', all, packagesEach);

async function measure(job: FillJob): Promise<SizeFigures> {
	const child = startChild({ entry: './software-queries/probe.js', args: [JSON.stringify(job)] });
	const latencies: SoftwareLatency[] = [];
	try {
		for (;;) {
			const heard = await child.hear<SoftwareLatency | PackageSizes>('result');
			if ('packages' in heard) return { devices: job.devices, latencies, sizes: heard };
			latencies.push(heard);
			print(
				`${job.devices} devices: ${heard.what}: p50 ${heard.p50.toFixed(2)} ms, p99 ${heard.p99.toFixed(2)} ms, processor ${heard.processor.toFixed(1)} ms`,
			);
		}
	} finally {
		await child.stop();
	}
}

function print(line: string): void {
	process.stdout.write(`${line}\n`);
}
