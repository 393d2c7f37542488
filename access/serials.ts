import { deviceUserPrefix, mayConnectAs, mayDo, type Principal } from './principal.ts';
import type { RemovedDevices } from './removed-devices.ts';
import type { Users } from './users.ts';

/**
 * Why a device, or a user with inventory roles only, must not take a serial, in words for it; `undefined` where it may. Another device
 * is registered under it, and what that one sends and is asked to do hangs on its serial; or a device was removed, and is not to come
 * back by itself.
 */
export async function serialFault(
	{
		users,
		deviceRemoval,
	}: { readonly users: Pick<Users, 'find'>; readonly deviceRemoval: { readonly isRemoved: RemovedDevices['has'] } },
	principal: Principal,
	serial: string,
): Promise<string | undefined> {
	const { tenant, role } = principal;
	if (role !== 'device' && mayDo(principal, 'identity:write')) return undefined;
	if (await deviceRemoval.isRemoved(tenant, serial))
		return `'${serial}' was removed: it comes back when somebody registers it anew`;
	if (mayConnectAs(principal, serial)) return undefined;
	const isTaken = (await users.find(tenant, deviceUserPrefix + serial)) !== undefined;
	return isTaken ? serialOfOther(serial) : undefined;
}

export function serialOfOther(serial: string): string {
	return `'${serial}' is the serial of another device`;
}

const serialPattern = /^[^\s/:"'\\,+#\p{Cc}\p{Cs}][^/:"'\\,+#\p{Cc}\p{Cs}]{0,253}$/u;

/** Whether a text can be the serial of a device that is registered. */
export function isSerial(text: string): boolean {
	return serialPattern.test(text);
}
