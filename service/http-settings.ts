import { predefinedGlobalRoles, type Role } from '../access/index.ts';
import type { Config } from '../config/index.ts';
import { isVersionOrder, type OrderOfType, type PackageLimits, type VersionOrder } from '../inventory/index.ts';
import type { HttpOptions, IdentityProvider } from './http/index.ts';

/** What the HTTP interface takes of the configuration. */
export function httpOptions(config: Config, packageLimits: PackageLimits): HttpOptions {
	const { http, limits, tenant, binaries, access, query, certificates } = config;
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
		bulkRegistrationMaxLines: http.bulkRegistrationMaxLines,
		certificateListMaxBytes: certificates.listMaxBytes,
		objectMaxBytes: limits.managedObjectMaxBytes,
		softwareSearch: {
			maxLength: query.maxLength,
			maxTerms: query.maxTerms,
			orderOfType: parseVersionOrders(query.versionOrders),
		},
	};
}

/** Reads `type=order,…`, whose form the configuration has checked. */
export function parseVersionOrders(text: string): OrderOfType {
	const pairs = text.split(',').flatMap((pair): [string, VersionOrder][] => {
		const [type = '', order = ''] = pair.split('=');
		return isVersionOrder(order) ? [[type, order]] : [];
	});
	return new Map(pairs);
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
