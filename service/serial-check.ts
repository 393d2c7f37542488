import { type Access, isSerialOfOther, type Principal } from '../access/index.ts';
import type { BridgedDevices } from '../inventory/index.ts';

export type SerialCheck = ReturnType<typeof createSerialCheck>;

/** Whether a device must not take a serial: another device is registered under it, or connected under it at an outside broker. */
export function createSerialCheck({
	access,
	bridgedDevices,
}: {
	readonly access: Access;
	readonly bridgedDevices?: Pick<BridgedDevices, 'find'> | undefined;
}) {
	return async (principal: Principal, serial: string): Promise<boolean> => {
		if (await isSerialOfOther(access.users, principal, serial)) return true;
		if (principal.role !== 'device' || principal.serial === serial) return false;
		return (await bridgedDevices?.find(principal.tenant, serial))?.connected ?? false;
	};
}
