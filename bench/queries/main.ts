/** Compares what an indexed query costs among few and among many objects, and writes `docs/query-figures.md`. */
import { mkdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { runLoad, startChild } from '../child.ts';
import { chooseDataDirectory } from '../machine.ts';
import { parseOptions } from '../parse-options.ts';
import type { QueriesResult } from './probe.ts';
import { writeFigures } from './report.ts';
import type { QueriesJob } from './store.ts';

const usage = `npm run bench:queries [-- options]

  --objects 1000,100000     how many objects there are, in the small and in the large store
  --mongodb URL             a MongoDB to measure instead of the embedded store; databases are made in it and stay there
  --as MongoDB              what the page calls that MongoDB
  --runs 300                calls of each kind
`;

const values = parseOptions(usage, {
	/** How many objects there are, in the small and in the large store. */
	objects: { type: 'string', default: '1000,100000' },
	/** A MongoDB to measure instead of the embedded store; databases are made in it and stay there. */
	mongodb: { type: 'string' },
	/** What the page calls that MongoDB. */
	as: { type: 'string', default: 'MongoDB' },
	/** Calls of each kind. */
	runs: { type: 'string', default: '300' },
});
const [few, many] = values.objects.split(',').map(Number);
const multiple = 500;
if (!few || !many || few % multiple !== 0 || many % multiple !== 0 || few >= many)
	throw new Error(`--objects must be two multiples of ${multiple}, the smaller one first: 1000,1000000`);
const bytesAnObject = 6000;
const folder = join(chooseDataDirectory(), `bench-queries-${process.pid}`);

try {
	const small = await measure(few);
	const large = await measure(many);
	const engine = values.mongodb === undefined ? 'embedded store' : values.as;
	for (const [index, { what, p50, p99 }] of large.latencies.entries()) {
		const before = small.latencies[index];
		if (before)
			say(
				`${what}: p50 ${before.p50.toFixed(2)} → ${p50.toFixed(2)} ms, ratio ${(p50 / before.p50).toFixed(2)}, p99 ${p99.toFixed(2)}`,
			);
	}
	if (!values['no-write']) writeFigures('docs/query-figures.md', { engine, runs: Number(values.runs), few, many, small, large });
} finally {
	rmSync(folder, { recursive: true, force: true });
}

async function measure(objects: number): Promise<QueriesResult & { readonly fillSeconds: number }> {
	const job: QueriesJob = {
		directory: join(folder, String(objects)),
		database: `bench_queries_${process.pid}_${objects}`,
		objects,
		runs: Number(values.runs),
		...(values.mongodb !== undefined && { url: values.mongodb }),
	};
	mkdirSync(job.directory, { recursive: true });
	const { bavail, bsize } = statfsSync(job.directory);
	if (bavail * bsize < objects * bytesAnObject) throw new Error(`${job.directory} needs ${objects * bytesAnObject} bytes free`);
	const fillSeconds = await fill(job);
	return { ...(await runLoad<QueriesResult>('./queries/probe.js', job)), fillSeconds };
}

async function fill(job: QueriesJob): Promise<number> {
	const child = startChild({ entry: './queries/fill.js', args: [JSON.stringify(job)] });
	try {
		for (;;) {
			const { objects, seconds } = await child.hear<{ objects: number; seconds: number }>('result');
			say(`${objects} of ${job.objects} objects, ${seconds.toFixed(0)} s`);
			if (objects === job.objects) return seconds;
		}
	} finally {
		await child.stop();
	}
}

function say(line: string): void {
	process.stdout.write(`${line}\n`);
}
