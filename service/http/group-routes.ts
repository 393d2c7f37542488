import { z } from 'zod';
import { type Principal, roleKey, type User } from '../../access/index.ts';
import type { HttpServices } from './http-options.ts';
import { jsonBody } from './json-decode.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { parseReference, referenceBody } from './reference-body.ts';
import { created, noContent, ok } from './reply.ts';
import { noBody, noQuery, type Route, route } from './route.ts';
import {
	createUserRenderer,
	groupJson,
	groupSchema,
	groupUrl,
	roleJson,
	roleReferenceSchema,
	roleReferences,
	roleReferencesSchema,
	userSchema,
} from './user-json.ts';
import { checkTenant, tenantParam } from './user-routes.ts';

const tag = 'Groups of users';
const groupParams = { ...tenantParam, id: 'Id of the group' };
const sentRole = z.union([z.string(), z.looseObject({ id: z.string() }), z.looseObject({ self: z.string() })]);
const groupBody = z.looseObject({
	name: z.string().min(1),
	description: z.string().optional(),
	roles: z.array(sentRole).optional().meta({ description: 'What the group may do; unset, it is left as it is' }),
});
const userReferenceSchema = z.object({ user: userSchema, self: z.string() });

/** Groups: what users of a tenant may do, by names that Cumulocity's clients know. */
export function groupRoutes(services: HttpServices): Route[] {
	const { directory, roles } = services.access;
	const renderer = createUserRenderer(services);
	const oneGroup = { 200: { description: 'The group', schema: groupSchema } };
	const ownRefusals = ['access/notFound', 'access/invalid', 'access/forbidden', 'access/conflict'] as const;

	async function getGroup(principal: Principal, tenant: string, id: string) {
		checkTenant(principal, tenant);
		return roles.get(principal.tenant, id);
	}

	async function memberJson(user: User, group: string, base: string) {
		const self = `${groupUrl(base, user.tenant, group)}/users/${encodeURIComponent(user.userName)}`;
		return { user: await renderer.user(user, base), self };
	}

	return [
		route({
			method: 'get',
			path: '/user/{tenant}/groups',
			permission: 'users:read',
			summary: 'List the groups of the tenant',
			description: 'First the predefined ones: admins, devices, operators, readers.',
			tag,
			params: tenantParam,
			query: z.object(pageParameters(services.options)),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('groups', groupSchema) } },
			handler: async (call) => {
				const { tenant } = call.principal;
				checkTenant(call.principal, call.param('tenant'));
				const { entries, frame } = await readPage(call, {
					find: (range) => roles.list(tenant, range),
					count: () => roles.count(tenant),
				});
				return ok({ groups: entries.map((group) => groupJson(group, tenant, call.base)), ...frame });
			},
		}),
		route({
			method: 'post',
			path: '/user/{tenant}/groups',
			permission: 'users:create',
			summary: 'Create a group',
			tag,
			params: tenantParam,
			query: noQuery,
			body: jsonBody(groupBody),
			answers: { 201: { description: 'The new group', schema: groupSchema } },
			refusals: ['access/invalid', 'access/forbidden', 'access/conflict'],
			handler: async ({ principal, param, body, base }) => {
				checkTenant(principal, param('tenant'));
				const group = await directory.createGroup(principal, { ...body, roles: body.roles?.map(roleName) });
				return created(groupJson(group, principal.tenant, base));
			},
		}),
		route({
			method: 'get',
			path: '/user/{tenant}/groups/{id}',
			permission: 'users:read',
			summary: 'Read a group',
			tag,
			params: groupParams,
			query: noQuery,
			body: noBody,
			answers: oneGroup,
			refusals: ['access/notFound'],
			handler: async ({ principal, param, base }) =>
				ok(groupJson(await getGroup(principal, param('tenant'), param('id')), principal.tenant, base)),
		}),
		route({
			method: 'put',
			path: '/user/{tenant}/groups/{id}',
			permission: 'users:write',
			summary: 'Change a group',
			description: 'Users in it may do what it says from now on. The predefined groups stay as they are.',
			tag,
			params: groupParams,
			query: noQuery,
			body: jsonBody(groupBody.partial()),
			answers: oneGroup,
			refusals: ownRefusals,
			handler: async ({ principal, param, body, base }) => {
				checkTenant(principal, param('tenant'));
				const group = await directory.changeGroup(principal, param('id'), { ...body, roles: body.roles?.map(roleName) });
				return ok(groupJson(group, principal.tenant, base));
			},
		}),
		route({
			method: 'delete',
			path: '/user/{tenant}/groups/{id}',
			permission: 'users:write',
			summary: 'Remove a group',
			description: 'Users who were in it may no longer do what it granted.',
			tag,
			params: groupParams,
			query: noQuery,
			body: noBody,
			answers: { 204: { description: 'Removed' } },
			refusals: ownRefusals,
			handler: async ({ principal, param }) => {
				checkTenant(principal, param('tenant'));
				await directory.removeGroup(principal, param('id'));
				return noContent;
			},
		}),
		route({
			method: 'get',
			path: '/user/{tenant}/groupByName/{name}',
			permission: 'users:read',
			summary: 'Read a group by its name',
			tag,
			params: { ...tenantParam, name: 'Name of the group' },
			query: noQuery,
			body: noBody,
			answers: oneGroup,
			refusals: ['access/notFound'],
			handler: async ({ principal, param, base }) => {
				checkTenant(principal, param('tenant'));
				return ok(groupJson(await roles.getByName(principal.tenant, param('name')), principal.tenant, base));
			},
		}),
		route({
			method: 'get',
			path: '/user/{tenant}/groups/{id}/users',
			permission: 'users:read',
			summary: 'List the users in a group',
			tag,
			params: groupParams,
			query: z.object(pageParameters(services.options)),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('references', userReferenceSchema) } },
			refusals: ['access/notFound'],
			handler: async (call) => {
				const { principal, base } = call;
				const group = await getGroup(principal, call.param('tenant'), call.param('id'));
				const { entries, frame } = await readPage(call, {
					find: (range) => directory.listInRole(principal.tenant, roleKey(group), range),
					count: () => directory.countInRole(principal.tenant, roleKey(group)),
				});
				const references = await Promise.all(entries.map((user) => memberJson(user, String(group.id), base)));
				return ok({ references, ...frame });
			},
		}),
		route({
			method: 'post',
			path: '/user/{tenant}/groups/{id}/users',
			permission: 'users:write',
			summary: 'Put a user into a group',
			tag,
			params: groupParams,
			query: noQuery,
			body: referenceBody('user'),
			answers: { 201: { description: 'The user', schema: userReferenceSchema } },
			refusals: ownRefusals,
			handler: async ({ principal, param, body, base }) => {
				checkTenant(principal, param('tenant'));
				const user = await directory.addRole(principal, body, param('id'));
				return created(await memberJson(user, param('id'), base));
			},
		}),
		route({
			method: 'delete',
			path: '/user/{tenant}/groups/{id}/users/{userId}',
			permission: 'users:write',
			summary: 'Take a user out of a group',
			tag,
			params: { ...groupParams, userId: 'Name of the user' },
			query: noQuery,
			body: noBody,
			answers: { 204: { description: 'Taken out' } },
			refusals: ownRefusals,
			handler: async ({ principal, param }) => {
				checkTenant(principal, param('tenant'));
				await directory.removeRole(principal, param('userId'), param('id'));
				return noContent;
			},
		}),
		route({
			method: 'get',
			path: '/user/{tenant}/groups/{id}/roles',
			permission: 'users:read',
			summary: 'Read what a group may do',
			tag,
			params: groupParams,
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The roles', schema: roleReferencesSchema } },
			refusals: ['access/notFound'],
			handler: async ({ principal, param, base }) => {
				const group = await getGroup(principal, param('tenant'), param('id'));
				return ok(roleReferences(group.roles, base, groupUrl(base, principal.tenant, group.id)));
			},
		}),
		route({
			method: 'post',
			path: '/user/{tenant}/groups/{id}/roles',
			permission: 'users:write',
			summary: 'Let a group do something more',
			tag,
			params: groupParams,
			query: noQuery,
			body: referenceBody('role'),
			answers: { 201: { description: 'The role', schema: roleReferenceSchema } },
			refusals: ownRefusals,
			handler: async ({ principal, param, body: role, base }) => {
				const group = await getGroup(principal, param('tenant'), param('id'));
				await directory.changeGroup(principal, param('id'), { roles: [...group.roles, role] });
				return created({ role: roleJson(role, base), self: `${groupUrl(base, principal.tenant, group.id)}/roles/${role}` });
			},
		}),
		route({
			method: 'delete',
			path: '/user/{tenant}/groups/{id}/roles/{role}',
			permission: 'users:write',
			summary: 'No longer let a group do something',
			tag,
			params: { ...groupParams, role: 'Name of the role' },
			query: noQuery,
			body: noBody,
			answers: { 204: { description: 'Taken away' } },
			refusals: ownRefusals,
			handler: async ({ principal, param }) => {
				const group = await getGroup(principal, param('tenant'), param('id'));
				await directory.changeGroup(principal, param('id'), { roles: group.roles.filter((role) => role !== param('role')) });
				return noContent;
			},
		}),
	];
}

function roleName(sent: z.output<typeof sentRole>): string {
	return typeof sent === 'string' ? sent : parseReference(sent);
}
