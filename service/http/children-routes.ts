import { z } from 'zod';
import type { Principal } from '../../access/index.ts';
import {
	type ChildKind,
	childKinds,
	type ManagedObject,
	type ManagedObjectId,
	type ObjectPatch,
	parseManagedObjectId,
	parseObjectBody,
} from '../../inventory/index.ts';
import { isLimited, mayGiveFiles, openDeviceScope } from './device-scope.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { describedBody } from './json-decode.ts';
import { createManagedObjectRenderer, type Json, objectUrl } from './managed-object-json.ts';
import { managedObjectBodySchema, managedObjectSchema } from './managed-object-schema.ts';
import { objectFilterParameters, objectView, viewParameters } from './object-parameters.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { created, noContent, ok } from './reply.ts';
import { noBody, noQuery, type Route, route } from './route.ts';

/** What is sent to the children of an object: which it is, its shape tells. */
type ChildrenBody =
	| { readonly kind: 'create'; readonly patch: ObjectPatch }
	| { readonly kind: 'link'; readonly id: string }
	| { readonly kind: 'linkMany'; readonly ids: readonly string[] };

const sentId = z.union([z.string(), z.int().nonnegative()]).transform(String);
const sentReference = z.object({ managedObject: z.looseObject({ id: sentId }) }).meta({ id: 'SentReference' });
const sentReferences = z.object({ references: z.array(sentReference) }).meta({ id: 'SentReferences' });
const bodySchema = z
	.union([sentReference, sentReferences, managedObjectBodySchema])
	.meta({ description: 'A reference, several references, or a new object: its shape tells' });

const childSchema = z.object({ managedObject: managedObjectSchema, self: z.string() }).meta({ id: 'Child' });
const childrenSchema = z.object({ references: z.array(childSchema), self: z.string() });

const tag = 'Children';
const params = { id: 'Id of the parent' };
const summaries: Readonly<Record<ChildKind, string>> = {
	childDevices: 'child devices',
	childAssets: 'child assets',
	childAdditions: 'child additions',
};

/** The objects below a managed object. */
export function childrenRoutes(services: HttpServices): Route[] {
	return childKinds.flatMap((kind) => routesOf(kind, services));
}

