import { defaultHashCost } from '../../access/passwords.ts';
import type { Benchmark } from '../benchmark.ts';
import { runLoad } from '../child.ts';

export interface HashResult {
	readonly cpuMilliseconds: number;
	readonly perSecondAndCore: number;
	readonly atOncePerSecond: number;
}

const { memoryKibibytes, passes } = defaultHashCost;

/** What bounds a storm of devices with passwords that nobody has verified lately. */
export const hash: Benchmark = {
	name: 'hash',
	title: 'One password',
	explanation: [
		`A password is verified with argon2id at the default cost: ${memoryKibibytes.toLocaleString('en-US')} KiB, ${passes} passes, one thread ` +
			'(`AUTH_HASH_MEMORY_KIB`, `AUTH_HASH_PASSES`). That is what a first connection with a password waits for, and no device with a password gets in faster ' +
			'than this, whatever else is done; the rest of its login is in the storm below. Verified passwords are remembered (`AUTH_CACHE_TTL_SECONDS`, 300 s, ' +
			'since the hash was last computed), so a device that comes back within that time costs no hash. Certificates cost none at all.',
		'Hashes are computed in the threads that Node keeps for such work: four, unless the variable `UV_THREADPOOL_SIZE` of its environment says otherwise. On ' +
			'a machine with more cores, a larger number lets a storm use them.',
	],
	columns: [
		{ key: 'cpuMilliseconds', heading: 'ms of a core', digits: 1 },
		{ key: 'perSecondAndCore', heading: 'devices a second and core', digits: 0 },
		{ key: 'atOncePerSecond', heading: 'hashes a second, all threads', digits: 0 },
	],
	comparisons: [],
	prepare: async () => [{ name: 'argon2id', run: async () => ({ ...(await runLoad<HashResult>('./load/hash-load.js', {})) }) }],
};
