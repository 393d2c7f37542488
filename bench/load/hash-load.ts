/** Load for `hash`: verifies one password, one hash at a time and as many at once as the threads of Node take. */
import { hashPassword, verifyPassword } from '../../access/passwords.ts';
import type { HashResult } from '../logins/hash.ts';
import { say } from './job.ts';

const runs = 50;
const password = 'a-password-of-the-benchmark';
const stored = await hashPassword(password);
for (let run = 0; run < 5; run++) await verifyPassword(stored, password);

const cpuBefore = process.cpuUsage();
for (let run = 0; run < runs; run++) await verifyPassword(stored, password);
const { user, system } = process.cpuUsage(cpuBefore);
const cpuMilliseconds = (user + system) / 1000 / runs;
const began = performance.now();
await Promise.all(Array.from({ length: runs }, () => verifyPassword(stored, password)));
const atOncePerSecond = runs / ((performance.now() - began) / 1000);
const result: HashResult = { cpuMilliseconds, perSecondAndCore: 1000 / cpuMilliseconds, atOncePerSecond };
say('result', result);
