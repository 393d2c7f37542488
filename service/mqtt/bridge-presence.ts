import type { Logger } from 'pino';
import { type Inventory, InventoryError } from '../../inventory/index.ts';
import { availability } from './template-handlers.ts';

/**
 * Makes of presence at an outside broker what the inventory says of availability: a device that has promised to be heard of (117)
 * is unavailable from when it is gone until it is back, whenever it was heard of last.
 */
export function createPresenceNotes({
	inventory,
	clock,
	log,
}: {
	readonly inventory: Inventory;
	readonly clock: () => number;
	readonly log: Logger;
}) {
	return async function notePresence(tenant: string, serial: string, isThere: boolean): Promise<void> {
		const id = await inventory.devices.find(tenant, serial);
		if (id === undefined) return;
		try {
			await inventory.objects.change(tenant, id, ({ fragments: { c8y_RequiredAvailability, c8y_Availability } }) => {
				if (c8y_RequiredAvailability === undefined) return undefined;
				const heard = availability(clock()).c8y_Availability;
				const known = typeof c8y_Availability === 'object' ? c8y_Availability : {};
				return { fragments: { c8y_Availability: isThere ? heard : { ...heard, ...known, isGone: true } } };
			});
		} catch (error) {
			// It is being removed, or as large as it may be: that is no reason to refuse what it says.
			if (!(error instanceof InventoryError)) throw error;
			log.debug({ err: error, tenant, device: serial }, 'the availability of a device was not noted');
		}
	};
}
