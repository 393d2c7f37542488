import { type CollectionSpec, type DocumentStore, type Migration, openSequence, type StoredDocument } from '../store/index.ts';
import { contentSpec, openBinaryRecords, referenceSpec } from './binary-records.ts';
import { bridgeCollections } from './bridged-devices.ts';
import { derivedFieldsMigration } from './derived-fields-migration.ts';
import { connectionSpec } from './device-connections.ts';
import { openDevices } from './devices.ts';
import { type ExternalId, openExternalIds } from './external-ids.ts';
import { openGroups } from './groups.ts';
import { openHierarchy } from './hierarchy.ts';
import { openInstalledSoftware } from './installed-software.ts';
import type { InventoryContext, InventoryLimits } from './inventory-context.ts';
import { type ManagedObject, objectCollection, parseManagedObjectId } from './managed-object.ts';
import { openManagedObjects } from './managed-objects.ts';
import { objectIndexes } from './object-indexes.ts';
import type { ChildLink } from './object-links.ts';
import { openObjectSearch } from './object-search.ts';
import { type PackageDocument, packageIndexes } from './package-document.ts';
import { openSoftwareSearch } from './software-search/search-software.ts';
import { openTenantRoom } from './tenant-room.ts';

export const objectSpec: CollectionSpec<ManagedObject> = {
	name: objectCollection,
	indexes: objectIndexes,
	version: 2,
};
const externalIdSpec: CollectionSpec<ExternalId> = {
	name: 'externalIds',
	indexes: [{ name: 'byObject', keys: ['tenant', 'managedObjectId'] }],
};
const linkSpec: CollectionSpec<ChildLink> = {
	name: 'children',
	indexes: [
		{ name: 'byParent', keys: ['tenant', 'parent', 'kind', 'seq'] },
		{ name: 'byChild', keys: ['tenant', 'child', 'seq'] },
	],
};
const packageSpec: CollectionSpec<PackageDocument> = { name: 'packages', indexes: packageIndexes };

/** Everything that the inventory stores. */
export const inventoryCollections: readonly CollectionSpec<StoredDocument>[] = [
	objectSpec,
	externalIdSpec,
	linkSpec,
	packageSpec,
	referenceSpec,
	contentSpec,
	connectionSpec,
	...bridgeCollections,
];

export const inventoryMigrations: readonly Migration[] = [derivedFieldsMigration(objectSpec, linkSpec)];

export type Inventory = Awaited<ReturnType<typeof openInventory>>;

/** Opens the inventory on a store. */
export async function openInventory(options: { store: DocumentStore; clock: () => number; limits: InventoryLimits }) {
	const { store } = options;
	const sequence = await openSequence(store, objectCollection, { first: 1000, block: 100 });
	const objects = await store.collection(objectSpec);
	const links = await store.collection(linkSpec);
	const packages = await store.collection(packageSpec);
	const binaryRecords = openBinaryRecords({
		store,
		references: await store.collection(referenceSpec),
		contents: await store.collection(contentSpec),
	});
	const externalIds = openExternalIds({ ...options, objects, externalIds: await store.collection(externalIdSpec) });
	const context: InventoryContext = {
		...options,
		objects,
		room: openTenantRoom({ objects, packages, clock: options.clock, limitsOf: options.limits.ofTenant }),
		nextId: async () => {
			const seq = await sequence.next();
			return { id: parseManagedObjectId(String(seq)), seq };
		},
	};
	const software = openInstalledSoftware({ ...context, packages });
	const { search, idsWithin } = openObjectSearch({ ...context, links, limits: options.limits.search });
	const managedObjects = openManagedObjects({ ...context, links, software, search });
	const { remove, ...hierarchy } = openHierarchy({ ...context, links, software });
	const softwareSearch = openSoftwareSearch({ packages, objects, managedObjects, externalIds });
	const devices = openDevices({ objects: managedObjects, externalIds });
	const groups = openGroups({ objects: managedObjects, hierarchy });
	return {
		objects: { ...managedObjects, idsWithin, remove },
		hierarchy,
		externalIds,
		software,
		softwareSearch,
		devices,
		groups,
		binaryRecords,
	};
}
