import { deviceUserPrefix, type Principal } from './principal.ts';
import type { Users } from './users.ts';

/**
 * Whether a device must not take a serial, because another device is registered under it: what that one sends and is asked to
 * do hangs on its serial.
 */
export async function isSerialOfOther(
	users: Pick<Users, 'find'>,
	{ tenant, role, userName }: Principal,
	serial: string,
): Promise<boolean> {
	const owner = deviceUserPrefix + serial;
	return role === 'device' && owner !== userName && (await users.find(tenant, owner)) !== undefined;
}

const serialPattern = /^[^\s/:"'\\,+#\p{Cc}\p{Cs}][^/:"'\\,+#\p{Cc}\p{Cs}]{0,253}$/u;

/** Whether a text can be the serial of a device that is registered. */
export function isSerial(text: string): boolean {
	return serialPattern.test(text);
}
