import { z } from 'zod';
import { cumulocityRoleNames, type InventoryRole, type Principal, type User } from '../../access/index.ts';
import { InventoryError, isDynamicGroup, parseManagedObjectId } from '../../inventory/index.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { jsonBody } from './json-decode.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { referenceBody } from './reference-body.ts';
import { created, noContent, ok } from './reply.ts';
import { noBody, noParams, noQuery, type Route, route } from './route.ts';
import {
	assignmentJson,
	assignmentSchema,
	createUserRenderer,
	groupReferenceSchema,
	inventoryRoleJson,
	inventoryRoleNames,
	inventoryRoleSchema,
	roleJson,
	roleReferenceSchema,
	roleReferences,
	roleReferencesSchema,
	roleSchema,
	userUrl,
} from './user-json.ts';
import { checkTenant, tenantParam } from './user-routes.ts';

const tag = 'Roles';
const userParams = { ...tenantParam, id: 'Name of the user' };
const sentInventoryRoles = z
	.array(z.looseObject({ id: z.union([z.int(), z.string().regex(/^\d{1,4}$/)]).transform(Number) }))
	.max(20);
const refusals = ['access/notFound', 'access/invalid', 'access/forbidden', 'access/conflict'] as const;

/** What roles there are, and what single users were given. */
export function roleRoutes(services: HttpServices): Route[] {
	const { directory } = services.access;
	const { objects } = services.inventory;
	const renderer = createUserRenderer(services);
	const oneAssignment = { description: 'What the user may do with the group', schema: assignmentSchema };
	const assignmentParams = { ...userParams, group: 'Id of the group of devices' };

	async function getUser(principal: Principal, tenant: string, userName: string): Promise<User> {
		checkTenant(principal, tenant);
		return directory.get(principal.tenant, userName);
	}

	function assignmentOf(user: User, group: string, base: string) {
		const found = user.inventory?.find((each) => each.group === group);
		if (!found)
			throw new HttpError('http/notFound', `User '${user.userName}' has no inventory roles for '${group.slice(0, 40)}'`);
		return assignmentJson(found, user, base);
	}

	async function checkGroup({ tenant }: Principal, id: string): Promise<void> {
		const group = await objects.get(tenant, parseManagedObjectId(id));
		if (isDynamicGroup(group))
			throw new InventoryError('inventory/invalid', `Group '${id}' is a query: name a group that devices are children of`);
	}

	return [
		route({
			method: 'get',
			path: '/user/roles',
			permission: 'users:read',
			summary: 'List the roles that there are',
			tag,
			params: noParams,
			query: z.object(pageParameters(services.options)),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('roles', roleSchema) } },
			handler: async (call) => {
				const { entries, frame } = await readPage(call, pageOf(cumulocityRoleNames));
				return ok({ roles: entries.map((role) => roleJson(role, call.base)), ...frame });
			},
		}),
		route({
			method: 'get',
			path: '/user/roles/{name}',
			permission: 'users:read',
			summary: 'Read a role',
			tag,
			params: { name: 'Name of the role' },
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The role', schema: roleSchema } },
			refusals: ['http/notFound'],
			handler: async ({ param, base }) => {
				const role = cumulocityRoleNames.find((name) => name === param('name'));
				if (!role) throw new HttpError('http/notFound', `There is no role '${param('name').slice(0, 60)}'`);
				return ok(roleJson(role, base));
			},
		}),
		route({
			method: 'get',
			path: '/user/inventoryroles',
			permission: 'users:read',
			summary: 'List the inventory roles',
			description: 'What a user can be given for a group of devices. They are predefined.',
			tag,
			params: noParams,
			query: z.object(pageParameters(services.options)),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('roles', inventoryRoleSchema) } },
			handler: async (call) => {
				const { entries, frame } = await readPage(call, pageOf(inventoryRoleNames));
				return ok({ roles: entries.map((role) => inventoryRoleJson(role, call.base)), ...frame });
			},
		}),
		route({
			method: 'get',
			path: '/user/inventoryroles/{id}',
			permission: 'users:read',
			summary: 'Read an inventory role',
			tag,
			params: { id: 'Id of the inventory role' },
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The inventory role', schema: inventoryRoleSchema } },
			refusals: ['http/notFound'],
			handler: async ({ param, base }) => {
				const role = inventoryRoleNames[Number(param('id')) - 1];
				if (!role) throw new HttpError('http/notFound', `There is no inventory role '${param('id').slice(0, 40)}'`);
				return ok(inventoryRoleJson(role, base));
			},
		}),
		route({
			method: 'get',
			path: '/user/{tenant}/users/{id}/groups',
			permission: 'users:read',
			summary: 'List the groups that a user is in',
			tag,
			params: userParams,
			query: noQuery,
			body: noBody,
			answers: {
				200: {
					description: 'The groups',
					schema: z.object({ references: z.array(groupReferenceSchema), self: z.string() }),
				},
			},
			refusals: ['access/notFound'],
			handler: async ({ principal, param, base }) =>
				ok(await renderer.groupsOf(await getUser(principal, param('tenant'), param('id')), base)),
		}),
		route({
			method: 'get',
			path: '/user/{tenant}/users/{id}/roles/inventory',
			permission: 'users:read',
			summary: 'List what a user may do with groups of devices',
			tag,
			params: userParams,
			query: noQuery,
			body: noBody,
			answers: {
				200: {
					description: 'The assignments',
					schema: z.object({ inventoryAssignments: z.array(assignmentSchema), self: z.string() }),
				},
			},
			refusals: ['access/notFound'],
			handler: async ({ principal, param, base }) => {
				const user = await getUser(principal, param('tenant'), param('id'));
				return ok({
					inventoryAssignments: (user.inventory ?? []).map((each) => assignmentJson(each, user, base)),
					self: `${userUrl(base, user.tenant, user.userName)}/roles/inventory`,
				});
			},
		}),
		route({
			method: 'post',
			path: '/user/{tenant}/users/{id}/roles/inventory',
			permission: 'users:write',
			summary: 'Let a user do something with a group of devices',
			description:
				'Without roles for the whole tenant, a user then sees, and may touch, what is below the group, and nothing else.',
			tag,
			params: userParams,
			query: noQuery,
			body: jsonBody(
				z.looseObject({
					managedObject: z.union([z.string(), z.int().nonnegative()]).transform(String),
					roles: sentInventoryRoles.min(1),
				}),
			),
			answers: { 201: oneAssignment },
			refusals: [...refusals, 'inventory/notFound', 'inventory/invalid', 'http/notFound'],
			handler: async ({ principal, param, body, base }) => {
				checkTenant(principal, param('tenant'));
				await checkGroup(principal, body.managedObject);
				const user = await directory.setInventoryRoles(principal, param('id'), body.managedObject, namesOf(body.roles));
				return created(assignmentOf(user, body.managedObject, base));
			},
		}),
		route({
			method: 'get',
			path: '/user/{tenant}/users/{id}/roles/inventory/{group}',
			permission: 'users:read',
			summary: 'Read what a user may do with a group of devices',
			tag,
			params: assignmentParams,
			query: noQuery,
			body: noBody,
			answers: { 200: oneAssignment },
			refusals: ['access/notFound', 'http/notFound'],
			handler: async ({ principal, param, base }) =>
				ok(assignmentOf(await getUser(principal, param('tenant'), param('id')), param('group'), base)),
		}),
		route({
			method: 'put',
			path: '/user/{tenant}/users/{id}/roles/inventory/{group}',
			permission: 'users:write',
			summary: 'Change what a user may do with a group of devices',
			tag,
			params: assignmentParams,
			query: noQuery,
			body: jsonBody(z.looseObject({ roles: sentInventoryRoles.min(1) })),
			answers: { 200: oneAssignment },
			refusals: [...refusals, 'http/notFound'],
			handler: async ({ principal, param, body, base }) => {
				assignmentOf(await getUser(principal, param('tenant'), param('id')), param('group'), base);
				const user = await directory.setInventoryRoles(principal, param('id'), param('group'), namesOf(body.roles));
				return ok(assignmentOf(user, param('group'), base));
			},
		}),
		route({
			method: 'delete',
			path: '/user/{tenant}/users/{id}/roles/inventory/{group}',
			permission: 'users:write',
			summary: 'No longer let a user do something with a group of devices',
			tag,
			params: assignmentParams,
			query: noQuery,
			body: noBody,
			answers: { 204: { description: 'Taken away' } },
			refusals: [...refusals, 'http/notFound'],
			handler: async ({ principal, param, base }) => {
				assignmentOf(await getUser(principal, param('tenant'), param('id')), param('group'), base);
				await directory.setInventoryRoles(principal, param('id'), param('group'), []);
				return noContent;
			},
		}),
		route({
			method: 'get',
			path: '/user/{tenant}/users/{id}/roles',
			permission: 'users:read',
			summary: 'List the roles that a user was given beside its groups',
			tag,
			params: userParams,
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The roles', schema: roleReferencesSchema } },
			refusals: ['access/notFound'],
			handler: async ({ principal, param, base }) => {
				const user = await getUser(principal, param('tenant'), param('id'));
				return ok(roleReferences(user.grants ?? [], base, userUrl(base, user.tenant, user.userName)));
			},
		}),
		route({
			method: 'post',
			path: '/user/{tenant}/users/{id}/roles',
			permission: 'users:write',
			summary: 'Give a user a role',
			tag,
			params: userParams,
			query: noQuery,
			body: referenceBody('role'),
			answers: { 201: { description: 'The role', schema: roleReferenceSchema } },
			refusals,
			handler: async ({ principal, param, body: role, base }) => {
				checkTenant(principal, param('tenant'));
				const user = await directory.addGrant(principal, param('id'), role);
				return created({ role: roleJson(role, base), self: `${userUrl(base, user.tenant, user.userName)}/roles/${role}` });
			},
		}),
		route({
			method: 'delete',
			path: '/user/{tenant}/users/{id}/roles/{role}',
			permission: 'users:write',
			summary: 'Take a role from a user',
			tag,
			params: { ...userParams, role: 'Name of the role' },
			query: noQuery,
			body: noBody,
			answers: { 204: { description: 'Taken away' } },
			refusals,
			handler: async ({ principal, param }) => {
				checkTenant(principal, param('tenant'));
				await directory.removeGrant(principal, param('id'), param('role'));
				return noContent;
			},
		}),
	];
}

function namesOf(roles: readonly { readonly id: number }[]): InventoryRole[] {
	return roles.map(({ id }) => {
		const name = inventoryRoleNames[id - 1];
		if (!name)
			throw new HttpError(
				'http/invalidBody',
				`roles names the inventory role ${id}: there are 1 to ${inventoryRoleNames.length}`,
			);
		return name;
	});
}

function pageOf<T>(all: readonly T[]) {
	return {
		find: async ({ skip, limit }: { readonly skip: number; readonly limit: number }) => all.slice(skip, skip + limit),
		count: async () => all.length,
	};
}
