import { writeFileSync } from 'node:fs';
import { describeMachine } from '../machine.ts';
import { readIfThere } from '../report.ts';
import type { FillJob } from './fill.ts';
import type { ProbeResult } from './probe.ts';

/** What was found at one size. */
export interface SizeFigures extends FillJob, ProbeResult {
	readonly fillSeconds: number;
	readonly sizeBytes: number;
}

const head = `<!-- Made by \`npm run bench:scale\`. Do not edit. -->

# Figures at scale

A fleet is made through the service's own domain code on the embedded store, on disk and durable: each device with its managed object, its external id and
its packages (names of Debian's, each device with a selection and versions of its own, each with a URL of about 90 characters). Then a fresh process opens the store and makes
500 calls of each kind, one at a time, each for another device as far as there are so many. Calls are made to the domain: HTTP and MQTT come on top.

\`npm run bench:scale -- --devices 10,1000\` makes the stores, measures and removes them again; \`--devices 100000\` needs 15 GB of disk at most.
Sizes of tables and indexes, and what follows from them for a large fleet, are in [the guide](guides/scale.md), made by \`npm run docs\`.
A run that was interrupted goes on where it was when it is started again. Absolute figures hold for one machine; how a column grows from row to row is what can be carried.
`;
const rowPattern = /^\| ([\d,]+) \|.*$/gm;

/** Puts the rows of one size into the page; those of other sizes stay as they are. */
export function writeFigures(file: string, figures: SizeFigures): void {
	const [, fills = '', latencies = ''] = readIfThere(file).split(/^## .*$/m);
	const { devices, packagesEach, fillSeconds, sizeBytes, openMilliseconds } = figures;
	const packages = devices * packagesEach;
	const fillRow = [
		number(devices),
		number(packages),
		number(fillSeconds, 1),
		number(packages / fillSeconds),
		number(sizeBytes / 1e6, 1),
		number(sizeBytes / devices),
		number(sizeBytes / packages),
		number(openMilliseconds),
		`${new Date().toISOString().slice(0, 10)}: ${describeMachine()}`,
	];
	const kinds = figures.latencies.map(({ what }) => what);
	const latencyRow = [number(devices), ...figures.latencies.map(({ p50, p99 }) => `${number(p50, 2)} / ${number(p99, 2)}`)];
	const fillHeadings = [
		'devices',
		'packages',
		'fill s',
		'packages a second',
		'MB',
		'bytes a device',
		'bytes a package',
		'open ms',
		'measured',
	];
	writeFileSync(
		file,
		[
			head,
			'## Fill and size\n',
			table(fillHeadings, rowsWith(fills, fillRow)),
			'\nSize is that of the database alone, the device itself included. Opening includes the check of each page up to `STORE_CHECK_MAX_BYTES`.\n',
			'## Milliseconds a call, p50 / p99\n',
			table(['devices', ...kinds], rowsWith(latencies, latencyRow)),
			'',
		].join('\n'),
	);
}

/** Puts the figures of one size and number of tenants among the others; pages are made from them by `npm run docs`. */
export function writeData(file: string, figures: SizeFigures): void {
	const { directory: _, ...fresh } = figures;
	const all: Omit<SizeFigures, 'directory'>[] = JSON.parse(readIfThere(file) || '[]');
	const others = all.filter(({ devices, tenants }) => devices !== fresh.devices || tenants !== fresh.tenants);
	const sorted = [...others, fresh].sort((a, b) => a.devices - b.devices || a.tenants - b.tenants);
	writeFileSync(file, `${JSON.stringify(sorted, undefined, '\t')}\n`);
}

/** The rows of a table with one put in, in the order of their first cells. */
function rowsWith(text: string, row: readonly string[]): string[] {
	const rows = new Map([...text.matchAll(rowPattern)].map(([line, key = '']) => [key, line]));
	rows.set(row[0] ?? '', `| ${row.join(' | ')} |`);
	return [...rows].sort(([a], [b]) => countIn(a) - countIn(b)).map(([, line]) => line);
}

function countIn(text: string): number {
	return Number(text.replaceAll(',', ''));
}

function table(headings: readonly string[], rows: readonly string[]): string {
	return [`| ${headings.join(' | ')} |`, `| ${headings.map(() => '---').join(' | ')} |`, ...rows].join('\n');
}

function number(value: number, digits = 0): string {
	return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
