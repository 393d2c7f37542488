import { openInventory } from '../../inventory/index.ts';
import { openMongoStore } from '../../store/mongodb/index.ts';
import { openSqliteStore } from '../../store/sqlite/index.ts';
import { inventoryLimits } from '../inventory-limits.ts';

/** What is filled and measured. */
export interface QueriesJob {
	/** Of the embedded store; absent where `url` names a MongoDB. */
	readonly directory: string;
	readonly url?: string;
	readonly database: string;
	readonly objects: number;
	/** Calls of each kind. */
	readonly runs: number;
}

/** The inventory on one of the engines, with the service's own limits. */
export async function openQueried({ directory, url, database }: QueriesJob) {
	const now = Date.now;
	const store =
		url === undefined ? await openSqliteStore({ directory, now }) : await openMongoStore({ url, database, now, maxPoolSize: 20 });
	const inventory = await openInventory({ store, clock: now, limits: inventoryLimits });
	return { store, inventory };
}
