/** Mixes all faults under a moderate load for a while, and tells what became of everything that was sent. */
import { randomInt } from 'node:crypto';
import { seedLimit } from './chance.ts';
import { runSoak } from './soak.ts';
import { parseSoakOptions } from './soak-options.ts';

const say = (line: string) => void process.stdout.write(`${line}\n`);
try {
	const options = parseSoakOptions(process.argv.slice(2), randomInt(seedLimit - 1));
	process.exitCode = (await runSoak(options, say)) ? 0 : 1;
} catch (error) {
	// Without a ledger: an option that is wrong, an interruption, a process that does not start any more.
	say(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
	process.exitCode = 1;
}
// What a device or a reader still waits for is of no use any more.
process.exit();
