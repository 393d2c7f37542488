import { type ChildKind, isBinary, type ManagedObject, type ManagedObjectId } from '../../inventory/index.ts';
import type { HttpServices } from './http-options.ts';

/** Removes objects, and ends the operations that cannot be carried out without them. */
export function openRemoval({
	inventory,
	operations,
	onDevicesRemoved,
}: Pick<HttpServices, 'inventory' | 'operations' | 'onDevicesRemoved'>) {
	/**
	 * With `below`, first everything linked below in these kinds. Returns the ids that were removed.
	 * @throws InventoryError `inventory/notFound`, `inventory/invalid`
	 */
	async function remove(tenant: string, id: ManagedObjectId, below: readonly ChildKind[]): Promise<ManagedObjectId[]> {
		const removed = await inventory.objects.remove(tenant, id, below, {
			// Before the object is gone: a process that dies in between leaves nothing that waits for what is no more.
			onRemoving: async (object) => {
				await operations.failFor(tenant, object.id, 'The device was removed from the inventory');
				await failNaming(object);
			},
			onRemoved: async (object) => {
				await operations.forgetDevice(tenant, object.id);
				// What was created meanwhile.
				await failNaming(object);
			},
		});
		onDevicesRemoved(tenant, removed);
		return removed;
	}

	async function failNaming(object: ManagedObject): Promise<void> {
		if (!isBinary(object)) return;
		const name = object.name === undefined ? '' : ` (${object.name.slice(0, 200)})`;
		const reason = `The binary '${object.id}'${name} was removed before the operation reached the device`;
		await operations.failNaming(object.tenant, object.id, reason);
	}

	return { remove };
}
