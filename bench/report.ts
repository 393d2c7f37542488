import { readFileSync, writeFileSync } from 'node:fs';
import type { Aim, Benchmark, Comparison } from './benchmark.ts';
import { describeMachine, type Noise } from './machine.ts';
import { figuresOf, type Round, ratiosOf } from './rounds.ts';
import { median } from './statistics.ts';

const head = `<!-- Made by \`npm run bench\`. Do not edit. -->

# Benchmarks

Each benchmark compares the service with a peer: something that does the least that could be done in its place, built on the same libraries.
Both run on the same machine within the same minutes, in turns, each in a fresh process; the ratio is formed inside each round, and the
median of the rounds counts. Ratios can be carried to another machine; absolute figures cannot: on a shared machine they differ by
10 to 30 % from one round to the next. The service is compiled as \`npm run build\` does it and runs as one process with its database on disk, its peers with the same Node.js options;
the load comes from a process of its own on the same machine, over the loopback interface.

Run them with \`npm run bench\`, one with \`npm run bench -- ingest\`, more rounds with \`npm run bench -- --rounds 5\`;
\`--patience 60\` waits up to 60 s before each run until other programs leave the processors alone. The service works in three threads, its peers in one:
when other programs keep cores busy, it loses more than they do, and its ratios look worse than they are.
`;

export interface Verdict {
	readonly comparison: Comparison;
	readonly ratios: readonly number[];
	readonly isMet: boolean;
}

export function judge({ comparisons }: Benchmark, rounds: readonly Round[]): Verdict[] {
	return comparisons.map((comparison) => {
		const ratios = ratiosOf(rounds, comparison);
		const { aim } = comparison;
		const isMet = 'atLeast' in aim ? median(ratios) >= aim.atLeast : median(ratios) <= aim.atMost;
		return { comparison, ratios, isMet };
	});
}

/** The part of the page that tells of one benchmark. */
export function renderSection(benchmark: Benchmark, rounds: readonly Round[], seconds: number): string {
	const targets = [...new Set(rounds.flatMap((round) => round.map(({ target }) => target)))];
	const figures = targets.map((target) => [
		target,
		...benchmark.columns.map(({ key, digits }) => spread(figuresOf(rounds, target, key), digits)),
	]);
	const verdicts = judge(benchmark, rounds).map(({ comparison, ratios, isMet }) => [
		comparison.what,
		`**${median(ratios).toFixed(2)}**`,
		ratios.map((ratio) => ratio.toFixed(2)).join(', '),
		describeAim(comparison.aim),
		isMet ? 'met' : '**not met**',
	]);
	return [
		`## ${benchmark.title}`,
		...benchmark.explanation,
		table(['ratio', 'median', 'each round', 'aim', ''], verdicts),
		table(['', ...benchmark.columns.map(({ heading }) => heading)], figures),
		`Figures are medians of ${rounds.length} rounds, the least and the greatest in brackets. ${describeNoise(rounds)}`,
		`Measured on ${new Date().toISOString().slice(0, 10)} in ${Math.round(seconds)} s: ${describeMachine()}.`,
	].join('\n\n');
}

/** Puts sections in their place in the page; those of benchmarks that did not run stay as they are. */
export function writePage(file: string, order: readonly string[], fresh: ReadonlyMap<string, string>): void {
	const present = sectionsOf(readIfThere(file));
	const sections = order.flatMap((name) => {
		const section = fresh.get(name) ?? present.get(name);
		return section === undefined ? [] : [`\n${begin(name)}\n\n${section}\n\n${end(name)}\n`];
	});
	writeFileSync(file, head + sections.join(''));
}

export function describeAim(aim: Aim): string {
	return 'atLeast' in aim ? `≥ ${aim.atLeast}` : `≤ ${aim.atMost}`;
}

export function describeRunNoise(noise: Noise | undefined): string {
	if (!noise) return 'noise unknown';
	return `steal ${(noise.steal * 100).toFixed(0)} %, others ${noise.foreignCores.toFixed(1)} cores`;
}

function describeNoise(rounds: readonly Round[]): string {
	const noises = rounds.flat().flatMap(({ noise }) => noise ?? []);
	if (noises.length === 0) return 'How busy the machine was otherwise is not known.';
	const steal = Math.max(...noises.map((noise) => noise.steal)) * 100;
	const foreign = noises.map(({ foreignCores }) => foreignCores);
	return (
		`The host took at most ${steal.toFixed(0)} % of the processors during a run; ` +
		`other programs kept ${median(foreign).toFixed(1)} cores busy (median), ${Math.max(...foreign).toFixed(1)} at most.`
	);
}

function spread(values: readonly number[], digits: number): string {
	// What a peer does not have.
	if (values.every(Number.isNaN)) return '–';
	const text = (value: number) => value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
	return `${text(median(values))} (${text(Math.min(...values))} – ${text(Math.max(...values))})`;
}

/** A table of a page. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
	return [headings, headings.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function begin(name: string): string {
	return `<!-- begin ${name} -->`;
}

function end(name: string): string {
	return `<!-- end ${name} -->`;
}

function sectionsOf(page: string): Map<string, string> {
	const sections = page.matchAll(/<!-- begin (\w+) -->\n\n(.*?)\n\n<!-- end \1 -->/gs);
	return new Map([...sections].map(([, name = '', text = '']) => [name, text]));
}

/** The text of a page, empty while there is none. */
export function readIfThere(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
		throw error;
	}
}
