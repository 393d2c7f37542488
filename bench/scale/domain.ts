import { openInventory } from '../../inventory/index.ts';
import { openOperations } from '../../operations/index.ts';
import { openSqliteStore } from '../../store/sqlite/index.ts';

const limits = {
	packages: { maxPackages: 100_000, nameMaxLength: 255, versionMaxLength: 255, typeMaxLength: 255, urlMaxLength: 4096 },
	maxFragments: 1000,
	objectMaxBytes: 1024 ** 2,
	maxChildReferences: 1000,
	maxAncestors: 200,
	search: { maxLength: 8000, maxDepth: 12, maxTerms: 100, maxWildcards: 8, maxScanned: 100_000 },
};

/** The domain on an embedded store in this folder, with the service's own limits. */
export async function openDomain(directory: string, groupSteps?: number) {
	const clock = Date.now;
	const store = await openSqliteStore({ directory, now: clock, ...(groupSteps !== undefined && { maxGroupSteps: groupSteps }) });
	const inventory = await openInventory({ store, clock, limits });
	const operations = await openOperations({
		store,
		inventory,
		clock,
		limits: { operationMaxBytes: 1024 ** 2, maxItems: 10_000 },
		numbersAtATime: 100,
		fault: () => undefined,
	});
	return { store, inventory, operations };
}
