import { z } from 'zod';
import { mayDo } from '../../access/index.ts';
import { applicationId, applicationJson, applicationName, applicationSchema } from './application-json.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { textParameter } from './query-values.ts';
import { ok } from './reply.ts';
import { noBody, noParams, noQuery, type Route, route } from './route.ts';

const tag = 'Applications';

/** The service as one of the applications that tools look for. */
export function applicationRoutes({ version, options }: HttpServices): Route[] {
	const one = { 200: { description: 'The application', schema: applicationSchema } };
	const page = { 200: { description: 'A page', schema: pageSchema('applications', applicationSchema) } };
	const list = async (call: Parameters<typeof readPage>[0], name: string | undefined) => {
		const all = name === undefined || name === applicationName ? [applicationJson(call.base, version)] : [];
		const { entries, frame } = await readPage(call, {
			find: async ({ skip, limit }) => all.slice(skip, skip + limit),
			count: async () => all.length,
		});
		return ok({ applications: entries, ...frame });
	};
	const nothing = (what: string) => new HttpError('http/notFound', `There is no application ${what.slice(0, 60)}`);

	return [
		route({
			method: 'get',
			path: '/application/applications',
			permission: 'applications:read',
			summary: 'List the applications',
			tag,
			params: noParams,
			query: z.object({ name: textParameter('The exact name').optional(), ...pageParameters(options) }),
			body: noBody,
			answers: page,
			handler: async (call) => list(call, call.query.name),
		}),
		route({
			method: 'get',
			path: '/application/applications/{id}',
			permission: 'applications:read',
			summary: 'Read an application',
			tag,
			params: { id: 'Id of the application' },
			query: noQuery,
			body: noBody,
			answers: one,
			refusals: ['http/notFound'],
			handler: async ({ param, base }) => {
				if (param('id') !== applicationId) throw nothing(`with the id '${param('id')}'`);
				return ok(applicationJson(base, version));
			},
		}),
		route({
			method: 'get',
			path: '/application/applicationsByName/{name}',
			permission: 'applications:read',
			summary: 'List the applications with a name',
			tag,
			params: { name: 'The exact name' },
			query: z.object(pageParameters(options)),
			body: noBody,
			answers: page,
			handler: async (call) => list(call, call.param('name')),
		}),
		route({
			method: 'get',
			path: '/application/applicationsByUser/{user}',
			permission: 'own:read',
			summary: 'List the applications that a user may use',
			description:
				'Of others than the caller: with applications:read. An entry with the name of this service tells tools to use it.',
			tag,
			params: { user: 'Name of the user' },
			query: z.object(pageParameters(options)),
			body: noBody,
			answers: page,
			handler: async (call) => {
				const { principal } = call;
				const user = call.param('user');
				const isOwn = user === principal.userName || user === `${principal.tenant}/${principal.userName}`;
				if (!isOwn && !mayDo(principal, 'applications:read'))
					throw new HttpError('http/forbidden', `'${user.slice(0, 60)}' is somebody else: it needs applications:read`);
				return list(call, undefined);
			},
		}),
		route({
			method: 'get',
			path: '/application/currentApplication',
			permission: 'applications:read',
			summary: 'Read the application that this service is',
			tag,
			params: noParams,
			query: noQuery,
			body: noBody,
			answers: one,
			handler: async ({ base }) => ok(applicationJson(base, version)),
		}),
		route({
			method: 'get',
			path: '/application/currentApplication/subscriptions',
			permission: 'applications:read',
			summary: 'List the service users of the application',
			description: 'There are none: passwords are kept as hashes, so none can be shown, and no part of this service needs one.',
			tag,
			params: noParams,
			query: noQuery,
			body: noBody,
			answers: {
				200: {
					description: 'The service users',
					schema: z.object({ users: z.array(z.object({ tenant: z.string(), name: z.string(), password: z.string() })) }),
				},
			},
			handler: async () => ok({ users: [] }),
		}),
	];
}
