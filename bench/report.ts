import { readFileSync, writeFileSync } from 'node:fs';
import type { Aim, Benchmark, Comparison } from './benchmark.ts';
import { describeMachine, type Noise } from './machine.ts';
import { figuresOf, type Round, ratiosOf } from './rounds.ts';
import { median } from './statistics.ts';

/** A page of figures: where it is, and what stands above them. */
export interface FigurePage {
	readonly file: string;
	readonly head: string;
}

export interface Verdict {
	readonly comparison: Comparison;
	readonly ratios: readonly number[];
	/** Unset where there is no aim. */
	readonly isMet?: boolean;
}

export function judge({ comparisons }: Benchmark, rounds: readonly Round[]): Verdict[] {
	return comparisons.map((comparison) => {
		const ratios = ratiosOf(rounds, comparison);
		const { aim } = comparison;
		if (!aim) return { comparison, ratios };
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
	const { comparisons } = benchmark;
	const hasAims = comparisons.some(({ aim }) => aim !== undefined);
	const verdicts = judge(benchmark, rounds).map(({ comparison: { what, aim }, ratios, isMet }) => [
		what,
		`**${median(ratios).toFixed(2)}**`,
		ratios.map((ratio) => ratio.toFixed(2)).join(', '),
		...(hasAims ? [aim ? describeAim(aim) : '–', isMet === false ? '**not met**' : isMet ? 'met' : ''] : []),
	]);
	return [
		`## ${benchmark.title}`,
		...benchmark.explanation,
		...(comparisons.length > 0 ? [table(['ratio', 'median', 'each round', ...(hasAims ? ['aim', ''] : [])], verdicts)] : []),
		table(['', ...benchmark.columns.map(({ heading }) => heading)], figures),
		`Figures are medians of ${rounds.length} rounds, the least and the greatest in brackets. ${describeNoise(rounds)}`,
		`Measured on ${new Date().toISOString().slice(0, 10)} in ${Math.round(seconds)} s: ${describeMachine()}.`,
	].join('\n\n');
}

/** Puts sections in their place in the page; those of benchmarks that did not run stay as they are. */
export function writePage({ file, head }: FigurePage, order: readonly string[], fresh: ReadonlyMap<string, string>): void {
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
