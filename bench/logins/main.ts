/** Measures what logins cost, and writes `docs/login-figures.md`. */
import { parseArgs } from 'node:util';
import { runBenchmarks, runOptions } from '../run-benchmarks.ts';
import { hash } from './hash.ts';
import { requests } from './requests.ts';
import { createStorm } from './storm.ts';

const head = `<!-- Made by \`npm run bench:logins\`. Do not edit. -->

# What logins cost

How this is measured, and what its ratios mean, is told on the page of the [benchmarks](benchmarks.md): service and peer in turns, each in a fresh process, on the same machine.

\`npm run bench:logins\` measures all, \`npm run bench:logins -- storm\` one of \`hash\`, \`storm\`, \`requests\`; \`--devices 5000\`, \`--in-flight 200\` (devices that are connecting
at a time) and \`--rounds 3\` are the defaults; \`--patience 60\` waits up to 60 s before each run until other programs leave the processors alone.
`;

const usage = `npm run bench:logins [-- [hash | storm | requests]… [options]]

  --devices 5000     how many devices connect
  --in-flight 200    how many of them are connecting at a time
`;

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		...runOptions,
		devices: { type: 'string', default: '5000' },
		'in-flight': { type: 'string', default: '200' },
	},
});
const devices = Number(values.devices);
const inFlight = Number(values['in-flight']);
// Each is a file of the server and one of the load.
if (!Number.isInteger(devices) || devices < 10 || devices > 50_000)
	throw new Error('--devices must be a whole number from 10 to 50000');
if (!Number.isInteger(inFlight) || inFlight < 1 || inFlight > devices)
	throw new Error('--in-flight must be a whole number from 1 to --devices');

await runBenchmarks({
	usage,
	page: { file: 'docs/login-figures.md', head },
	benchmarks: [hash, createStorm({ devices, inFlight }), requests],
	names: positionals,
	options: values,
});
