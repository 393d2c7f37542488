import type { AuthenticationLimits, TokenSettings } from '../access/index.ts';
import type { Config } from '../config/index.ts';
import type { PackageLimits } from '../inventory/index.ts';
import type { HttpOptions } from './http/index.ts';

/** What the HTTP interface takes of the configuration. */
export function httpOptions({ http, limits, tenant, binaries, access }: Config, packageLimits: PackageLimits): HttpOptions {
	return {
		bodyMaxBytes: http.bodyMaxBytes,
		jsonMaxDepth: http.jsonMaxDepth,
		pageSizeMax: http.pageSizeMax,
		pageSizeDefault: 5,
		childReferencesMax: limits.childReferencesMax,
		answerTimeoutMilliseconds: http.answerTimeoutSeconds * 1000,
		scansAtOnce: http.scansAtOnce,
		scansWaitingPerUser: http.scansWaitingPerUser,
		packageLimits,
		maxFragments: limits.fragmentsMax,
		defaultTenant: tenant.id,
		showAdvancedListInInventory: tenant.showAdvancedList,
		requestTimeoutMilliseconds: http.requestTimeoutSeconds * 1000,
		uploadTimeoutMilliseconds: binaries.uploadTimeoutSeconds * 1000,
		standstillMilliseconds: binaries.standstillSeconds * 1000,
		binaryRedirect: binaries.redirect,
		trustedProxies: http.trustedProxies.split(','),
		sessionSeconds: access.sessionSeconds,
		objectMaxBytes: limits.managedObjectMaxBytes,
	};
}

/** What passwords and guessing are held to. */
export function authenticationLimits({ access }: Config): AuthenticationLimits {
	return {
		cacheEntries: access.cacheMaxEntries,
		cacheTtlMilliseconds: access.cacheTtlSeconds * 1000,
		failuresPerMinute: access.wrongPasswordsPerMinute,
		failuresPerAddress: access.wrongPasswordsPerAddress,
		failuresPerUser: access.wrongPasswordsPerUser,
		delayMilliseconds: access.delaySeconds * 1000,
		delayedPerAddress: access.delayedPerAddress,
		hashCost: { memoryKibibytes: access.hashMemoryKibibytes, passes: access.hashPasses },
		passwordRules: { minCharacters: access.passwordMinCharacters, maxCharacters: access.passwordMaxCharacters },
	};
}

export function tokenSettings({ access }: Config): TokenSettings {
	return {
		algorithm: access.tokenAlgorithm,
		lifetimeSeconds: access.tokenLifetimeSeconds,
		sessionSeconds: access.sessionSeconds,
		keyDays: access.tokenKeyDays,
	};
}
