import { type Access, type Principal, serialFault, serialOfOther } from '../access/index.ts';
import type { BridgedDevices } from '../inventory/index.ts';

export type SerialCheck = ReturnType<typeof createSerialCheck>;

/**
 * Why somebody must not take a serial: another device is registered under it, or connected under it at an outside broker, or a device
 * was removed that had it. `undefined` where they may.
 */
export function createSerialCheck({
	access,
	bridgedDevices,
}: {
	readonly access: Access;
	readonly bridgedDevices?: Pick<BridgedDevices, 'find'> | undefined;
}) {
	return async (principal: Principal, serial: string): Promise<string | undefined> => {
		const fault = await serialFault(access, principal, serial);
		if (fault !== undefined || principal.role !== 'device' || principal.serial === serial) return fault;
		const isConnected = (await bridgedDevices?.find(principal.tenant, serial))?.connected ?? false;
		return isConnected ? serialOfOther(serial) : undefined;
	};
}
