import { z } from 'zod';
import { type BinaryObject, binaryFragment, isBinary, parseObjectBody } from '../../inventory/index.ts';
import { checkChange, entityTag } from './binary-download.ts';
import {
	bytesSchema,
	downloadAnswers,
	downloadRefusals,
	formRefusals,
	openBinaryTransfer,
	uploadRefusals,
} from './binary-transfer.ts';
import { mayGiveFiles, openDeviceScope } from './device-scope.ts';
import type { HttpServices } from './http-options.ts';
import { parseJsonText } from './json-body.ts';
import { createManagedObjectRenderer, type Json } from './managed-object-json.ts';
import { managedObjectBodySchema, managedObjectSchema } from './managed-object-schema.ts';
import { objectFilterParameters } from './object-parameters.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { openRemoval } from './removal.ts';
import { created, noContent, ok } from './reply.ts';
import { noBody, noParams, noQuery, type Route, route } from './route.ts';

const { type, owner, ids, text, childDeviceId, childAssetId, childAdditionId } = objectFilterParameters;
const filterParameters = { type, owner, ids, text, childDeviceId, childAssetId, childAdditionId };

const binarySchema = managedObjectSchema
	.extend({
		contentType: z.string(),
		length: z.int().nonnegative().meta({ description: 'Bytes' }),
		c8y_IsBinary: z.string(),
		c8y_Digest: z.object({ sha256: z.string().meta({ description: 'Hexadecimal digits' }) }),
	})
	.meta({ id: 'Binary', description: 'A managed object with bytes; `self` is where they can be downloaded' });
const formSchema = z.object({
	file: bytesSchema,
	object: managedObjectBodySchema
		.meta({ description: 'Name, type and fragments, as JSON; the name of the file and its type when absent' })
		.optional(),
});

const idParam = { id: 'Id of the managed object' };
const tag = 'Binaries';
const path = '/inventory/binaries';

