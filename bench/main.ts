/** Runs the benchmarks and writes `docs/benchmarks.md`: all of them, or those that are named. */
import { parseArgs } from 'node:util';
import { ingest, ingestOnMongoDb } from './ingest.ts';
import { memory } from './memory.ts';
import { operation } from './operation.ts';
import { page } from './page.ts';
import { runBenchmarks, runOptions } from './run-benchmarks.ts';

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

const { values, positionals } = parseArgs({ allowPositionals: true, options: runOptions });
await runBenchmarks({
	usage: 'npm run bench [-- [ingest | mongodb | page | operation | memory]… [options]]\n\n',
	page: { file: 'docs/benchmarks.md', head },
	benchmarks: [ingest, ingestOnMongoDb, page, operation, memory],
	names: positionals,
	options: values,
});
