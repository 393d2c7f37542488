import type { AccessOptions, FirstStart } from '../access/index.ts';
import type { Config } from '../config/index.ts';

/** What tenants, users and tokens take of the configuration. */
export function accessSettings({
	access,
	tenant,
	binaries,
}: Config): Pick<AccessOptions, 'limits' | 'tokenLifetimeSeconds' | 'tenants'> {
	return {
		limits: {
			cacheEntries: access.cacheMaxEntries,
			cacheTtlMilliseconds: access.cacheTtlSeconds * 1000,
			failuresPerMinute: access.wrongPasswordsPerMinute,
		},
		tokenLifetimeSeconds: access.tokenLifetimeSeconds,
		tenants: {
			defaultTenant: tenant.id,
			...(tenant.hostSuffix !== undefined && { hostSuffix: tenant.hostSuffix }),
			limits: {
				devices: tenant.devicesMax,
				packages: tenant.packagesMax,
				storageBytes: binaries.tenantMaxBytes,
				requestsPerSecond: tenant.requestsPerSecond,
			},
		},
	};
}

/** Who is to be there after the first start. */
export function firstStart({ tenant }: Config): FirstStart {
	return {
		tenant: tenant.id,
		adminUserName: tenant.adminUsername,
		managementUserName: tenant.managementUsername,
		...(tenant.adminPassword && { adminPassword: tenant.adminPassword.reveal() }),
		...(tenant.managementPassword && { managementPassword: tenant.managementPassword.reveal() }),
		...(tenant.bootstrapPassword && { bootstrapPassword: tenant.bootstrapPassword.reveal() }),
	};
}
