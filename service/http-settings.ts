import { type AuthenticationLimits, type Role, rolePermissions, type TokenSettings } from '../access/index.ts';
import type { Config } from '../config/index.ts';
import type { PackageLimits } from '../inventory/index.ts';
import type { HttpOptions, IdentityProvider } from './http/index.ts';

/** What the HTTP interface takes of the configuration. */
export function httpOptions(config: Config, packageLimits: PackageLimits): HttpOptions {
	const { http, limits, tenant, binaries, access } = config;
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
		identityProviders: identityProviders(config),
		answerSeconds: config.identityProviders.answerSeconds,
		loginSeconds: config.identityProviders.loginSeconds,
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

/** @throws Error that names the setting and the role which is none */
function identityProviders({ identityProviders: { providers = [] }, tenant }: Config): IdentityProvider[] {
	return providers.map(({ clientSecret, name, roles, audience, ...provider }) => ({
		...provider,
		name: name ?? provider.id,
		tenant: provider.tenant ?? tenant.id,
		...(audience !== undefined && { audience }),
		...(clientSecret && { clientSecret: clientSecret.reveal() }),
		roles: Object.entries(roles).map(([value, role]) => [value, roleOfPeople(role)] as const),
	}));
}

function roleOfPeople(text: string): Role {
	const roles = Object.keys(rolePermissions).filter((role): role is Role => !['device', 'bootstrap'].includes(role));
	const found = roles.find((role) => role === text);
	if (found === undefined) throw new Error(`OIDC_PROVIDERS: the role '${text}' is none of ${roles.join(', ')}`);
	return found;
}