function routesOf(kind: ChildKind, services: HttpServices): Route[] {
	const { inventory, options } = services;
	const scope = openDeviceScope(services);
	const renderer = createManagedObjectRenderer({ ...services, scope, maxReferences: options.childReferencesMax });
	const path = `/inventory/managedObjects/{id}/${kind}` as const;
	const what = summaries[kind];
	const body = describedBody(bodySchema, (value) => readBody(value, options));

	const selfOf = (base: string, parent: string, child: string) => `${objectUrl(base, parent)}/${kind}/${child}`;

	async function children(
		parent: ManagedObjectId,
		found: readonly ManagedObject[],
		view: ReturnType<typeof objectView>,
		tenant: string,
	): Promise<Json[]> {
		const rendered = await renderer.many(tenant, found, { ...view, withAdvancedList: false });
		return rendered.map((object) => ({ managedObject: object, self: selfOf(view.base, parent, String(object.id)) }));
	}

	async function link(principal: Principal, parent: ManagedObjectId, id: string): Promise<ManagedObject> {
		const child = await scope.getObject(principal, id, 'inventory:write');
		await inventory.hierarchy.link(principal.tenant, parent, kind, child.id);
		return child;
	}

	return [
		route({
			method: 'get',
			path,
			permission: 'inventory:read',
			isScoped: true,
			summary: `List the ${what} of a managed object`,
			description:
				'Whole objects, in the order of the query, else of creation; all filters must match. A device, or a user with inventory roles only, sees what is linked, not what the stored query of a group finds.',
			tag,
			params,
			query: z.object({ ...objectFilterParameters, ...viewParameters, ...pageParameters(options) }),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('references', childSchema) } },
			refusals: ['inventory/notFound', 'inventory/badQuery', 'inventory/scanLimit'],
			handler: async (call) => {
				const { principal } = call;
				const parent = await scope.getObject(principal, call.param('id'), 'inventory:read');
				// A stored query finds objects of the whole tenant, and whoever sees a part of it may write one.
				const below = { id: parent.id, kind, isLinked: isLimited(principal, 'inventory:read') };
				const search = await inventory.objects.search(principal.tenant, { ...call.query, below }, call.scan);
				const { entries, frame } = await readPage(call, {
					find: search.list,
					count: search.count,
					isSearch: !search.isIndexed,
				});
				const view = objectView(call, call.query, options);
				return ok({ references: await children(parent.id, entries, view, principal.tenant), ...frame });
			},
		}),
		route({
			method: 'post',
			path,
			permission: 'inventory:write',
			isScoped: true,
			summary: `Add to the ${what} of a managed object`,
			description:
				'A body {managedObject: {id}} links an object, {references: […]} several; anything else is a new object. The media type does not matter.',
			tag,
			params,
			query: noQuery,
			body,
			answers: {
				201: {
					description: 'The new object, the child, or the children',
					schema: z.union([childSchema, childrenSchema, managedObjectSchema]),
				},
			},
			refusals: [
				'inventory/notFound',
				'inventory/invalid',
				'inventory/tooLarge',
				'inventory/quotaExceeded',
				'inventory/cycle',
				'inventory/conflict',
			],
			handler: async ({ principal, param, body: sent, base }) => {
				const { tenant, userName } = principal;
				const parent = await scope.getObject(principal, param('id'), 'inventory:write');
				const view = objectView({ base, principal }, {}, options);
				if (sent.kind === 'create') {
					const patch = { ...sent.patch, mayOffer: mayGiveFiles(principal) };
					const placed = { owner: userName, patch, parent: { id: parent.id, kind } };
					const object = await inventory.objects.create(tenant, placed);
					if (!object) throw new TypeError('A managed object without an external id met a duplicate');
					return created(await renderer.one(object, view));
				}
				if (sent.kind === 'link') {
					const [child] = await children(parent.id, [await link(principal, parent.id, sent.id)], view, tenant);
					return created(child);
				}
				// All are looked up before the first one is linked: a wrong id changes nothing.
				for (const id of sent.ids) await scope.getObject(principal, id, 'inventory:write');
				const linked: ManagedObject[] = [];
				for (const id of sent.ids) linked.push(await link(principal, parent.id, id));
				return created({
					references: await children(parent.id, linked, view, tenant),
					self: `${objectUrl(base, parent.id)}/${kind}`,
				});
			},
		}),
		route({
			method: 'get',
			path: `${path}/{childId}`,
			permission: 'inventory:read',
			isScoped: true,
			summary: `Read one of the ${what} of a managed object`,
			tag,
			params: { ...params, childId: 'Id of the child' },
			query: z.object(viewParameters),
			body: noBody,
			answers: { 200: { description: 'The child', schema: childSchema } },
			refusals: ['inventory/notFound'],
			handler: async ({ principal, param, query: shown, base }) => {
				const parent = await scope.getObject(principal, param('id'), 'inventory:read');
				const child = await inventory.hierarchy.getChild(
					principal.tenant,
					parent.id,
					kind,
					parseManagedObjectId(param('childId')),
				);
				const managedObject = await renderer.one(child, objectView({ base, principal }, shown, options));
				return ok({ managedObject, self: selfOf(base, parent.id, child.id) });
			},
		}),
		route({
			method: 'delete',
			path: `${path}/{childId}`,
			permission: 'inventory:write',
			isScoped: true,
			summary: `Take one of the ${what} from a managed object`,
			description: 'The child itself stays.',
			tag,
			params: { ...params, childId: 'Id of the child' },
			query: noQuery,
			body: noBody,
			answers: { 204: { description: 'Taken away' } },
			refusals: ['inventory/notFound', 'inventory/invalid', 'inventory/conflict'],
			handler: async ({ principal, param }) => {
				const parent = await scope.getObject(principal, param('id'), 'inventory:write');
				const child = parseManagedObjectId(param('childId'));
				await inventory.hierarchy.unlink(principal.tenant, parent.id, kind, child);
				return noContent;
			},
		}),
	];
}

function readBody(value: unknown, options: HttpServices['options']): ChildrenBody {
	const one = sentReference.safeParse(value);
	if (one.success) return { kind: 'link', id: one.data.managedObject.id };
	const many = sentReferences.safeParse(value);
	if (!many.success) {
		const patch = parseObjectBody(value, options);
		refuseBrokenLink(patch);
		return { kind: 'create', patch };
	}
	const ids = many.data.references.map(({ managedObject }) => managedObject.id);
	if (ids.length > options.pageSizeMax)
		throw new HttpError('http/invalidBody', `references has ${ids.length} items: at most ${options.pageSizeMax} are allowed`);
	return { kind: 'linkMany', ids };
}

/** What was to be a link must not become an object. */
function refuseBrokenLink({ fragments: { managedObject, references } }: ObjectPatch): void {
	if (managedObject !== undefined)
		throw new HttpError(
			'http/invalidBody',
			'managedObject must be an object with the id of the child: {"managedObject":{"id":"1000"}}',
		);
	if (references !== undefined)
		throw new HttpError('http/invalidBody', 'references must be a list of objects such as {"managedObject":{"id":"1000"}}');
}
