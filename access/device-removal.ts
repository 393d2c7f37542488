import type { DocumentStore, Step } from '../store/index.ts';
import type { Certificates } from './certificates/certificates.ts';
import type { DeviceRegistration } from './device-registration.ts';
import { deviceUserPrefix } from './principal.ts';
import type { RemovedDevices } from './removed-devices.ts';
import { lockStep, type User, type Users } from './users.ts';

export type DeviceRemoval = ReturnType<typeof createDeviceRemoval>;

/** The end of a device: nothing that it has lets it in any more, until somebody registers it anew. */
export function createDeviceRemoval(options: {
	readonly store: DocumentStore;
	readonly users: Users;
	readonly registration: DeviceRegistration;
	readonly certificates: Certificates;
	readonly removedDevices: RemovedDevices;
}) {
	const { store, users, registration, certificates, removedDevices } = options;

	/** The steps that go with the removal of its user, and `takeBack` behind them: certificates that the service has signed are taken back, too. */
	async function steps(tenant: string, serial: string): Promise<Step[]> {
		return [
			removedDevices.removeStep(tenant, serial),
			...(await registration.removalSteps(tenant, serial)),
			...(await certificates.issued.revokeSteps(tenant, serial)),
		];
	}

	/**
	 * Ends what could let a device in. Its user is locked, or goes, too. Does nothing for what has no credentials, is not expected and is
	 * no agent: what its parent speaks for comes and goes with what its parent says.
	 */
	async function remove(
		tenant: string,
		serial: string,
		{ isAgent, withUser }: { readonly isAgent: boolean; readonly withUser: boolean },
	): Promise<void> {
		const userName = deviceUserPrefix + serial;
		for (let attempt = 0; attempt < maxAttempts; attempt++) {
			const user = await users.find(tenant, userName);
			if (user && user.role !== 'device') return;
			if (!user && !isAgent && (await registration.removalSteps(tenant, serial)).length === 0) return;
			const { ok } = await store.batch([...(await steps(tenant, serial)), ...userSteps(user, withUser)]);
			users.forget(`${tenant}/${userName}`);
			if (ok && (await isOver(tenant, serial))) return;
		}
		throw new Error('what lets a device in that is being removed is changed again and again');
	}

	/** Whether the device got nothing while it was being removed: its credentials, say, that it fetched just then. */
	async function isOver(tenant: string, serial: string): Promise<boolean> {
		await takeBack(tenant, serial);
		const user = await users.find(tenant, deviceUserPrefix + serial);
		// Somebody has registered it anew, or it has no way in.
		return user === undefined || user.enabled === false || !(await removedDevices.has(tenant, serial));
	}

	/** Takes back the certificates that did not go with the steps: there were many, or they were signed meanwhile. */
	async function takeBack(tenant: string, serial: string): Promise<void> {
		while (await removedDevices.has(tenant, serial)) {
			const left = await certificates.issued.revokeSteps(tenant, serial);
			if (left.length === 0) return;
			await store.batch(left);
		}
	}

	function userSteps(user: User | undefined, withUser: boolean): Step[] {
		if (!user) return [];
		if (withUser) return [users.removeStep(user.tenant, user.userName)];
		return user.enabled === false ? [] : [lockStep(user)];
	}

	return { steps, takeBack, remove, isRemoved: removedDevices.has, readmitStep: removedDevices.readmitStep };
}

const maxAttempts = 20;
