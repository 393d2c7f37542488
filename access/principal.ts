/** What a caller may do; every route and topic names the one it needs. */
export const permissions = [
	'inventory:read',
	'inventory:write',
	'operations:read',
	'operations:write',
	'registrations:write',
	'tenant:read',
	'credentials:poll',
	'mqtt:connect',
	'audit:read',
	'audit:write',
] as const;
export type Permission = (typeof permissions)[number];

/** THE table of roles. A device has these permissions for itself and what is below it only. */
export const rolePermissions = {
	admin: [
		'inventory:read',
		'inventory:write',
		'operations:read',
		'operations:write',
		'registrations:write',
		'tenant:read',
		'mqtt:connect',
		'audit:read',
		'audit:write',
	],
	device: ['inventory:read', 'inventory:write', 'operations:read', 'operations:write', 'tenant:read', 'mqtt:connect'],
	bootstrap: ['credentials:poll', 'mqtt:connect'],
} as const satisfies Readonly<Record<string, readonly Permission[]>>;
export type Role = keyof typeof rolePermissions;

/** Somebody whose credentials were verified. */
export interface Principal {
	readonly tenant: string;
	readonly userName: string;
	readonly role: Role;
	/** For the role `device`: the serial of the one device that it is. */
	readonly serial?: string;
}

export function mayDo(principal: Principal, permission: Permission): boolean {
	const granted: readonly Permission[] = rolePermissions[principal.role];
	return granted.includes(permission);
}

/** The tenant that holds what belongs to the service itself, the bootstrap user for one. */
export const managementTenant = 'management';
export const bootstrapUser = 'devicebootstrap';
/** A device's user is named after its serial. */
export const deviceUserPrefix = 'device_';

/** Credentials as `tenant/user` or `user`; the tenant is then `defaultTenant`. */
export function parseUserName(text: string, defaultTenant: string): { readonly tenant: string; readonly userName: string } {
	const slash = text.indexOf('/');
	return slash < 0
		? { tenant: defaultTenant, userName: text }
		: { tenant: text.slice(0, slash), userName: text.slice(slash + 1) };
}
