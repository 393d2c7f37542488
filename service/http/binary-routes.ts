import type { Readable } from 'node:stream';
import { z } from 'zod';
import {
	type BinaryObject,
	binaryFragment,
	InventoryError,
	isBinary,
	parseObjectBody,
	type ReceivedBytes,
} from '../../inventory/index.ts';
import { contentFaultOf } from '../store-fault.ts';
import { checkChange, dispositionOf, entityTag, planDownload } from './binary-download.ts';
import { mayGiveFiles, openDeviceScope } from './device-scope.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { parseJsonText } from './json-body.ts';
import { createManagedObjectRenderer, type Json } from './managed-object-json.ts';
import { managedObjectBodySchema, managedObjectSchema } from './managed-object-schema.ts';
import { readMultipartForm } from './multipart-form.ts';
import { objectFilterParameters } from './object-parameters.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { openRemoval } from './removal.ts';
import { created, noContent, ok, type Reply } from './reply.ts';
import { type IncomingCall, noBody, noParams, noQuery, type Route, route } from './route.ts';

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
const bytesSchema = z.string().meta({ description: 'Any bytes', override: { format: 'binary' } });
const formSchema = z.object({
	file: bytesSchema,
	object: managedObjectBodySchema
		.meta({ description: 'Name, type and fragments, as JSON; the name of the file and its type when absent' })
		.optional(),
});

const idParam = { id: 'Id of the managed object' };
const tag = 'Binaries';
const path = '/inventory/binaries';
/** What a form may have beside its file and its description. */
const formOverheadBytes = 64 * 1024;
const defaultType = 'application/octet-stream';

