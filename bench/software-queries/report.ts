import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { describeMachine } from '../machine.ts';
import { table } from '../report.ts';
import type { PackageSizes, SoftwareLatency } from './probe.ts';

/** What was found at one size. */
export interface SizeFigures {
	readonly devices: number;
	readonly latencies: readonly SoftwareLatency[];
	readonly sizes: PackageSizes;
}

/** Writes the page: a row for each kind of call, a column for each size. */
export function writeFigures(file: string, all: readonly SizeFigures[], packagesEach: number): void {
	const [first] = all;
	if (!first) return;
	const headings = ['search', ...all.map(({ devices }) => `${count(devices)} devices: p50 / p99, processor`)];
	const rows = first.latencies.map(({ what, runs }, index) => [
		`${what} (${runs} calls)`,
		...all.map(({ latencies }) => milliseconds(latencies[index], latencies[0])),
	]);
	const sizes = all.map(({ devices, sizes: { packages, table, index } }) =>
		[devices, packages, table / packages, index / packages].map((value) => count(value)),
	);
	const text = `<!-- Made by \`npm run bench:software\`. Do not edit. -->

# What searches for installed software cost

Each device has ${packagesEach} packages of 1,001 names, with versions of their own; one name more is on every device, in 20 versions. Calls are made to the
inventory on the embedded store, on disk, one at a time, in a fresh process: HTTP comes on top. Times are milliseconds; in brackets, how many times the p50 of
reading one managed object by its key it is, in the same run. The last figure is the processor time of a call, of all threads of the process: other programs do
not lengthen it, but for the caches that they share.

\`npm run bench:software -- --devices 1000,100000\` fills the stores and measures; stores that \`npm run bench:scale -- --keep --directory …\` has left are used with
\`--directory …\`.

${table(headings, rows)}

## Room

${table(['devices', 'packages', 'bytes a package, without the index', 'bytes a package, of the index'], sizes)}

${new Date().toISOString().slice(0, 10)}: ${describeMachine()}; load of the machine, with what others ran on it: ${loadavg()
		.map((load) => load.toFixed(1))
		.join(', ')} in the last 1, 5, 15 minutes.
`;
	writeFileSync(file, text);
}

function milliseconds(latency: SoftwareLatency | undefined, key: SoftwareLatency | undefined): string {
	if (!latency || !key) return '–';
	return `${latency.p50.toFixed(2)} / ${latency.p99.toFixed(2)} (${count(latency.p50 / key.p50)}×), ${latency.processor.toFixed(1)}`;
}

function count(value: number): string {
	return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}
