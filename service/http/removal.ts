import { mayDo, type Principal } from '../../access/index.ts';
import { type ChildKind, isAgent, isBinary, type ManagedObject, type ManagedObjectId } from '../../inventory/index.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';

/** Removes objects with their events, and ends the operations that cannot be carried out without them. */
export function openRemoval({
	inventory,
	operations,
	events,
	onDevicesRemoved,
}: Pick<HttpServices, 'inventory' | 'operations' | 'events' | 'onDevicesRemoved'>) {
	/**
	 * With `below`, first everything linked below in these kinds. Returns the ids that were removed.
	 * @param endDevice ends what lets a device in whose object goes
	 * @throws InventoryError `inventory/notFound`, `inventory/invalid`
	 */
	async function remove(
		tenant: string,
		id: ManagedObjectId,
		below: readonly ChildKind[],
		endDevice: (object: ManagedObject) => Promise<void> = async () => {},
	): Promise<ManagedObjectId[]> {
		const removed = await inventory.objects.remove(tenant, id, below, {
			// Before the object is gone: a process that dies in between leaves nothing that waits for what is no more.
			onRemoving: async (object) => {
				// First, so that a device which is connected cannot come back with its next message.
				await endDevice(object);
				await operations.failFor(tenant, object.id, 'The device was removed from the inventory');
				// None comes any more to what is marked.
				await events.removeMatching(tenant, { source: object.id });
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

/**
 * What the removal of objects does with the devices that they are of. A device is over with its object, and its user locked, or gone:
 * it comes back when somebody registers it anew. Whoever wants it to come back by itself says so; who may not take credentials away
 * leaves them as they are, and so does a device, but for its own.
 * @param withDeviceUser as the client says, if it does
 * @throws HttpError `http/forbidden`
 */
export function deviceEnding(
	{ access, inventory, bridgedDevices }: Pick<HttpServices, 'access' | 'inventory' | 'bridgedDevices'>,
	principal: Principal,
	withDeviceUser: boolean | undefined,
): ((object: ManagedObject) => Promise<void>) | undefined {
	const isDevice = principal.role === 'device';
	if (withDeviceUser === false || (isDevice && withDeviceUser === undefined)) return undefined;
	if (!isDevice && !mayDo(principal, 'registrations:write')) {
		if (withDeviceUser === undefined) return undefined;
		throw new HttpError('http/forbidden', 'withDeviceUser takes its credentials from a device: it needs registrations:write');
	}
	return async (object) => {
		const { tenant } = object;
		for await (const serial of inventory.externalIds.serialsOf(tenant, object.id)) {
			if (isDevice && serial !== principal.serial) continue;
			// A device may have taken the mark of an agent from its object.
			const speaks = isAgent(object) || (await bridgedDevices?.find(tenant, serial)) !== undefined;
			await access.deviceRemoval.remove(tenant, serial, { isAgent: speaks, withUser: withDeviceUser === true });
		}
	};
}
