import type { Logger } from 'pino';
import { accessCollections, accessMigrations } from '../access/index.ts';
import { auditCollections } from '../audit/index.ts';
import { eventCollections } from '../events/index.ts';
import { inventoryCollections, inventoryMigrations } from '../inventory/index.ts';
import { operationCollections } from '../operations/index.ts';
import {
	type CollectionSpec,
	type DocumentStore,
	type Migration,
	openSchema,
	type StoredDocument,
	storeCollections,
} from '../store/index.ts';
import type { LeaseKeeper } from './leases.ts';

/** Everything that is stored. */
export const collections: readonly CollectionSpec<StoredDocument>[] = [
	...inventoryCollections,
	...operationCollections,
	...eventCollections,
	...accessCollections,
	...auditCollections,
	...storeCollections,
];

/** THE table of migrations, oldest first. */
export const migrations: readonly Migration[] = [...inventoryMigrations, ...accessMigrations];

/** Brings stored documents to the versions of this program; of several processes one does it, and the others wait. */
export async function runMigrations(options: {
	readonly store: DocumentStore;
	readonly leases: LeaseKeeper;
	readonly log: Logger;
	readonly collections: readonly CollectionSpec<StoredDocument>[];
	readonly migrations: readonly Migration[];
}): Promise<void> {
	const { leases, log } = options;
	const schema = await openSchema(options);
	if (await schema.isCurrent()) return;
	await new Promise<void>((resolve, reject) => {
		const held = leases.holdLease('migrations', {
			async onHeld(lease, signal) {
				try {
					await schema.migrate(leases.guard(lease), signal, ({ collection, to, what }) =>
						log.info({ collection, to }, `stored documents are changed: ${what}`),
					);
				} catch (error) {
					// Another process goes on with it, or has done it: asked again, this one sees.
					if (signal.aborted) return;
					held.stop().then(() => reject(error), reject);
					return;
				}
				held.stop().then(resolve, reject);
			},
		});
	});
}
