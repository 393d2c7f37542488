/** What a caller may do; every route and topic names the one it needs. */
export const permissions = [
	'inventory:read',
	'inventory:create',
	'inventory:write',
	'identity:read',
	'identity:write',
	'operations:read',
	'operations:write',
	'event:read',
	'event:create',
	'event:write',
	'rollouts:read',
	'rollouts:write',
	'registrations:write',
	'certificates:write',
	'users:read',
	'users:create',
	'users:write',
	'own:read',
	'own:write',
	'password:write',
	'session:write',
	'sessions:end',
	'tenant:read',
	'tenant:write',
	'options:read',
	'options:write',
	'applications:read',
	'audit:read',
	'audit:write',
	'tenants:read',
	'tenants:create',
	'tenants:write',
	'credentials:poll',
	'mqtt:connect',
] as const;
export type Permission = (typeof permissions)[number];

/** THE table of the permission names that Cumulocity's clients check and grant, and what they are here. */
export const cumulocityRoles = {
	ROLE_INVENTORY_READ: ['inventory:read'],
	ROLE_INVENTORY_CREATE: ['inventory:create'],
	ROLE_INVENTORY_ADMIN: ['inventory:create', 'inventory:write'],
	ROLE_IDENTITY_READ: ['identity:read'],
	ROLE_IDENTITY_ADMIN: ['identity:write'],
	ROLE_DEVICE_CONTROL_READ: ['operations:read'],
	ROLE_DEVICE_CONTROL_ADMIN: ['operations:write', 'registrations:write'],
	ROLE_EVENT_READ: ['event:read'],
	ROLE_EVENT_ADMIN: ['event:create', 'event:write'],
	ROLE_BULK_OPERATION_READ: ['rollouts:read'],
	ROLE_BULK_OPERATION_ADMIN: ['rollouts:write'],
	ROLE_USER_MANAGEMENT_READ: ['users:read'],
	ROLE_USER_MANAGEMENT_CREATE: ['users:create'],
	ROLE_USER_MANAGEMENT_ADMIN: ['users:create', 'users:write', 'sessions:end'],
	ROLE_USER_MANAGEMENT_OWN_READ: ['own:read', 'session:write', 'tenant:read'],
	ROLE_USER_MANAGEMENT_OWN_ADMIN: ['own:write', 'password:write'],
	ROLE_TENANT_ADMIN: ['tenant:write', 'certificates:write'],
	ROLE_OPTION_MANAGEMENT_READ: ['options:read'],
	ROLE_OPTION_MANAGEMENT_ADMIN: ['options:write'],
	ROLE_APPLICATION_MANAGEMENT_READ: ['applications:read'],
	ROLE_AUDIT_READ: ['audit:read'],
	ROLE_AUDIT_ADMIN: ['audit:write'],
	ROLE_TENANT_MANAGEMENT_READ: ['tenants:read'],
	ROLE_TENANT_MANAGEMENT_CREATE: ['tenants:create'],
	ROLE_TENANT_MANAGEMENT_ADMIN: ['tenants:create', 'tenants:write'],
	ROLE_DEVICE_BOOTSTRAP: ['credentials:poll'],
	ROLE_DEVICE: ['mqtt:connect'],
} as const satisfies Readonly<Record<string, readonly Permission[]>>;
export type CumulocityRole = keyof typeof cumulocityRoles;

/** What every person may do, whatever the roles. */
const ownPermissions = [
	'own:read',
	'own:write',
	'password:write',
	'session:write',
	'tenant:read',
] as const satisfies readonly Permission[];

const readerPermissions = [
	...ownPermissions,
	'inventory:read',
	'identity:read',
	'operations:read',
	'event:read',
	'rollouts:read',
	'applications:read',
	'options:read',
] as const satisfies readonly Permission[];

/** THE table of predefined roles. A device has these permissions for itself and what is below it only. */
export const rolePermissions = {
	admin: permissions.filter((permission) => permission !== 'credentials:poll'),
	operator: [...readerPermissions, 'operations:write', 'rollouts:write'],
	reader: readerPermissions,
	device: [
		'own:read',
		'session:write',
		'tenant:read',
		'inventory:read',
		'inventory:create',
		'inventory:write',
		'identity:read',
		'identity:write',
		'operations:read',
		'operations:write',
		'event:read',
		'event:create',
		'mqtt:connect',
	],
	bootstrap: ['credentials:poll', 'mqtt:connect'],
	user: ownPermissions,
} as const satisfies Readonly<Record<string, readonly Permission[]>>;
export type Role = keyof typeof rolePermissions;

/** The permissions that only users of the management tenant can have. */
export const managementPermissions: ReadonlySet<Permission> = new Set(['tenants:read', 'tenants:create', 'tenants:write']);

const inventoryReader = [
	'inventory:read',
	'identity:read',
	'operations:read',
	'event:read',
] as const satisfies readonly Permission[];

/** THE table of inventory roles: what a user may do with a group of devices, and with all that is below it. */
export const inventoryRoles = {
	Reader: inventoryReader,
	'Operations: All': [...inventoryReader, 'operations:write'],
	Manager: [...inventoryReader, 'operations:write', 'inventory:write', 'identity:write', 'event:create', 'event:write'],
} as const satisfies Readonly<Record<string, readonly Permission[]>>;
export type InventoryRole = keyof typeof inventoryRoles;

/** The permissions that a list of Cumulocity's names grants; names that are none grant nothing. */
export function permissionsOf(roles: readonly string[]): Permission[] {
	return roles.flatMap((role): readonly Permission[] => (isCumulocityRole(role) ? cumulocityRoles[role] : []));
}

/** Cumulocity's names of which everything is granted. */
export function effectiveRoles(granted: Iterable<Permission>): CumulocityRole[] {
	const all = new Set(granted);
	return cumulocityRoleNames.filter((role) => cumulocityRoles[role].every((permission) => all.has(permission)));
}

/** A permission as those who give roles know it: with Cumulocity's names that grant it. */
export function toReadable(permission: Permission): string {
	const granting = cumulocityRoleNames.filter((role) => permissionsOf([role]).includes(permission));
	const only = managementPermissions.has(permission) ? ', which only users of the management tenant can have' : '';
	return granting.length > 0 ? `${permission} (${granting.join(' or ')})${only}` : permission;
}

export const cumulocityRoleNames = Object.keys(cumulocityRoles).filter(isCumulocityRole);

export function isCumulocityRole(text: string): text is CumulocityRole {
	return Object.hasOwn(cumulocityRoles, text);
}

export function isInventoryRole(text: string): text is InventoryRole {
	return Object.hasOwn(inventoryRoles, text);
}
