import type { AccessOptions } from '../access/index.ts';
import type { Config } from '../config/index.ts';

/** What access takes of the configuration. */
export function accessSettings({ access, certificates }: Config): Omit<AccessOptions, 'store' | 'clock' | 'elapsed'> {
	return {
		limits: {
			cacheEntries: access.cacheMaxEntries,
			cacheTtlMilliseconds: access.cacheTtlSeconds * 1000,
			failuresPerMinute: access.wrongPasswordsPerMinute,
		},
		tokenLifetimeSeconds: access.tokenLifetimeSeconds,
		certificates: {
			maxPerTenant: certificates.maxPerTenant,
			codeSeconds: certificates.codeSeconds,
			proofAlways: certificates.proof === 'always',
			refuseOverdueLists: certificates.overdueLists === 'refuse',
			authority: {
				secret: certificates.authoritySecret?.reveal(),
				authorityDays: certificates.authorityDays,
				deviceDays: certificates.deviceDays,
			},
		},
	};
}
