import { writeFileSync } from 'node:fs';
import { describeMachine } from '../machine.ts';
import { readIfThere, table } from '../report.ts';
import type { QueriesResult } from './probe.ts';

/** What was found on one engine. */
export interface EngineFigures {
	readonly engine: string;
	/** Calls of each kind. */
	readonly runs: number;
	readonly few: number;
	readonly many: number;
	readonly small: QueriesResult & { readonly fillSeconds: number };
	readonly large: QueriesResult & { readonly fillSeconds: number };
}

const head = `<!-- Made by \`npm run bench:queries\`. Do not edit. -->

# What queries cost among many objects

Each query finds five devices (the walks: a page of 100), once in a store with few managed objects and once in one with many; all have a value of their own
in every field that is asked for, shared by five. Calls are made to the inventory, one at a time, each for other objects: HTTP comes on top.
The ratio is what one call costs among many, against the same call among few. A fresh process fills each store, another one measures.

\`npm run bench:queries -- --objects 1000,1000000\` measures the embedded store, \`--mongodb mongodb://…\` a MongoDB.
`;

/** Puts the table of one engine into the page; that of the other stays as it is. */
export function writeFigures(file: string, figures: EngineFigures): void {
	const sections = new Map(
		[...readIfThere(file).matchAll(/^## (.+)\n\n([^#]*)/gm)].map(([, engine = '', text = '']) => [engine, text.trim()]),
	);
	sections.set(figures.engine, sectionOf(figures));
	const text = [...sections].sort(([a], [b]) => a.localeCompare(b)).map(([engine, section]) => `\n## ${engine}\n\n${section}\n`);
	writeFileSync(file, head + text.join(''));
}

function sectionOf({ runs, few, many, small, large }: EngineFigures): string {
	const rows = large.latencies.map(({ what, p50, p99 }, index) => {
		const before = small.latencies[index];
		const ratio = before ? (p50 / before.p50).toFixed(2) : '–';
		return [what, milliseconds(before), milliseconds({ p50, p99 }), `**${ratio}**`];
	});
	return [
		table(['query by', `ms among ${count(few)}, p50 / p99`, `ms among ${count(many)}, p50 / p99`, 'ratio of p50'], rows),
		'',
		`${runs} calls of each kind. Filled in ${small.fillSeconds.toFixed(1)} s and ${large.fillSeconds.toFixed(1)} s. ${new Date().toISOString().slice(0, 10)}: ${describeMachine()}.`,
	].join('\n');
}

function milliseconds(latency: { readonly p50: number; readonly p99: number } | undefined): string {
	return latency ? `${latency.p50.toFixed(2)} / ${latency.p99.toFixed(2)}` : '–';
}

function count(value: number): string {
	return value.toLocaleString('en-US');
}
