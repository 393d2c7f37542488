import { z } from 'zod';
import type { Permission, Principal } from '../../access/index.ts';
import { type ExternalId, serialType } from '../../inventory/index.ts';
import { openDeviceScope } from './device-scope.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { jsonBody } from './json-decode.ts';
import { type Json, objectUrl } from './managed-object-json.ts';
import { idSchema } from './managed-object-schema.ts';
import { created, noContent, ok } from './reply.ts';
import { noBody, noQuery, type Route, route } from './route.ts';

const externalIdSchema = z
	.object({
		type: z.string(),
		externalId: z.string(),
		managedObject: z.object({ id: idSchema, self: z.string() }),
		self: z.string(),
	})
	.meta({ id: 'ExternalId' });
const tag = 'Identity';
const objectParam = { id: 'Id of the managed object' };
const externalParams = {
	type: 'Type of the external id, such as c8y_Serial',
	externalId: 'The external id; a colon may stand as it is',
};

/** External ids of managed objects. */
export function identityRoutes(services: HttpServices): Route[] {
	const { externalIds } = services.inventory;
	const scope = openDeviceScope(services);

	return [
		route({
			method: 'post',
			path: '/identity/globalIds/{id}/externalIds',
			permission: 'identity:write',
			isScoped: true,
			summary: 'Give a managed object an external id',
			tag,
			params: objectParam,
			query: noQuery,
			body: jsonBody(z.object({ type: z.string(), externalId: z.string() })),
			answers: { 201: { description: 'The external id', schema: externalIdSchema } },
			refusals: ['inventory/notFound', 'inventory/invalid', 'inventory/tooLarge', 'inventory/conflict', 'identity/duplicate'],
			handler: async ({ principal, param, body, base }) => {
				const { id } = await scope.getObject(principal, param('id'), 'identity:write');
				await checkSerial(principal, body);
				const bound = await externalIds.bind(principal.tenant, body.type, body.externalId, id);
				if (body.type === serialType && body.externalId === principal.serial)
					await services.firstPlaces.join(principal.tenant, principal.serial);
				// Whoever is connected under this serial speaks for this object from now on.
				services.onDevicesRemoved(principal.tenant, [id]);
				return created(externalIdJson(bound, base));
			},
		}),
		route({
			method: 'get',
			path: '/identity/globalIds/{id}/externalIds',
			permission: 'identity:read',
			isScoped: true,
			summary: 'List the external ids of a managed object',
			tag,
			params: objectParam,
			query: noQuery,
			body: noBody,
			answers: {
				200: { description: 'All of them', schema: z.object({ externalIds: z.array(externalIdSchema), self: z.string() }) },
			},
			refusals: ['inventory/notFound'],
			handler: async ({ principal, param, base }) => {
				const { id } = await scope.getObject(principal, param('id'), 'identity:read');
				const found = await externalIds.list(principal.tenant, id);
				const self = `${base}/identity/globalIds/${id}/externalIds`;
				return ok({ externalIds: found.map((each) => externalIdJson(each, base)), self });
			},
		}),
		route({
			method: 'get',
			path: '/identity/externalIds/{type}/{externalId}',
			permission: 'identity:read',
			isScoped: true,
			summary: 'Find a managed object by its external id',
			tag,
			params: externalParams,
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The external id', schema: externalIdSchema } },
			refusals: ['identity/notFound'],
			handler: async ({ principal, param, base }) => {
				const found = await getInScope(principal, 'identity:read', param('type'), param('externalId'));
				return ok(externalIdJson(found, base));
			},
		}),
		route({
			method: 'delete',
			path: '/identity/externalIds/{type}/{externalId}',
			permission: 'identity:write',
			isScoped: true,
			summary: 'Remove an external id',
			description: 'A device keeps its own serial.',
			tag,
			params: externalParams,
			query: noQuery,
			body: noBody,
			answers: { 204: { description: 'Removed' } },
			refusals: ['identity/notFound'],
			handler: async ({ principal, param }) => {
				const { type, externalId, managedObjectId } = await getInScope(
					principal,
					'identity:write',
					param('type'),
					param('externalId'),
				);
				refuseOwnSerial(principal, type, externalId);
				await externalIds.remove(principal.tenant, type, externalId);
				services.onDevicesRemoved(principal.tenant, [managedObjectId]);
				return noContent;
			},
		}),
	];

	async function getInScope(principal: Principal, permission: Permission, type: string, externalId: string): Promise<ExternalId> {
		const found = await externalIds.get(principal.tenant, type, externalId);
		await scope.getObject(principal, found.managedObjectId, permission);
		return found;
	}

	// Whoever owns a serial is what MQTT messages under it are written to: a device must not take that of another one.
	async function checkSerial(principal: Principal, { type, externalId }: { type: string; externalId: string }) {
		const fault = type === serialType ? await services.serialFault(principal, externalId) : undefined;
		if (fault !== undefined) throw new HttpError('http/forbidden', fault);
	}
}

// By its serial, the removal of its object finds what lets the device in.
function refuseOwnSerial({ role, serial }: Principal, type: string, externalId: string): void {
	if (role === 'device' && type === serialType && externalId === serial)
		throw new HttpError('http/forbidden', `'${externalId}' is the serial of this device itself: a person may take it away`);
}

function externalIdJson({ type, externalId, managedObjectId }: ExternalId, base: string): Json {
	return {
		type,
		externalId,
		managedObject: { id: managedObjectId, self: objectUrl(base, managedObjectId) },
		self: `${base}/identity/externalIds/${encodeURIComponent(type)}/${encodeURIComponent(externalId)}`,
	};
}
