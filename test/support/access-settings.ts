import type { AccessOptions } from '../../access/index.ts';
import { certificateSettings } from './certificate-settings.ts';

/** What access needs beside its store and its clocks; hashes are as cheap as they may be. Attempts that wait go on at once. */
export const accessSettings = {
	pause: async () => {},
	limits: {
		cacheEntries: 100,
		cacheTtlMilliseconds: 3_600_000,
		failuresPerMinute: 20,
		failuresPerAddress: 1000,
		failuresPerUser: 1000,
		delayMilliseconds: 2000,
		delayedPerAddress: 10,
		hashCost: { memoryKibibytes: 7168, passes: 1 },
		passwordRules: { minCharacters: 12, maxCharacters: 100 },
	},
	certificates: certificateSettings,
	registration: { expiryMilliseconds: 86_400_000, maxPerTenant: 20, pollsPerMinute: 20, maxWrongTokens: 3 },
	tenants: {
		defaultTenant: 't1',
		hostSuffix: 'example.com',
		limits: { devices: 0, packages: 0, storageBytes: 0, requestsPerSecond: 0 },
	},
	tokens: { algorithm: 'HS256', lifetimeSeconds: 3600, sessionSeconds: 7200, keyDays: 30 },
} as const satisfies Partial<AccessOptions>;
