import { setTimeout } from 'node:timers/promises';
import type { AccessOptions, CertificateSettings, FirstStart, RegistrationSettings } from '../access/index.ts';
import type { Config } from '../config/index.ts';
import { authenticationLimits, tokenSettings } from './login-settings.ts';

/** What tenants, users and tokens take of the configuration. */
export function accessSettings(config: Config): Omit<AccessOptions, 'store' | 'clock' | 'elapsed'> {
	const { tenant, binaries } = config;
	return {
		pause: (milliseconds) => setTimeout(milliseconds, undefined, { ref: false }),
		limits: authenticationLimits(config),
		tokens: tokenSettings(config),
		certificates: certificateSettings(config),
		registration: registrationSettings(config),
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

function registrationSettings({ registration }: Config): RegistrationSettings {
	const { expiryHours, maxPerTenant, pollsPerMinute, maxWrongTokens } = registration;
	return { expiryMilliseconds: expiryHours * 3_600_000, maxPerTenant, pollsPerMinute, maxWrongTokens };
}

function certificateSettings({ certificates }: Config): CertificateSettings {
	return {
		maxPerTenant: certificates.maxPerTenant,
		codeSeconds: certificates.codeSeconds,
		proofAlways: certificates.proof === 'always',
		refuseOverdueLists: certificates.overdueLists === 'refuse',
		authority: {
			secret: certificates.authoritySecret?.reveal(),
			authorityDays: certificates.authorityDays,
			deviceDays: certificates.deviceDays,
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
