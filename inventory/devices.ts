import type { Step } from '../store/index.ts';
import type { ExternalIds } from './external-ids.ts';
import { serialType } from './external-ids.ts';
import { agentFragment, type ManagedObjectId } from './managed-object.ts';
import type { ManagedObjects } from './managed-objects.ts';
import type { ChildKind } from './object-links.ts';

export interface NewDevice {
	readonly owner: string;
	readonly name: string;
	readonly type: string;
	readonly fragments: Readonly<Record<string, unknown>>;
	readonly parent?: { readonly id: ManagedObjectId; readonly kind: ChildKind };
	/** What is stored in the same write; where it meets somebody who was faster, the device is asked for anew. */
	readonly also?: (id: ManagedObjectId) => readonly Step[];
}

export type Devices = ReturnType<typeof openDevices>;

/** Devices, child devices and services: managed objects that are known by their `c8y_Serial`. */
export function openDevices({ objects, externalIds }: { readonly objects: ManagedObjects; readonly externalIds: ExternalIds }) {
	async function find(tenant: string, serial: string): Promise<ManagedObjectId | undefined> {
		return (await externalIds.find(tenant, serialType, serial))?.managedObjectId;
	}

	/**
	 * The object of a serial, created where there is none; two callers at once get the same one. `device` is asked only then,
	 * and refuses by throwing. [SR-100] [SR-101] [SR-102]
	 * @throws InventoryError `inventory/notFound` when the parent does not exist
	 */
	async function ensure(
		tenant: string,
		serial: string,
		device: () => NewDevice | Promise<NewDevice>,
	): Promise<{ readonly id: ManagedObjectId; readonly created: boolean }> {
		for (;;) {
			const known = await find(tenant, serial);
			if (known) return { id: known, created: false };
			const { owner, name, type, fragments, parent, also } = await device();
			const object = await objects.create(
				tenant,
				{ owner, patch: { name, type, fragments }, ...(parent && { parent }) },
				(id) => [externalIds.bindStep(tenant, serialType, serial, id), ...(also?.(id) ?? [])],
			);
			if (object) return { id: object.id, created: true };
		}
	}

	/** Serials of the child devices, in the order of creation; at most `limit`. [SR-105] */
	async function childSerials(tenant: string, id: ManagedObjectId, limit: number): Promise<string[]> {
		const ids = (await objects.listChildren(tenant, [id], limit, 'childDevices')).map((link) => link.child);
		const found = await externalIds.listSerials(tenant, ids);
		const serials = new Map(found.map(({ managedObjectId, externalId }) => [managedObjectId, externalId]));
		return ids.flatMap((child) => serials.get(child) ?? []);
	}

	return { find, ensure, childSerials };
}

/** The fragments of a device that connected by itself. */
export const agentFragments: Readonly<Record<string, unknown>> = { c8y_IsDevice: {}, [agentFragment]: {} };
