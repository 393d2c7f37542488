import { z } from 'zod';
import { type ChildKind, childKinds, type ManagedObject, parseObjectBody } from '../../inventory/index.ts';
import { mayGiveFiles, openDeviceScope } from './device-scope.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { describedBody } from './json-decode.ts';
import { availabilityOf, createManagedObjectRenderer, type Json, type ObjectView } from './managed-object-json.ts';
import { idSchema, managedObjectBodySchema, managedObjectSchema } from './managed-object-schema.ts';
import { objectFilterParameters, objectView, viewParameters } from './object-parameters.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { booleanParameter } from './query-values.ts';
import { deviceEnding, openRemoval } from './removal.ts';
import { created, noContent, ok } from './reply.ts';
import { type IncomingCall, noBody, noParams, noQuery, type Route, route } from './route.ts';

const oneObject = { 200: { description: 'The managed object', schema: managedObjectSchema } };
const idParam = { id: 'Id of the managed object' };
const tag = 'Inventory';

/** Managed objects. */
export function inventoryRoutes(services: HttpServices): Route[] {
	const { inventory, options, clock } = services;
	const scope = openDeviceScope(services);
	const removal = openRemoval(services);
	const renderer = createManagedObjectRenderer({ ...services, scope, maxReferences: options.childReferencesMax });
	const body = describedBody(managedObjectBodySchema, (value) => parseObjectBody(value, options));

	// A whole software list takes its turn with the searches.
	function one(object: ManagedObject, view: ObjectView, scan: IncomingCall['scan']): Promise<Json> {
		const render = () => renderer.one(object, view);
		return object.softwareOf !== undefined || object.software !== undefined ? scan(render) : render();
	}

	return [
		route({
			method: 'post',
			path: '/inventory/managedObjects',
			permission: 'inventory:create',
			summary: 'Create a managed object',
			tag,
			params: noParams,
			query: noQuery,
			body,
			answers: { 201: { description: 'The new managed object', schema: managedObjectSchema } },
			refusals: ['inventory/invalid', 'inventory/tooLarge', 'inventory/quotaExceeded'],
			handler: async ({ principal, body: patch, base }) => {
				const { tenant, userName: owner } = principal;
				const object = await inventory.objects.create(tenant, { owner, patch: { ...patch, mayOffer: mayGiveFiles(principal) } });
				if (!object) throw new TypeError('A managed object without an external id met a duplicate');
				return created(await renderer.one(object, objectView({ base, principal }, {}, options)));
			},
		}),
		route({
			method: 'get',
			path: '/inventory/managedObjects',
			permission: 'inventory:read',
			isScoped: true,
			summary: 'List managed objects',
			description: 'In the order of the query, else of creation; all filters must match. A device sees what it owns.',
			tag,
			params: noParams,
			query: z.object({ ...objectFilterParameters, ...viewParameters, ...pageParameters(options) }),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('managedObjects', managedObjectSchema) } },
			refusals: ['inventory/badQuery', 'inventory/scanLimit'],
			handler: async (call) => {
				const { tenant } = call.principal;
				const filter = { ...call.query, ...scope.visible(call.principal, call.query.owner) };
				const search = await inventory.objects.search(tenant, filter, call.scan);
				const { entries, frame } = await readPage(call, {
					find: search.list,
					count: search.count,
					isSearch: !search.isIndexed,
				});
				const view = { ...objectView(call, call.query, options), withAdvancedList: false };
				return ok({ managedObjects: await renderer.many(tenant, entries, view), ...frame });
			},
		}),
		route({
			method: 'get',
			path: '/inventory/managedObjects/count',
			permission: 'inventory:read',
			isScoped: true,
			summary: 'Count managed objects',
			tag,
			params: noParams,
			query: z.object(objectFilterParameters),
			body: noBody,
			answers: { 200: { description: 'A bare number', schema: z.int() } },
			refusals: ['inventory/badQuery', 'inventory/scanLimit'],
			handler: async ({ principal, query, scan }) => {
				const filter = { ...query, ...scope.visible(principal, query.owner) };
				return ok(await scan(() => inventory.objects.count(principal.tenant, filter)));
			},
		}),
		route({
			method: 'get',
			path: '/inventory/managedObjects/{id}',
			permission: 'inventory:read',
			isScoped: true,
			summary: 'Read a managed object',
			tag,
			params: idParam,
			query: z.object(viewParameters),
			body: noBody,
			answers: oneObject,
			refusals: ['inventory/notFound'],
			handler: async ({ principal, param, query, base, scan }) => {
				const object = await scope.getObject(principal, param('id'), 'inventory:read');
				return ok(await one(object, objectView({ base, principal }, query, options), scan));
			},
		}),
		route({
			method: 'put',
			path: '/inventory/managedObjects/{id}',
			permission: 'inventory:write',
			isScoped: true,
			summary: 'Change a managed object',
			description: 'Named fragments are replaced whole, null removes one, all others stay. Read-only fields are ignored.',
			tag,
			params: idParam,
			query: noQuery,
			body,
			answers: oneObject,
			refusals: [
				'inventory/notFound',
				'inventory/invalid',
				'inventory/tooLarge',
				'inventory/quotaExceeded',
				'inventory/conflict',
			],
			handler: async ({ principal, param, body: patch, base, scan }) => {
				const { id } = await scope.getObject(principal, param('id'), 'inventory:write');
				const mayOffer = mayGiveFiles(principal);
				const object = await inventory.objects.update(principal.tenant, id, { ...patch, mayOffer });
				return ok(await one(object, objectView({ base, principal }, {}, options), scan));
			},
		}),
		route({
			method: 'delete',
			path: '/inventory/managedObjects/{id}',
			permission: 'inventory:write',
			isScoped: true,
			summary: 'Remove a managed object',
			description:
				'With cascade, child devices go with a device; with forceCascade, everything below goes. External ids and software go with their object; what waits for a removed device, or for a removed binary, becomes FAILED.',
			tag,
			params: idParam,
			query: z.object({
				cascade: booleanParameter('Whether child devices go too').optional(),
				forceCascade: booleanParameter('Whether everything below goes too').optional(),
				withDeviceUser: booleanParameter(
					'`true` removes the users of the devices too, `false` leaves them as they are, so that devices come back with their next message; unset, they are locked until somebody registers the devices anew, or enables them, where the caller may do so',
				).optional(),
			}),
			body: noBody,
			answers: { 204: { description: 'Removed' } },
			refusals: ['inventory/notFound', 'inventory/invalid'],
			handler: async ({ principal, param, query }) => {
				const object = await scope.getObject(principal, param('id'), 'inventory:write');
				// Others may have put below it what is not its own.
				if (query.forceCascade && principal.role === 'device')
					throw new HttpError('http/forbidden', 'A device may not remove with forceCascade: cascade removes its child devices');
				const endDevice = deviceEnding(services, principal, query.withDeviceUser);
				const below = query.forceCascade ? childKinds : query.cascade ? cascaded(object) : [];
				await removal.remove(principal.tenant, object.id, below, endDevice);
				return noContent;
			},
		}),
		fragmentRoute('c8y_SupportedMeasurements', 'supportedMeasurements', 'Which measurements a device sends'),
		fragmentRoute('c8y_SupportedSeries', 'supportedSeries', 'Which series a device sends'),
		route({
			method: 'get',
			path: '/inventory/managedObjects/{id}/availability',
			permission: 'inventory:read',
			isScoped: true,
			summary: 'Whether a device was heard of within the time it promised',
			tag,
			params: idParam,
			query: noQuery,
			body: noBody,
			answers: {
				200: {
					description: 'The availability',
					schema: z.object({
						deviceId: idSchema,
						externalId: z.string().optional(),
						lastMessage: z.string().optional(),
						interval: z.number().meta({ description: 'Minutes' }).optional(),
						dataStatus: z.enum(['AVAILABLE', 'UNAVAILABLE', 'UNKNOWN']),
					}),
				},
			},
			refusals: ['inventory/notFound'],
			handler: async ({ principal, param }) => {
				const object = await scope.getObject(principal, param('id'), 'inventory:read');
				const { lastMessage, interval, status = 'UNKNOWN' } = availabilityOf(object, clock()) ?? {};
				const externalId = await serialOf(object);
				return ok({ deviceId: object.id, externalId, lastMessage, interval, dataStatus: status });
			},
		}),
	];

	function fragmentRoute(fragment: string, name: string, summary: string): Route {
		return route({
			method: 'get',
			path: `/inventory/managedObjects/{id}/${name}`,
			permission: 'inventory:read',
			isScoped: true,
			summary,
			tag,
			params: idParam,
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'What the device announced', schema: z.object({ [fragment]: z.array(z.string()) }) } },
			refusals: ['inventory/notFound'],
			handler: async ({ principal, param }) => {
				const announced = (await scope.getObject(principal, param('id'), 'inventory:read')).fragments[fragment];
				return ok({ [fragment]: Array.isArray(announced) ? announced.filter((item) => typeof item === 'string') : [] });
			},
		});
	}

	async function serialOf({ tenant, id }: ManagedObject): Promise<string | undefined> {
		const [first] = await inventory.externalIds.listSerials(tenant, [id]);
		return first?.externalId;
	}
}

function cascaded({ fragments }: ManagedObject): readonly ChildKind[] {
	return 'c8y_IsDevice' in fragments ? ['childDevices'] : [];
}