/** Files of the software repository, and others. */
export function binaryRoutes(services: HttpServices): Route[] {
	const { inventory, binaries, options, clock } = services;
	const scope = openDeviceScope(services);
	const transfer = openBinaryTransfer(services);
	const removal = openRemoval(services);
	const renderer = createManagedObjectRenderer({ inventory, scope, clock, maxReferences: options.childReferencesMax });

	return [
		route({
			method: 'post',
			path,
			permission: 'inventory:create',
			summary: 'Upload a file',
			description:
				'The parts can come in any order; `file` needs no file name. The answer comes when the bytes are safe. Nothing stays of an upload that fails.',
			tag,
			params: noParams,
			query: noQuery,
			body: noBody,
			upload: { 'multipart/form-data': formSchema },
			answers: { 201: { description: 'The new binary', schema: binarySchema } },
			refusals: [...uploadRefusals, ...formRefusals, 'inventory/invalid', 'inventory/tooLarge'],
			handler: async ({ principal, headers, readStream, base }) => {
				const { tenant, userName: owner } = principal;
				const { fields, received, file, contentType } = await transfer.receiveForm(tenant, { headers, readStream });
				const object = await transfer.discarding(received, async () => {
					const sent = patchOf(fields.get('object'));
					const own = { name: sent.name ?? file.fileName ?? 'binary', type: sent.type ?? contentType };
					const named = parseObjectBody(own, options);
					const patch = { ...sent, ...named, fragments: sent.fragments, mayOffer: mayGiveFiles(principal) };
					return binaries.create(tenant, { owner, patch, contentType }, received);
				});
				return { ...created(await binaryJson(object, base)), headers: { Location: binaryUrl(object, base) } };
			},
		}),
		route({
			method: 'get',
			path,
			permission: 'inventory:read',
			isScoped: true,
			summary: 'List binaries',
			description: 'In the order of creation; all filters must match. A device sees what it owns.',
			tag,
			params: noParams,
			query: z.object({ ...filterParameters, ...pageParameters(options) }),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('managedObjects', managedObjectSchema) } },
			refusals: ['inventory/scanLimit'],
			handler: async (call) => {
				const { principal, query, base } = call;
				const filter = { ...query, ...scope.visible(principal, query.owner), fragmentType: binaryFragment };
				const search = await inventory.objects.search(principal.tenant, filter);
				const { entries, frame } = await readPage(call, {
					find: search.list,
					count: search.count,
					isSearch: !search.isIndexed,
				});
				const shown = await renderer.many(principal.tenant, entries, viewFrom(base));
				const managedObjects = shown.map((json, index) => {
					const entry = entries[index];
					return entry && isBinary(entry) ? { ...json, self: binaryUrl(entry, base) } : json;
				});
				return ok({ managedObjects, ...frame });
			},
		}),
		route({
			method: 'get',
			path: `${path}/{id}`,
			permission: 'inventory:read',
			isScoped: true,
			summary: 'Download a file',
			description:
				'Whole or one range of it, with conditions. A device may download what is its own, what an operator named in an operation for it or for what is below it, and what the software repository of its tenant names.',
			tag,
			params: idParam,
			query: noQuery,
			body: noBody,
			answers: downloadAnswers,
			refusals: downloadRefusals,
			handler: async (call) => {
				const object = await scope.getDownload(call.principal, call.param('id'));
				return transfer.download({ ...object, name: object.name ?? '' }, call, call.principal.role === 'device');
			},
		}),
		route({
			method: 'put',
			path: `${path}/{id}`,
			permission: 'inventory:write',
			isScoped: true,
			summary: 'Replace the bytes of a file',
			description: 'The body is the new file. With If-Match, only when nobody replaced it meanwhile.',
			tag,
			params: idParam,
			query: noQuery,
			body: noBody,
			upload: { '*/*': bytesSchema },
			answers: { 201: { description: 'The binary', schema: binarySchema } },
			refusals: [...uploadRefusals, 'inventory/notFound', 'inventory/conflict', 'http/preconditionFailed', 'http/invalidBody'],
			handler: async ({ principal, param, headers, readStream, base }) => {
				const { tenant } = principal;
				const { id, binary } = await scope.getBinary(principal, param('id'));
				checkChange(binary, headers);
				const { received, contentType } = await transfer.receiveRaw(tenant, { headers, readStream });
				const isExpected = (present: BinaryObject) => checkChange(present.binary, headers);
				const object = await transfer.discarding(received, () =>
					binaries.replace(tenant, id, { contentType, isExpected }, received),
				);
				return { ...created(await binaryJson(object, base)), headers: { ETag: entityTag(object.binary) } };
			},
		}),
		route({
			method: 'delete',
			path: `${path}/{id}`,
			permission: 'inventory:write',
			isScoped: true,
			summary: 'Remove a file',
			description:
				'Its managed object goes too. Operations that name it and have not reached their devices become FAILED; a device that has such an operation finds no file.',
			tag,
			params: idParam,
			query: noQuery,
			body: noBody,
			answers: { 204: { description: 'Removed' } },
			refusals: ['inventory/notFound', 'http/preconditionFailed'],
			handler: async ({ principal, param, headers }) => {
				const object = await scope.getBinary(principal, param('id'));
				checkChange(object.binary, headers);
				await removal.remove(principal.tenant, object.id, []);
				return noContent;
			},
		}),
	];

	function patchOf(text: string | undefined) {
		return parseObjectBody(text === undefined ? {} : parseJsonText(text, options.jsonMaxDepth), options);
	}

	async function binaryJson(object: BinaryObject, base: string): Promise<Json> {
		return { ...(await renderer.one(object, viewFrom(base))), self: binaryUrl(object, base) };
	}
}

function viewFrom(base: string) {
	return { base, withChildren: true, skipChildrenNames: false, withAdvancedList: false };
}

function binaryUrl({ id }: BinaryObject, base: string): string {
	return `${base}${path}/${id}`;
}
