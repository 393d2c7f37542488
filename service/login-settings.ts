import { type AuthenticationLimits, predefinedGlobalRoles, type Role, type TokenSettings } from '../access/index.ts';
import type { Config } from '../config/index.ts';
import type { HttpOptions, IdentityProvider } from './http/index.ts';

/** What the HTTP interface takes of the configuration for logins. */
export function loginOptions(
	config: Config,
): Pick<HttpOptions, 'trustedProxies' | 'sessionSeconds' | 'identityProviders' | 'answerSeconds' | 'loginSeconds'> {
	const { answerSeconds, loginSeconds } = config.identityProviders;
	return {
		trustedProxies: config.http.trustedProxies.split(','),
		sessionSeconds: config.access.sessionSeconds,
		identityProviders: identityProviders(config),
		answerSeconds,
		loginSeconds,
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
	const roles = predefinedGlobalRoles.flatMap(({ role }) => (role === 'device' ? [] : role));
	const found = roles.find((role) => role === text);
	if (found === undefined) throw new Error(`OIDC_PROVIDERS: the role '${text}' is none of ${roles.join(', ')}`);
	return found;
}
