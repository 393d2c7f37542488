import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Benchmark, Workshop } from './benchmark.ts';
import { chooseDataDirectory } from './machine.ts';
import { describeAim, describeRunNoise, type FigurePage, judge, renderSection, writePage } from './report.ts';
import { type Run, runRounds } from './rounds.ts';
import { median } from './statistics.ts';

/** What every command that runs benchmarks may be asked for. */
export const runOptions = {
	rounds: { type: 'string', default: '3' },
	/** Seconds to wait before each run for other programs to leave the processors alone. */
	patience: { type: 'string', default: '0' },
	/** Only these targets, to look at one of them; nothing is written then. */
	target: { type: 'string' },
	/** Writes processor profiles of the service into this directory. */
	profile: { type: 'string' },
	/** Prints, but leaves the page as it is. */
	'no-write': { type: 'boolean', default: false },
	help: { type: 'boolean', default: false },
} as const;

const runOptionsText = `  --rounds 3         how often each benchmark runs
  --patience 0       seconds to wait before each run for other programs to leave the processors alone
  --target TEXT      only what has this in its name; nothing is written then
  --profile FOLDER   writes processor profiles of the service into this folder
  --no-write         prints, but leaves the page as it is
  --help             shows this text and ends`;

export interface RunOptions {
	readonly rounds: string;
	readonly patience: string;
	readonly target?: string;
	readonly profile?: string;
	readonly 'no-write': boolean;
	readonly help: boolean;
}

/** Runs all benchmarks, or those that are named, and writes what they found into the page. */
export async function runBenchmarks(asked: {
	/** How it is called, and its own options, a line each. */
	readonly usage: string;
	readonly page: FigurePage;
	readonly benchmarks: readonly Benchmark[];
	readonly names: readonly string[];
	readonly options: RunOptions;
}): Promise<void> {
	const { usage, page, benchmarks, names, options } = asked;
	if (options.help) return print(`${usage}${runOptionsText}`);
	const rounds = Number(options.rounds);
	const patienceSeconds = Number(options.patience);
	const order = benchmarks.map(({ name }) => name);
	const stranger = names.find((name) => !order.includes(name));
	if (stranger !== undefined) throw new Error(`no benchmark '${stranger}': there are ${order.join(', ')}`);
	if (!Number.isInteger(rounds) || rounds < 1 || rounds > 20) throw new Error('--rounds must be a whole number from 1 to 20');
	if (!(patienceSeconds >= 0 && patienceSeconds <= 300)) throw new Error('--patience must be from 0 to 300 seconds');

	const base = chooseDataDirectory();
	mkdirSync(base, { recursive: true });
	const workshop: Workshop = { directory: mkdtempSync(join(base, 'bench-')), profileDirectory: options.profile };
	process.on('exit', () => rmSync(workshop.directory, { recursive: true, force: true }));

	const sections = new Map<string, string>();
	for (const benchmark of benchmarks) {
		const isWanted = names.length === 0 ? (benchmark.isPossible?.() ?? true) : names.includes(benchmark.name);
		if (isWanted) await measure(benchmark);
	}

	async function measure(benchmark: Benchmark): Promise<void> {
		const started = performance.now();
		print(`\n${benchmark.title}`);
		const all = await benchmark.prepare(workshop);
		const { target } = options;
		const targets = target === undefined ? all : all.filter(({ name }) => name.includes(target));
		const done = await runRounds(targets, { rounds, patienceSeconds }, (run) => print(describe(benchmark, run)));
		if (target !== undefined) return;
		for (const { comparison, ratios, isMet } of judge(benchmark, done)) {
			const verdict = comparison.aim ? `, aim ${describeAim(comparison.aim)}: ${isMet ? 'met' : 'NOT MET'}` : '';
			print(`  ${comparison.what}: ${median(ratios).toFixed(2)}${verdict}`);
		}
		sections.set(benchmark.name, renderSection(benchmark, done, (performance.now() - started) / 1000));
		// After each one, so that nothing is lost when a later one fails.
		if (!options['no-write']) writePage(page, order, sections);
	}
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
