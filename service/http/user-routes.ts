import { z } from 'zod';
import { effectivePermissions, type Principal, type UserChange } from '../../access/index.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { jsonBody } from './json-decode.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { booleanParameter, listParameter, textParameter } from './query-values.ts';
import { created, noContent, ok } from './reply.ts';
import { noBody, noParams, noQuery, type Route, route } from './route.ts';
import { createUserRenderer, currentUserSchema, userSchema } from './user-json.ts';

const tag = 'Users';
export const tenantParam = { tenant: 'Id of the own tenant' };
const userParams = { ...tenantParam, id: 'Name of the user' };

const text = z.string().nullish();
const profileFields = {
	email: text,
	firstName: text,
	lastName: text,
	displayName: text,
	phone: text,
	customProperties: z.looseObject({}).nullish(),
};
const password = z.string().meta({ description: 'Never shown', override: { writeOnly: true } });
// What was fetched comes back with what only the service sets.
const changeSchema = z.looseObject({
	...profileFields,
	enabled: z.boolean().optional(),
	shouldResetPassword: z.boolean().optional(),
	password: password.optional(),
});
const newUserSchema = changeSchema.extend({
	userName: z.string().min(1),
	// Clients of Cumulocity leave it out for those who are to choose one by e-mail.
	password: z
		.string({
			error: ({ input }) => (input === undefined ? 'is missing: nobody is sent an e-mail to choose one here' : undefined),
		})
		.meta({ description: 'Never shown', override: { writeOnly: true } }),
});
const ownSchema = z.looseObject({
	...profileFields,
	password: z.undefined({ error: 'is changed with PUT /user/currentUser/password' }).optional(),
});

/** The tenant of a path is the caller's own: users of others are nobody else's business. @throws HttpError `http/forbidden` */
export function checkTenant(principal: Principal, tenant: string): void {
	if (tenant !== principal.tenant)
		throw new HttpError('http/forbidden', `'${tenant.slice(0, 40)}' is not the tenant of this user: use '${principal.tenant}'`);
}

