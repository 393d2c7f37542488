/** Fills stores with fleets of several sizes, measures on them, and writes `docs/scale-figures.md`. */
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { runLoad } from '../child.ts';
import { chooseDataDirectory } from '../machine.ts';
import { parseOptions } from '../parse-options.ts';
import type { FillJob } from './fill.ts';
import { fillStore } from './fill-store.ts';
import { packagesMax } from './fleet.ts';
import type { ProbeResult } from './probe.ts';
import { type SizeFigures, writeData, writeFigures } from './report.ts';

const usage = `npm run bench:scale [-- options]

  --devices 10,1000         sizes of the fleets, one after the other
  --packages 200            how many packages each device has
  --tenants 1               over how many tenants each fleet is spread, one after the other
  --directory FOLDER        where the stores are made; an interrupted run goes on with what is there
  --keep                    leaves the stores where they are
`;

const values = parseOptions(usage, {
	/** Sizes of the fleets, one after the other. */
	devices: { type: 'string', default: '10,1000' },
	packages: { type: 'string', default: '200' },
	/** Over how many tenants each fleet is spread, one after the other. */
	tenants: { type: 'string', default: '1' },
	/** Where the stores are made; an interrupted run goes on with what is there. */
	directory: { type: 'string', default: join(chooseDataDirectory(), 'bench-scale') },
	/** Leaves the stores where they are. */
	keep: { type: 'boolean', default: false },
});
const sizes = values.devices.split(',').map((text) => wholeNumber('--devices', text, 1_000_000));
const spreads = values.tenants.split(',').map((text) => wholeNumber('--tenants', text, 1000));
const packagesEach = wholeNumber('--packages', values.packages, packagesMax);

for (const devices of sizes) for (const tenants of spreads) await run(devices, tenants);

async function run(devices: number, tenants: number): Promise<void> {
	const name = tenants === 1 ? `${devices}x${packagesEach}` : `${devices}x${packagesEach}-of-${tenants}`;
	const directory = join(values.directory, name);
	mkdirSync(directory, { recursive: true });
	const figures = await measure({ directory, devices, packagesEach, tenants });
	print(figures);
	if (!values['no-write']) {
		writeData('docs/scale-figures.json', figures);
		if (tenants === 1) writeFigures('docs/scale-figures.md', figures);
	}
	if (!values.keep) rmSync(directory, { recursive: true });
}

async function measure(job: FillJob): Promise<SizeFigures> {
	const fillSeconds = await fillStore(job, say);
	const sizeBytes = statSync(join(job.directory, 'store.db')).size;
	const probed = await runLoad<ProbeResult>('./scale/probe.js', job);
	return { ...job, ...probed, fillSeconds, sizeBytes };
}

function print({ devices, tenants, fillSeconds, sizeBytes, openMilliseconds, latencies }: SizeFigures): void {
	say(
		`${devices} devices of ${tenants} tenants: filled in ${fillSeconds.toFixed(1)} s, ${sizeBytes} bytes, opened in ${openMilliseconds.toFixed(0)} ms`,
	);
	for (const { what, p50, p99 } of latencies) say(`  ${what}: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
}

function wholeNumber(option: string, text: string, max: number): number {
	const number = Number(text);
	if (!Number.isInteger(number) || number < 1 || number > max)
		throw new Error(`${option} must be whole numbers from 1 to ${max}`);
	return number;
}

function say(line: string): void {
	process.stdout.write(`${line}\n`);
}
