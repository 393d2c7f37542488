import type { Config } from '../config/index.ts';
import { isVersionOrder, type OrderOfType, type PackageLimits, type VersionOrder } from '../inventory/index.ts';
import type { HttpOptions } from './http/index.ts';
import { loginOptions } from './login-settings.ts';

/** What the HTTP interface takes of the configuration. */
export function httpOptions(config: Config, packageLimits: PackageLimits): HttpOptions {
	const { http, limits, tenant, binaries, query, certificates, protection } = config;
	return {
		bodyMaxBytes: http.bodyMaxBytes,
		jsonMaxDepth: http.jsonMaxDepth,
		formMaxBytes: protection.formMaxBytes,
		urlMaxCharacters: protection.urlMaxCharacters,
		headersMaxCount: http.headersMaxCount,
		requestsPerSecond: {
			address: protection.addressRequestsPerSecond,
			user: protection.userRequestsPerSecond,
			device: protection.deviceRequestsPerSecond,
		},
		corsOrigins: protection.corsOrigins?.split(',') ?? [],
		hstsSeconds: protection.hstsSeconds,
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
		readTimeoutMilliseconds: protection.readTimeoutSeconds * 1000,
		binaryRedirect: binaries.redirect,
		bulkRegistrationMaxLines: http.bulkRegistrationMaxLines,
		certificateListMaxBytes: certificates.listMaxBytes,
		...loginOptions(config),
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