/** The users of a tenant. */
export function userRoutes(services: HttpServices): Route[] {
	const { directory, users } = services.access;
	const renderer = createUserRenderer(services);
	const oneUser = { 200: { description: 'The user', schema: userSchema } };
	const oneSelf = { 200: { description: 'The caller; effectiveRoles is a list', schema: currentUserSchema } };

	return [
		route({
			method: 'get',
			path: '/user/currentUser',
			permission: 'own:read',
			summary: 'Read who is calling, and what they may do',
			tag,
			params: noParams,
			query: noQuery,
			body: noBody,
			answers: oneSelf,
			refusals: ['access/notFound'],
			handler: async ({ principal, base }) => {
				const user = await directory.get(principal.tenant, principal.userName);
				return ok(await renderer.current(user, effectivePermissions(principal), base));
			},
		}),
		route({
			method: 'put',
			path: '/user/currentUser',
			permission: 'own:write',
			summary: 'Change what is told of the caller',
			description: 'Name, mail address, telephone number and custom properties; null removes. All other fields are ignored.',
			tag,
			params: noParams,
			query: noQuery,
			body: jsonBody(ownSchema),
			answers: oneSelf,
			refusals: ['access/notFound', 'access/invalid'],
			handler: async ({ principal, body, base }) => {
				const user = await directory.changeProfile(principal, profileOf(body));
				return ok(await renderer.current(user, effectivePermissions(principal), base));
			},
		}),
		route({
			method: 'get',
			path: '/user/{tenant}/users',
			permission: 'users:read',
			summary: 'List the users of the tenant',
			description: 'In the order of their names; all filters must match.',
			tag,
			params: tenantParam,
			query: z.object({
				username: textParameter('What the name begins with').optional(),
				groups: listParameter('Ids of groups, one of which is enough').optional(),
				owner: textParameter('Who created the user').optional(),
				onlyDevices: booleanParameter('Whether only devices, or none, are listed').optional(),
				...pageParameters(services.options),
			}),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('users', userSchema) } },
			refusals: ['access/notFound'],
			handler: async (call) => {
				const { principal, query, base } = call;
				checkTenant(principal, call.param('tenant'));
				const { entries, frame } = await readPage(call, {
					find: (range) => directory.list(principal.tenant, query, range),
					count: () => directory.count(principal.tenant, query),
					isSearch: query.owner !== undefined || query.onlyDevices !== undefined || query.groups !== undefined,
				});
				return ok({ users: await Promise.all(entries.map((user) => renderer.user(user, base))), ...frame });
			},
		}),
		route({
			method: 'post',
			path: '/user/{tenant}/users',
			permission: 'users:create',
			summary: 'Create a user',
			description: 'It may do nothing until it is put into a group, or given roles.',
			tag,
			params: tenantParam,
			query: noQuery,
			body: jsonBody(newUserSchema),
			answers: { 201: { description: 'The new user', schema: userSchema } },
			refusals: ['access/invalid', 'access/weakPassword', 'access/conflict'],
			handler: async ({ principal, param, body, base }) => {
				checkTenant(principal, param('tenant'));
				const user = await directory.create(principal, { ...changeOf(body), userName: body.userName, password: body.password });
				return created(await renderer.user(user, base));
			},
		}),
		readRoute('/user/{tenant}/users/{id}'),
		route({
			method: 'put',
			path: '/user/{tenant}/users/{id}',
			permission: 'users:write',
			summary: 'Change a user',
			description:
				'null removes a text. A user that is not enabled is logged out, and disconnected, at once. Another password ends all sessions of the user, who has to change it at the next login unless shouldResetPassword is false. Groups and roles are changed by their own paths. Who may do more than the caller cannot be changed.',
			tag,
			params: userParams,
			query: noQuery,
			body: jsonBody(changeSchema),
			answers: oneUser,
			refusals: ['access/notFound', 'access/invalid', 'access/weakPassword', 'access/forbidden', 'access/conflict'],
			handler: async ({ principal, param, body, base }) => {
				checkTenant(principal, param('tenant'));
				const change = changeOf(body);
				const user = await directory.change(principal, param('id'), change);
				return ok(await renderer.user(user, base));
			},
		}),
		route({
			method: 'delete',
			path: '/user/{tenant}/users/{id}',
			permission: 'users:write',
			summary: 'Remove a user',
			description: 'Also that of a device, which then needs other credentials. Its connections are closed.',
			tag,
			params: userParams,
			query: noQuery,
			body: noBody,
			answers: { 204: { description: 'Removed' } },
			refusals: ['access/notFound', 'access/forbidden', 'access/conflict'],
			handler: async ({ principal, param }) => {
				checkTenant(principal, param('tenant'));
				await directory.remove(principal, param('id'));
				return noContent;
			},
		}),
		readRoute('/user/{tenant}/userByName/{id}'),
		route({
			method: 'get',
			path: '/user/{tenant}/users/{id}/effectiveRoles',
			permission: 'users:read',
			summary: 'Read what a user may do',
			tag,
			params: userParams,
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The roles', schema: currentUserSchema.shape.effectiveRoles } },
			refusals: ['access/notFound'],
			handler: async ({ principal, param, base }) => {
				checkTenant(principal, param('tenant'));
				const user = await directory.get(principal.tenant, param('id'));
				const { effectiveRoles } = await renderer.current(user, effectivePermissions(await users.principalOf(user)), base);
				return ok(effectiveRoles);
			},
		}),
	];

	function readRoute(path: '/user/{tenant}/users/{id}' | '/user/{tenant}/userByName/{id}'): Route {
		return route({
			method: 'get',
			path,
			permission: 'users:read',
			summary: 'Read a user',
			tag,
			params: userParams,
			query: noQuery,
			body: noBody,
			answers: oneUser,
			refusals: ['access/notFound'],
			handler: async ({ principal, param, base }) => {
				checkTenant(principal, param('tenant'));
				return ok(await renderer.user(await directory.get(principal.tenant, param('id')), base));
			},
		});
	}
}

function profileOf({ email, firstName, lastName, displayName, phone, customProperties }: z.output<typeof ownSchema>) {
	return { email, firstName, lastName, displayName, phone, customProperties };
}

function changeOf({ enabled, shouldResetPassword, password: secret, ...profile }: z.output<typeof changeSchema>): UserChange {
	return { ...profileOf(profile), enabled, shouldResetPassword, password: secret };
}
