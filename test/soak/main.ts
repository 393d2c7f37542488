/** Mixes all faults under a moderate load for a while, and tells what became of everything that was sent. */
import { randomInt } from 'node:crypto';
import { seedLimit } from './chance.ts';
import { runSoak } from './soak.ts';
import { parseSoakOptions } from './soak-options.ts';

const options = parseSoakOptions(process.argv.slice(2), randomInt(seedLimit - 1));
const isGood = await runSoak(options, (line) => void process.stdout.write(`${line}\n`));
process.exit(isGood ? 0 : 1);
