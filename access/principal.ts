import {
	type InventoryRole,
	inventoryRoles,
	managementPermissions,
	type Permission,
	type Role,
	rolePermissions,
} from './permissions.ts';

/** What a user may do with a group of devices and all that is below it. */
export interface InventoryAssignment {
	/** Id of the managed object. */
	readonly group: string;
	readonly roles: readonly InventoryRole[];
}

/** Somebody whose credentials were verified. */
export interface Principal {
	readonly tenant: string;
	readonly userName: string;
	/** The predefined role, where it is the only one; `user` where several, or roles of the tenant's own, say what may be done. */
	readonly role: Role;
	/** For the role `device`: the serial of the one device that it is. */
	readonly serial?: string;
	/** For the role `user`: all that its roles grant. */
	readonly permissions?: readonly Permission[];
	/** What it may do with some groups beside that. */
	readonly inventory?: readonly InventoryAssignment[];
	/** Somebody else chose the password: until it is changed, nothing else may be done. */
	readonly mustChangePassword?: true;
}

/** What somebody may do who has to change the password first. */
const alwaysAllowed: readonly Permission[] = ['own:read', 'tenant:read', 'session:write', 'password:write'];

/** Whether somebody may do it with everything of the tenant; a device, with what is its own. */
export function mayDo(principal: Principal, permission: Permission): boolean {
	// Other tenants are the business of one tenant, whatever a role says.
	if (managementPermissions.has(permission) && principal.tenant !== managementTenant) return false;
	if (principal.mustChangePassword && !alwaysAllowed.includes(permission)) return false;
	return grantedTo(principal).includes(permission);
}

/** Whether there is anything with which somebody may do it: the route then looks at what. */
export function mayDoSomewhere(principal: Principal, permission: Permission): boolean {
	return mayDo(principal, permission) || groupsWith(principal, permission).length > 0;
}

/** The groups with which somebody may do it, where that is not everything. */
export function groupsWith({ inventory = [], mustChangePassword }: Principal, permission: Permission): string[] {
	if (mustChangePassword) return [];
	return inventory
		.filter(({ roles }) => roles.some((role) => includes(inventoryRoles[role], permission)))
		.map(({ group }) => group);
}

/** Everything that somebody may do, without what groups grant. */
export function effectivePermissions(principal: Principal): Permission[] {
	return grantedTo(principal).filter((permission) => mayDo(principal, permission));
}

/** Whether somebody may speak for a device at a broker: a device for itself, others for any where they may do what it does. */
export function mayConnectAs(principal: Principal, serial: string): boolean {
	if (!mayDo(principal, 'mqtt:connect')) return false;
	if (principal.role === 'device') return principal.serial === serial;
	return principal.role === 'bootstrap' || (mayDo(principal, 'inventory:write') && mayDo(principal, 'operations:write'));
}

function grantedTo({ role, permissions }: Principal): readonly Permission[] {
	return permissions ?? rolePermissions[role];
}

function includes(granted: readonly Permission[], permission: Permission): boolean {
	return granted.includes(permission);
}

/** The tenant that holds what belongs to the service itself, the bootstrap user for one. */
export const managementTenant = 'management';
export const bootstrapUser = 'devicebootstrap';
/** Who did what the service does by itself, as records say it: nobody else's name. */
export const systemUser = 'system';
/** A device's user is named after its serial. */
export const deviceUserPrefix = 'device_';

/** Credentials as `tenant/user` or `user`; the tenant is then `defaultTenant`. */
export function parseUserName(text: string, defaultTenant: string): { readonly tenant: string; readonly userName: string } {
	const slash = text.indexOf('/');
	return slash < 0
		? { tenant: defaultTenant, userName: text }
		: { tenant: text.slice(0, slash), userName: text.slice(slash + 1) };
}
