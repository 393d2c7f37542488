import { deviceUserPrefix, mayConnectAs, mayDo, type Principal } from './principal.ts';
import type { Users } from './users.ts';

/**
 * Whether a device, or a user with inventory roles only, must not take a serial, because another device is registered under it: what
 * that one sends and is asked to do hangs on its serial.
 */
export async function isSerialOfOther(users: Pick<Users, 'find'>, principal: Principal, serial: string): Promise<boolean> {
	const owner = deviceUserPrefix + serial;
	const { tenant, role } = principal;
	const mayTakeAll = role !== 'device' && mayDo(principal, 'identity:write');
	if (mayTakeAll || mayConnectAs(principal, serial)) return false;
	return (await users.find(tenant, owner)) !== undefined;
}

const serialPattern = /^[^\s/:"'\\,+#\p{Cc}\p{Cs}][^/:"'\\,+#\p{Cc}\p{Cs}]{0,253}$/u;

/** Whether a text can be the serial of a device that is registered. */
export function isSerial(text: string): boolean {
	return serialPattern.test(text);
}
