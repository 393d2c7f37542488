import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import {
	AccessError,
	type AccessOptions,
	bootstrapUser,
	type CertificateSettings,
	checkNewPassword,
	type FirstStart,
	type GivenPassword,
	type RegistrationSettings,
} from '../access/index.ts';
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
		maxPerDevice: certificates.maxPerDevice,
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

/**
 * Who is to be there after the first start.
 * @throws Error that names the settings whose passwords nobody may choose
 */
export function firstStart(config: Config, log: Logger): FirstStart {
	const { tenant } = config;
	const given = [
		['ADMIN_PASSWORD', tenant.adminPassword, tenant.adminUsername],
		['MANAGEMENT_ADMIN_PASSWORD', tenant.managementPassword, tenant.managementUsername],
		['BOOTSTRAP_PASSWORD', tenant.bootstrapPassword, bootstrapUser],
	] as const;
	const { passwordRules } = authenticationLimits(config);
	const faults = given.flatMap(([setting, password, userName]) => {
		try {
			if (password) checkNewPassword(password.reveal(), userName, passwordRules);
			return [];
		} catch (error) {
			if (error instanceof AccessError) return `${setting}: ${error.message}`;
			throw error;
		}
	});
	if (faults.length > 0) throw new Error(faults.join('\n'));
	return {
		tenant: tenant.id,
		adminUserName: tenant.adminUsername,
		managementUserName: tenant.managementUsername,
		...(tenant.adminPassword && { adminPassword: tenant.adminPassword.reveal() }),
		...(tenant.managementPassword && { managementPassword: tenant.managementPassword.reveal() }),
		...(tenant.bootstrapPassword && { bootstrapPassword: tenant.bootstrapPassword.reveal() }),
		onGiven: (user, outcome) => log.info({ user }, givenTexts[outcome]),
	};
}

const givenTexts: Readonly<Record<GivenPassword, string>> = {
	set: 'the password of the configuration was set',
	'changed since': 'the password of the configuration was set before, and the user has another one since, which stays',
};
