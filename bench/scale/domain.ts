import { openInventory } from '../../inventory/index.ts';
import { openOperations } from '../../operations/index.ts';
import { openSqliteStore } from '../../store/sqlite/index.ts';
import { inventoryLimits } from '../inventory-limits.ts';

/** The domain on an embedded store in this folder, with the service's own limits. */
export async function openDomain(directory: string, groupSteps?: number) {
	const clock = Date.now;
	const store = await openSqliteStore({ directory, now: clock, ...(groupSteps !== undefined && { maxGroupSteps: groupSteps }) });
	const inventory = await openInventory({ store, clock, limits: inventoryLimits });
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
