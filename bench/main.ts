/** Runs the benchmarks and writes `docs/benchmarks.md`: all of them, or those that are named. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Benchmark, Workshop } from './benchmark.ts';
import { ingest } from './ingest.ts';
import { chooseDataDirectory } from './machine.ts';
import { memory } from './memory.ts';
import { operation } from './operation.ts';
import { page } from './page.ts';
import { describeAim, describeRunNoise, judge, renderSection, writePage } from './report.ts';
import { type Run, runRounds } from './rounds.ts';
import { median } from './statistics.ts';

const benchmarks: readonly Benchmark[] = [ingest, page, operation, memory];
const file = 'docs/benchmarks.md';

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		rounds: { type: 'string', default: '3' },
		/** Seconds to wait before each run for other programs to leave the processors alone. */
		patience: { type: 'string', default: '0' },
		/** Only these targets, to look at one of them; nothing is written then. */
		target: { type: 'string' },
		/** Writes processor profiles of the service into this directory. */
		profile: { type: 'string' },
		/** Prints, but leaves the page as it is. */
		'no-write': { type: 'boolean', default: false },
	},
});
const rounds = Number(values.rounds);
const patienceSeconds = Number(values.patience);
const strangers = positionals.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
if (strangers.length > 0)
	throw new Error(`no benchmark '${strangers[0]}': there are ${benchmarks.map(({ name }) => name).join(', ')}`);
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 20) throw new Error('--rounds must be a whole number from 1 to 20');
if (!(patienceSeconds >= 0 && patienceSeconds <= 300)) throw new Error('--patience must be from 0 to 300 seconds');

const base = chooseDataDirectory();
mkdirSync(base, { recursive: true });
const workshop: Workshop = { directory: mkdtempSync(join(base, 'bench-')), profileDirectory: values.profile };
process.on('exit', () => rmSync(workshop.directory, { recursive: true, force: true }));

const sections = new Map<string, string>();
for (const benchmark of benchmarks) {
	if (positionals.length === 0 || positionals.includes(benchmark.name)) await measure(benchmark);
}

async function measure(benchmark: Benchmark): Promise<void> {
	const started = performance.now();
	print(`\n${benchmark.title}`);
	const all = await benchmark.prepare(workshop);
	const { target } = values;
	const targets = target === undefined ? all : all.filter(({ name }) => name.includes(target));
	const done = await runRounds(targets, { rounds, patienceSeconds }, (run) => print(describe(benchmark, run)));
	if (target !== undefined) return;
	for (const { comparison, ratios, isMet } of judge(benchmark, done)) {
		print(`  ${comparison.what}: ${median(ratios).toFixed(2)}, aim ${describeAim(comparison.aim)}: ${isMet ? 'met' : 'NOT MET'}`);
	}
	sections.set(benchmark.name, renderSection(benchmark, done, (performance.now() - started) / 1000));
	// After each one, so that nothing is lost when a later one fails.
	const order = benchmarks.map(({ name }) => name);
	if (!values['no-write']) writePage(file, order, sections);
}

function describe({ columns }: Benchmark, { target, figures, noise }: Run): string {
	const shown = columns.flatMap(({ key, heading, digits }) => {
		const value = figures[key] ?? Number.NaN;
		return Number.isNaN(value) ? [] : `${heading} ${value.toFixed(digits)}`;
	});
	return `  ${target.padEnd(36)} ${shown.join(', ')} (${describeRunNoise(noise)})`;
}

function print(line: string): void {
	process.stdout.write(`${line}\n`);
}
