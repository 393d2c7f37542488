import { z } from 'zod';
import {
	type CumulocityRole,
	effectivePermissions,
	effectiveRoles,
	type GlobalRole,
	globalRolesOf,
	type InventoryAssignment,
	type InventoryRole,
	inventoryRoles,
	isInventoryRole,
	type Permission,
	predefinedGlobalRoles,
	type User,
} from '../../access/index.ts';
import { formatTime } from '../../inventory/index.ts';
import type { HttpServices } from './http-options.ts';
import type { Json } from './managed-object-json.ts';
import { timeSchema } from './managed-object-schema.ts';

export const roleSchema = z.object({ id: z.string(), name: z.string(), self: z.string() }).meta({ id: 'Role' });
export const roleReferenceSchema = z.object({ role: roleSchema, self: z.string() });
export const roleReferencesSchema = z.object({ references: z.array(roleReferenceSchema), self: z.string() });
export const groupSchema = z
	.object({
		id: z.int(),
		name: z.string(),
		description: z.string().optional(),
		roles: roleReferencesSchema,
		self: z.string(),
	})
	.meta({ id: 'Group' });
export const groupReferenceSchema = z.object({ group: groupSchema, self: z.string() });

const userFields = {
	id: z.string(),
	userName: z.string(),
	self: z.string(),
	email: z.string().optional(),
	firstName: z.string().optional(),
	lastName: z.string().optional(),
	displayName: z.string().optional(),
	phone: z.string().optional(),
	enabled: z.boolean(),
	shouldResetPassword: z.boolean(),
	owner: z.string().optional(),
	customProperties: z.looseObject({}),
	devicePermissions: z.looseObject({}),
	creationTime: timeSchema,
};
export const userSchema = z
	.object({
		...userFields,
		groups: z.object({ references: z.array(groupReferenceSchema), self: z.string() }),
		roles: roleReferencesSchema,
	})
	.meta({ id: 'User' });
export const currentUserSchema = userSchema.extend({ effectiveRoles: z.array(roleSchema) }).meta({ id: 'CurrentUser' });

export const inventoryRoleSchema = z
	.object({
		id: z.int(),
		name: z.string(),
		description: z.string(),
		permissions: z.array(z.object({ id: z.int(), permission: z.string(), scope: z.string(), type: z.string() })),
		self: z.string(),
	})
	.meta({ id: 'InventoryRole' });
export const assignmentSchema = z
	.object({ id: z.int(), managedObject: z.string(), roles: z.array(inventoryRoleSchema), self: z.string() })
	.meta({ id: 'InventoryAssignment' });

export function userUrl(base: string, tenant: string, userName: string): string {
	return `${base}/user/${tenant}/users/${encodeURIComponent(userName)}`;
}

export function groupUrl(base: string, tenant: string, id: number | string): string {
	return `${base}/user/${tenant}/groups/${id}`;
}

/** What clients see of users, groups and roles. */
export function createUserRenderer({ access }: Pick<HttpServices, 'access'>) {
	async function user(of: User, base: string): Promise<Json> {
		const { tenant, userName, grants = [] } = of;
		const self = userUrl(base, tenant, userName);
		return {
			...profile(of),
			self,
			groups: await groupsOf(of, base),
			roles: roleReferences(grants, base, self),
		};
	}

	/** Somebody as they see themselves: with what all their roles grant together. */
	async function current(of: User, granted: readonly Permission[], base: string): Promise<Json> {
		return {
			...(await user(of, base)),
			self: `${base}/user/currentUser`,
			effectiveRoles: effectiveRoles(granted).map((role) => roleJson(role, base)),
		};
	}

	async function groupsOf(of: User, base: string): Promise<Json> {
		const groups = await access.roles.named(of.tenant, globalRolesOf(of));
		const self = `${userUrl(base, of.tenant, of.userName)}/groups`;
		return { references: groups.map((group) => groupReference(group, of.tenant, base)), self };
	}

	return { user, current, groupsOf };
}

function profile(user: User): Json {
	const { userName, email, firstName, lastName, displayName, phone, owner, customProperties = {}, creationTime } = user;
	const told = { email, firstName, lastName, displayName, phone, owner };
	return {
		id: userName,
		userName,
		...Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)),
		enabled: user.enabled !== false,
		shouldResetPassword: user.shouldResetPassword === true,
		customProperties,
		devicePermissions: {},
		creationTime: formatTime(creationTime),
	};
}

export function roleJson(role: string, base: string): Json {
	return { id: role, name: role, self: `${base}/user/roles/${role}` };
}

export function roleReferences(roles: readonly string[], base: string, owner: string): Json {
	const self = `${owner}/roles`;
	return { references: roles.map((role) => ({ role: roleJson(role, base), self: `${self}/${role}` })), self };
}

export function groupJson({ id, name, description, roles }: GlobalRole, tenant: string, base: string): Json {
	const self = groupUrl(base, tenant, id);
	return { id, name, ...(description !== undefined && { description }), roles: roleReferences(roles, base, self), self };
}

export function groupReference(group: GlobalRole, tenant: string, base: string): Json {
	return { group: groupJson(group, tenant, base), self: groupUrl(base, tenant, group.id) };
}

/** What a predefined role is called among the names that clients check. */
export const devicesGroupId = predefinedGlobalRoles.find(({ role }) => role === 'device')?.id;

/** THE table of inventory roles as clients see them; their ids are the positions in it, from 1. */
export const inventoryRoleNames = Object.keys(inventoryRoles).filter(isInventoryRole);

const inventoryDescriptions: Readonly<Record<InventoryRole, string>> = {
	Reader: 'May read the devices of the group, their software and their operations',
	'Operations: All': 'May read, and ask the devices of the group to do something',
	Manager: 'May read and change the devices of the group, and ask them to do something',
};

const scopes: Readonly<Partial<Record<Permission, { readonly permission: string; readonly scope: string }>>> = {
	'inventory:read': { permission: 'READ', scope: 'MANAGED_OBJECT' },
	'inventory:write': { permission: 'ADMIN', scope: 'MANAGED_OBJECT' },
	'operations:read': { permission: 'READ', scope: 'OPERATION' },
	'operations:write': { permission: 'ADMIN', scope: 'OPERATION' },
};

export function inventoryRoleJson(name: InventoryRole, base: string): Json {
	const id = inventoryRoleNames.indexOf(name) + 1;
	const granted: readonly Permission[] = inventoryRoles[name];
	const shown = granted.flatMap((permission) => scopes[permission] ?? []);
	return {
		id,
		name,
		description: inventoryDescriptions[name],
		permissions: shown.map((each, index) => ({ id: id * 10 + index, ...each, type: '*' })),
		self: `${base}/user/inventoryroles/${id}`,
	};
}

export function assignmentJson({ group, roles }: InventoryAssignment, user: User, base: string): Json {
	return {
		id: Number(group),
		managedObject: group,
		roles: roles.map((role) => inventoryRoleJson(role, base)),
		self: `${userUrl(base, user.tenant, user.userName)}/roles/inventory/${group}`,
	};
}

/** The names that grant what somebody may do. */
export function rolesOfPrincipal(principal: Parameters<typeof effectivePermissions>[0]): CumulocityRole[] {
	return effectiveRoles(effectivePermissions(principal));
}
