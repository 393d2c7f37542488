import { z } from 'zod';
import { AccessError, type Registration, registrationStatuses } from '../../access/index.ts';
import { formatTime } from '../../inventory/index.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { jsonBody } from './json-decode.ts';
import type { Json } from './managed-object-json.ts';
import { timeSchema } from './managed-object-schema.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { created, noContent, ok } from './reply.ts';
import { noBody, noParams, noQuery, type Route, route } from './route.ts';

const registrationSchema = z
	.object({
		id: z.string(),
		status: z.enum(registrationStatuses),
		tenantId: z.string(),
		creationTime: timeSchema,
		self: z.string(),
	})
	.meta({ id: 'NewDeviceRequest' });

// What would be lost without a word is refused instead.
const unsupported = z.null({ error: 'is not supported yet: leave it out' }).optional();

const idParam = { id: 'The serial of the device' };
const tag = 'Device registration';

/** Devices that are expected, and their credentials. */
export function registrationRoutes(services: HttpServices): Route[] {
	const { registration } = services.access;

	return [
		route({
			method: 'post',
			path: '/devicecontrol/newDeviceRequests',
			permission: 'registrations:write',
			summary: 'Expect a device',
			tag,
			params: noParams,
			query: noQuery,
			body: jsonBody(
				z.object({
					id: z.string().min(1),
					tenantId: z.string().optional(),
					groupId: unsupported,
					type: unsupported,
					securityToken: unsupported,
				}),
			),
			answers: { 201: { description: 'WAITING_FOR_CONNECTION', schema: registrationSchema } },
			refusals: ['access/invalid', 'access/conflict'],
			handler: async ({ principal, body, base }) => {
				if (body.tenantId !== undefined && body.tenantId !== principal.tenant)
					throw new HttpError(
						'http/invalidBody',
						`tenantId must be '${principal.tenant}': devices are registered for the own tenant`,
					);
				const expected = await registration.request(principal.tenant, body.id);
				return created(registrationJson(expected, base));
			},
		}),
		route({
			method: 'get',
			path: '/devicecontrol/newDeviceRequests',
			permission: 'registrations:write',
			summary: 'List the devices that are expected',
			tag,
			params: noParams,
			query: z.object(pageParameters(services.options)),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('newDeviceRequests', registrationSchema) } },
			handler: async (call) => {
				const { tenant } = call.principal;
				const { entries, frame } = await readPage(call, {
					find: (range) => registration.list(tenant, range),
					count: () => registration.count(tenant),
				});
				return ok({ newDeviceRequests: entries.map((each) => registrationJson(each, call.base)), ...frame });
			},
		}),
		route({
			method: 'get',
			path: '/devicecontrol/newDeviceRequests/{id}',
			permission: 'registrations:write',
			summary: 'Read whether an expected device has come',
			tag,
			params: idParam,
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The registration', schema: registrationSchema } },
			refusals: ['access/notFound'],
			handler: async ({ principal, param, base }) =>
				ok(registrationJson(await registration.get(principal.tenant, param('id')), base)),
		}),
		route({
			method: 'put',
			path: '/devicecontrol/newDeviceRequests/{id}',
			permission: 'registrations:write',
			summary: 'Accept a device that has asked for its credentials',
			tag,
			params: idParam,
			query: noQuery,
			body: jsonBody(z.object({ status: z.literal('ACCEPTED'), securityToken: unsupported })),
			answers: { 200: { description: 'ACCEPTED', schema: registrationSchema } },
			refusals: ['access/notFound', 'access/notYet'],
			handler: async ({ principal, param, base }) => {
				const accepted = await registration.accept(principal.tenant, param('id'));
				return ok(registrationJson(accepted, base));
			},
		}),
		route({
			method: 'delete',
			path: '/devicecontrol/newDeviceRequests/{id}',
			permission: 'registrations:write',
			summary: 'No longer expect a device',
			tag,
			params: idParam,
			query: noQuery,
			body: noBody,
			answers: { 204: { description: 'Removed' } },
			refusals: ['access/notFound'],
			handler: async ({ principal, param }) => {
				await registration.remove(principal.tenant, param('id'));
				return noContent;
			},
		}),
		route({
			method: 'post',
			path: '/devicecontrol/deviceCredentials',
			permission: 'credentials:poll',
			summary: 'Fetch the credentials of an accepted device, once',
			description:
				'Called by the device itself with the bootstrap user. 404 until somebody has accepted it, and again once it has them.',
			tag,
			params: noParams,
			query: noQuery,
			never400: true,
			body: jsonBody(z.object({ id: z.string().min(1) })),
			answers: {
				201: {
					description: 'The credentials',
					schema: z.object({
						id: z.string(),
						tenantId: z.string(),
						username: z.string(),
						password: z.string(),
						self: z.string(),
					}),
				},
			},
			refusals: ['access/notFound'],
			handler: async ({ body, base }) => {
				const credentials = await registration.poll(body.id);
				if (!credentials) throw noCredentials(body.id);
				const { tenant: tenantId, userName: username, password } = credentials;
				const self = `${base}/devicecontrol/deviceCredentials/${encodeURIComponent(body.id)}`;
				return created({ id: body.id, tenantId, username, password, self });
			},
		}),
	];
}

// The same for every serial: whoever knows the bootstrap user must not find out by it which devices there are.
function noCredentials(serial: string): AccessError {
	return new AccessError(
		'access/notFound',
		`There are no credentials for '${serial}' to hand out: ask again until somebody has accepted the device. They are handed out once; where they got lost, have the device registered anew`,
	);
}

function registrationJson({ _id, status, tenant, creationTime }: Registration, base: string): Json {
	return {
		id: _id,
		status,
		tenantId: tenant,
		creationTime: formatTime(creationTime),
		self: `${base}/devicecontrol/newDeviceRequests/${encodeURIComponent(_id)}`,
	};
}