/** Files of the software repository, and others. */
export function binaryRoutes(services: HttpServices): Route[] {
	const { inventory, binaries, options, clock } = services;
	const scope = openDeviceScope(services);
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
			refusals: [
				...uploadRefusals,
				'http/malformedMultipart',
				'http/malformedJson',
				'http/invalidBody',
				'inventory/invalid',
				'inventory/tooLarge',
			],
			handler: async ({ principal, headers, readStream, base }) => {
				const { tenant, userName: owner } = principal;
				const overhead = formOverheadBytes + options.objectMaxBytes;
				await binaries.checkRoom(tenant, Math.max(0, announcedLength(headers['content-length']) - overhead));
				const { fields, received, file } = await readMultipartForm(
					{ headers, body: readStream(), limits: { fieldMaxBytes: options.objectMaxBytes } },
					({ stream }) => binaries.receive(tenant, stream),
					binaries.discard,
				);
				const object = await discarding(received, async () => {
					const sent = patchOf(fields.get('object'));
					const contentType = mediaTypeOf(file.contentType);
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
			answers: {
				200: { description: 'All bytes', schema: bytesSchema, mediaType: '*/*' },
				206: { description: 'The bytes of the range', schema: bytesSchema, mediaType: '*/*' },
				304: { description: 'The caller has these bytes' },
				307: { description: 'The bytes are at the address in Location for a while' },
			},
			refusals: ['inventory/notFound', 'http/preconditionFailed', 'http/rangeNotSatisfiable'],
			handler: async (call) =>
				download(await scope.getDownload(call.principal, call.param('id')), call, call.principal.role === 'device'),
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
				const contentType = rawTypeOf(headers['content-type'], headers['content-encoding']);
				refusePart(headers['content-range']);
				await binaries.checkRoom(tenant, announcedLength(headers['content-length']));
				const received = await receiveBody(tenant, readStream());
				const isExpected = (present: BinaryObject) => checkChange(present.binary, headers);
				const object = await discarding(received, async () => {
					checkDigests(received, [headers['content-digest'], headers['repr-digest']]);
					return binaries.replace(tenant, id, { contentType, isExpected }, received);
				});
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

	async function download(
		object: BinaryObject,
		{ isHead, headers }: Pick<IncomingCall, 'isHead' | 'headers'>,
		isByDevice: boolean,
	): Promise<Reply> {
		const name = object.name ?? '';
		const plan = planDownload({ facts: object.binary, name, isHead, headers });
		if (plan.status === 304 || isHead) return plan;
		const mayRedirect = options.binaryRedirect === 'everybody' || (options.binaryRedirect === 'users' && !isByDevice);
		const location = mayRedirect ? await binaries.link(object, dispositionOf(name)) : undefined;
		if (location !== undefined) return { status: 307, headers: { Location: location } };
		return { status: plan.status, headers: plan.headers, stream: await binaries.open(object, plan.range) };
	}

	function patchOf(text: string | undefined) {
		const patch = parseObjectBody(text === undefined ? {} : parseJsonText(text, options.jsonMaxDepth), options);
		if (patch.softwareList !== undefined)
			throw new InventoryError('inventory/invalid', 'A binary has no c8y_SoftwareList: leave it out');
		return patch;
	}

	async function receiveBody(tenant: string, body: Readable): Promise<ReceivedBytes> {
		return binaries.receive(tenant, body).catch((error: unknown) => {
			// Whoever stops reading the body ends it as well: what stopped it is the answer then.
			if (!body.errored || error instanceof InventoryError || contentFaultOf(error)) throw error;
			throw new HttpError('http/badRequest', 'The body did not arrive whole');
		});
	}

	/** Runs what comes before the bytes have an object; they go when it fails. */
	async function discarding<T>(received: ReceivedBytes, work: () => Promise<T>): Promise<T> {
		try {
			return await work();
		} catch (error) {
			if (error instanceof HttpError || error instanceof InventoryError) await binaries.discard(received);
			throw error;
		}
	}

	async function binaryJson(object: BinaryObject, base: string): Promise<Json> {
		return { ...(await renderer.one(object, viewFrom(base))), self: binaryUrl(object, base) };
	}
}

const uploadRefusals = ['binary/tooLarge', 'binary/quotaExceeded', 'binary/storeFull', 'http/unsupportedMediaType'] as const;

function viewFrom(base: string) {
	return { base, withChildren: true, skipChildrenNames: false, withAdvancedList: false };
}

function binaryUrl({ id }: BinaryObject, base: string): string {
	return `${base}${path}/${id}`;
}

function announcedLength(text: string | undefined): number {
	return Number(text ?? 0);
}

/** What goes back into a header later. */
function mediaTypeOf(text: string): string {
	return /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}(;[\x20-\x7e]{0,200})?$/.test(text) ? text : defaultType;
}

function rawTypeOf(type: string | undefined, encoding: string | undefined): string {
	const isForm = type?.trim().toLowerCase().startsWith('multipart/form-data');
	if (isForm || (encoding !== undefined && encoding !== 'identity'))
		throw new HttpError(
			'http/unsupportedMediaType',
			'Send the bytes of the file themselves as the body: no form, and not packed',
		);
	return type === undefined ? defaultType : mediaTypeOf(type);
}

/** A part must not take the place of the whole. [RFC 9110, 14.5] */
function refusePart(contentRange: string | undefined): void {
	if (contentRange !== undefined)
		throw new HttpError('http/badRequest', 'Send the whole file, without Content-Range: no part of one is replaced');
}

/** @throws HttpError `http/invalidBody` where a SHA-256 that was sent along is not that of the body */
function checkDigests({ sha256 }: ReceivedBytes, fields: readonly (string | string[] | undefined)[]): void {
	const own = Buffer.from(sha256, 'hex').toString('base64');
	for (const field of fields) {
		const [, sent] = /(?:^|[,\s])sha-256=:([A-Za-z0-9+/=]+):/.exec(String(field ?? '')) ?? [];
		if (sent !== undefined && sent !== own)
			throw new HttpError('http/invalidBody', `The body has the SHA-256 ${own}, and its header says ${sent}: send it again`);
	}
}
