import type { Logger } from 'pino';
import { type Access, deviceUserPrefix } from '../access/index.ts';
import { type Inventory, InventoryError, type ManagedObjectId, type NewDevice } from '../inventory/index.ts';

export type FirstPlaces = ReturnType<typeof createFirstPlaces>;

/** The group and the type that a device was registered with, for when its object is made. */
export function createFirstPlaces({
	access,
	inventory,
	log,
}: {
	readonly access: Pick<Access, 'users'>;
	readonly inventory: Inventory;
	readonly log: Logger;
}) {
	/** What a new object of the device gets where the device says nothing else. */
	async function find(tenant: string, serial: string): Promise<Partial<Pick<NewDevice, 'type' | 'parent'>>> {
		const { firstGroup, firstType } = (await access.users.find(tenant, deviceUserPrefix + serial)) ?? {};
		const group = firstGroup === undefined ? undefined : await findGroup(tenant, serial, firstGroup);
		return { ...(firstType !== undefined && { type: firstType }), ...(group && { parent: { id: group, kind: 'childAssets' } }) };
	}

	/** Puts the object of a device into the group that it was registered for, where there is one. */
	async function join(tenant: string, serial: string): Promise<void> {
		const { parent } = await find(tenant, serial);
		if (parent) await put(tenant, serial, parent.id);
	}

	/** Puts the object of a device, where there is one already, into a group. */
	async function put(tenant: string, serial: string, group: string): Promise<void> {
		const device = await inventory.devices.find(tenant, serial);
		const id = device && (await findGroup(tenant, serial, group));
		if (!id) return;
		try {
			await inventory.groups.add(tenant, id, device);
		} catch (error) {
			// The device may come in all the same: why its group does not take it is for people to look at.
			if (!(error instanceof InventoryError)) throw error;
			log.warn({ tenant, device: serial, group, reason: error.message }, 'a device could not be put into its group');
		}
	}

	async function findGroup(tenant: string, serial: string, id: string): Promise<ManagedObjectId | undefined> {
		const group = await inventory.groups.find(tenant, id);
		if (!group) log.warn({ tenant, device: serial, group: id }, 'the group that a device was registered for is gone');
		return group?.id;
	}

	return { find, join, put };
}
