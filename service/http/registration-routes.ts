import { z } from 'zod';
import { AccessError, type Principal, type Registration, registrationStatuses } from '../../access/index.ts';
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
		groupId: z.string().optional(),
		type: z.string().optional(),
		creationTime: timeSchema,
		expirationTime: timeSchema.meta({ description: 'From then on it counts for nothing, and is removed' }).optional(),
		self: z.string(),
	})
	.meta({ id: 'NewDeviceRequest' });
const acceptanceSchema = z.object({ id: z.string(), successful: z.boolean(), error: z.string().optional() });
const limitSchema = z.object({
	isReached: z.boolean(),
	limit: z.int().meta({ description: 'Absent where there is none' }).optional(),
	deviceCount: z.int(),
});
const textOrNull = z
	.string()
	.max(254)
	.nullish()
	.transform((value) => value || undefined);

const idParam = { id: 'The serial of the device' };
const tag = 'Device registration';

/** Devices that are expected, and their credentials. */
export function registrationRoutes(services: HttpServices): Route[] {
	const { access, inventory, firstPlaces } = services;
	const { registration } = access;
	const place = async ({ tenant, _id: serial, groupId }: Registration) => {
		if (groupId !== undefined) await firstPlaces.put(tenant, serial, groupId);
	};
	const acceptAll = {
		path: '/devicecontrol/newDeviceRequests/acceptAll',
		permission: 'registrations:write',
		summary: 'Accept all devices that have asked for their credentials',
		description: 'Those that have shown a security token have to be accepted one by one.',
		tag,
		params: noParams,
		query: noQuery,
		body: noBody,
		answers: { 200: { description: 'What became of each', schema: z.array(acceptanceSchema) } },
		handler: async ({ principal }: { readonly principal: Principal }) => {
			const done = await registration.acceptAll(principal.tenant, place);
			return ok(
				done.map(({ serial: id, fault }) => ({
					id,
					successful: fault === undefined,
					...(fault !== undefined && { error: fault }),
				})),
			);
		},
	} as const;

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
					groupId: z.union([z.string(), z.int().nonnegative()]).nullish(),
					type: textOrNull,
					securityToken: textOrNull,
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
				const { type, securityToken } = body;
				const groupId = body.groupId == null || body.groupId === '' ? undefined : String(body.groupId);
				if (groupId !== undefined && !(await inventory.groups.find(principal.tenant, groupId)))
					throw new HttpError(
						'http/invalidBody',
						`groupId must be the id of a group of devices (c8y_IsDeviceGroup), found '${groupId.slice(0, 40)}'`,
					);
				const expected = await registration.request(principal.tenant, body.id, { groupId, type, securityToken });
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
		route({ ...acceptAll, method: 'post' }),
		route({ ...acceptAll, method: 'put' }),
		route({
			method: 'get',
			path: '/devicecontrol/newDeviceRequests/limit',
			permission: 'registrations:write',
			summary: 'Read how many devices the tenant has, and may have',
			tag,
			params: noParams,
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The limit of devices, child devices included', schema: limitSchema } },
			handler: async ({ principal: { tenant } }) => {
				const { devices: limit } = await access.tenants.limitsOf(tenant);
				const deviceCount = await inventory.objects.count(tenant, { fragmentType: 'c8y_IsDevice' });
				return ok({ isReached: limit > 0 && deviceCount >= limit, ...(limit > 0 && { limit }), deviceCount });
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
			body: jsonBody(z.object({ status: z.literal('ACCEPTED'), securityToken: textOrNull })),
			answers: { 200: { description: 'ACCEPTED', schema: registrationSchema } },
			refusals: ['access/notFound', 'access/notYet', 'access/invalid', 'access/conflict'],
			handler: async ({ principal, param, body, base }) => {
				const accepted = await registration.accept(principal.tenant, param('id'), { token: body.securityToken, place });
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
				'Called by the device itself with the bootstrap user. 404 until somebody has accepted it, while it asks too often, and again once it has them.',
			tag,
			params: noParams,
			query: noQuery,
			never400: true,
			body: jsonBody(z.object({ id: z.string().min(1), securityToken: textOrNull })),
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
				const credentials = await registration.poll(body.id, { token: body.securityToken });
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

function registrationJson(registration: Registration, base: string): Json {
	const { _id, status, tenant, groupId, type, creationTime, expirationTime } = registration;
	return {
		id: _id,
		status,
		tenantId: tenant,
		...(groupId !== undefined && { groupId }),
		...(type !== undefined && { type }),
		creationTime: formatTime(creationTime),
		...(expirationTime !== undefined && { expirationTime: formatTime(expirationTime) }),
		self: `${base}/devicecontrol/newDeviceRequests/${encodeURIComponent(_id)}`,
	};
}
