/** The service's own, where the settings say nothing. */
export const inventoryLimits = {
	packages: { maxPackages: 100_000, nameMaxLength: 255, versionMaxLength: 255, typeMaxLength: 255, urlMaxLength: 4096 },
	maxFragments: 1000,
	objectMaxBytes: 1024 ** 2,
	maxChildReferences: 1000,
	maxAncestors: 200,
	maxExternalIds: 100,
	search: { maxLength: 8000, maxDepth: 12, maxTerms: 100, maxWildcards: 8, maxWildcardText: 100, maxScanned: 100_000 },
};
