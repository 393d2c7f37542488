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
