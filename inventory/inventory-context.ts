import type { Collection, DocumentStore } from '../store/index.ts';
import type { ManagedObject, ManagedObjectId } from './managed-object.ts';
import type { SearchLimits } from './object-search.ts';
import type { PackageLimits } from './software-package.ts';
import type { TenantRoom, TenantRoomLimits } from './tenant-room.ts';

export interface InventoryLimits {
	readonly packages: PackageLimits;
	readonly maxFragments: number;
	/** Bytes of a managed object's fragments as JSON. */
	readonly objectMaxBytes: number;
	/** Child references shown in one managed object. */
	readonly maxChildReferences: number;
	/** Objects above an object, through all of its parents. */
	readonly maxAncestors: number;
	/** External ids of one managed object. */
	readonly maxExternalIds: number;
	readonly search: SearchLimits;
	/** Absent where no tenant has a limit. */
	readonly ofTenant?: (tenant: string) => Promise<TenantRoomLimits>;
}

/** What the parts of the inventory work with. */
export interface InventoryContext {
	readonly store: DocumentStore;
	readonly objects: Collection<ManagedObject>;
	readonly nextId: () => Promise<{ readonly id: ManagedObjectId; readonly seq: number }>;
	/** Milliseconds since 1970. */
	readonly clock: () => number;
	readonly limits: InventoryLimits;
	readonly room: TenantRoom;
}
