import type { CollectionSpec, DocumentStore, Step } from '../store/index.ts';

/** A device that was removed, and has not been registered anew: nobody but a person brings it back. */
export interface RemovedDevice {
	/** Tenant and serial. */
	readonly _id: string;
	readonly tenant: string;
	readonly serial: string;
	readonly removalTime: number;
}

export const removedDeviceSpec: CollectionSpec<RemovedDevice> = { name: 'removedDevices', indexes: [] };

export type RemovedDevices = Awaited<ReturnType<typeof openRemovedDevices>>;

/** Serials that must not come back by themselves, by whatever way: password, token, certificate, another device, an outside broker. */
export async function openRemovedDevices({ store, clock }: { readonly store: DocumentStore; readonly clock: () => number }) {
	const removed = await store.collection(removedDeviceSpec);

	async function has(tenant: string, serial: string): Promise<boolean> {
		return (await removed.get(idOf(tenant, serial))) !== undefined;
	}

	function removeStep(tenant: string, serial: string): Step {
		const document: RemovedDevice = { _id: idOf(tenant, serial), tenant, serial, removalTime: clock() };
		return { kind: 'put', collection: removedDeviceSpec.name, document };
	}

	/** Somebody registers it anew. */
	function readmitStep(tenant: string, serial: string): Step {
		return { kind: 'remove', collection: removedDeviceSpec.name, id: idOf(tenant, serial) };
	}

	return { has, removeStep, readmitStep };
}

function idOf(tenant: string, serial: string): string {
	return `${tenant}/${serial}`;
}
