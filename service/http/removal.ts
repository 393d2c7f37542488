import { type ChildKind, isBinary, type ManagedObjectId } from '../../inventory/index.ts';
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
		const removed = await inventory.objects.remove(tenant, id, below, async (object) => {
			await operations.failFor(tenant, object.id, 'The device was removed from the inventory');
			if (!isBinary(object)) return;
			const name = object.name === undefined ? '' : ` (${object.name.slice(0, 200)})`;
			const reason = `The binary '${object.id}'${name} was removed before the operation reached the device`;
			await operations.failNaming(tenant, object.id, reason);
		});
		onDevicesRemoved(tenant, removed);
		return removed;
	}

	return { remove };
}
