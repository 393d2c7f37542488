import contentDisposition from 'content-disposition';
import { z } from 'zod';
import type { Principal } from '../../access/index.ts';
import { checkHasNoFile, type DeviceEvent, type EventFilter, noSuchSource, requireFile } from '../../events/index.ts';
import { InventoryError, type ManagedObjectId, type ReceivedBytes } from '../../inventory/index.ts';
import {
	bytesSchema,
	downloadAnswers,
	downloadRefusals,
	formRefusals,
	isForm,
	openBinaryTransfer,
	uploadRefusals,
} from './binary-transfer.ts';
import { openDeviceScope } from './device-scope.ts';
import { eventFileJson, eventFileSchema, eventJson, eventSchema, eventUrl, newEventBody } from './event-json.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { parseJsonText } from './json-body.ts';
import { decodeJson } from './json-decode.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { booleanParameter, refusedParameter, textParameter, timeParameter } from './query-values.ts';
import { created, noContent, ok } from './reply.ts';
import { type IncomingCall, noBody, noParams, noQuery, type Route, route } from './route.ts';

const notFiltered = 'is not understood: filter by source, type, dateFrom and dateTo';
const filterParameters = {
	source: textParameter('Id of the managed object that the events are about').optional(),
	type: textParameter('The type of the events').optional(),
	dateFrom: timeParameter('Happened at this time or later; a bare date is its first moment in UTC').optional(),
	dateTo: timeParameter('Happened at this time or earlier; a bare date is its first moment in UTC').optional(),
	fragmentType: refusedParameter(notFiltered).optional(),
	createdFrom: refusedParameter(notFiltered).optional(),
	createdTo: refusedParameter(notFiltered).optional(),
};

const fileDescription = z.object({ name: z.string().max(1024).optional() });
const formSchema = z.object({
	file: bytesSchema,
	object: fileDescription.meta({ description: 'The name, as JSON; that of the file when absent' }).optional(),
});

const idParam = { id: 'Id of the event' };
const tag = 'Events';
const path = '/event/events';

/** What devices tell about themselves: the log of an operation that failed, say. */
export function eventRoutes(services: HttpServices): Route[] {
	const { events, audit, options } = services;
	const scope = openDeviceScope(services);
	const transfer = openBinaryTransfer(services);

	return [
		route({
			method: 'post',
			path,
			permission: 'event:create',
			isScoped: true,
			summary: 'Add an event',
			description: 'When its object has as many as it may have, the one that came first goes.',
			tag,
			params: noParams,
			query: noQuery,
			body: newEventBody,
			answers: { 201: { description: 'The new event', schema: eventSchema } },
			refusals: ['event/invalid', 'event/tooLarge'],
			handler: async ({ principal, body: { sourceId, ...asked }, base }) => {
				const source = await getSource(principal, sourceId);
				const event = await events.create(principal.tenant, { source, ...asked });
				return { ...created(eventJson(event, base)), headers: { Location: eventUrl(event.id, base) } };
			},
		}),
		route({
			method: 'get',
			path,
			permission: 'event:read',
			isScoped: true,
			summary: 'List events',
			description:
				'In the order in which they came, newest first; all filters must match. A device sees its own, and with `source` those of what is below it.',
			tag,
			params: noParams,
			query: z.object({
				...filterParameters,
				revert: booleanParameter('Whether the oldest come first').optional(),
				...pageParameters(options),
			}),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('events', eventSchema) } },
			refusals: ['inventory/notFound', 'inventory/scanLimit'],
			handler: async (call) => {
				const { tenant } = call.principal;
				const { revert = false } = call.query;
				const filter = await scope.narrowEvents(call.principal, filterOf(call.query), 'event:read');
				const { entries, frame } = await readPage(call, {
					find: async (range) => (filter ? events.list(tenant, filter, { ...range, revert }) : []),
					count: async () => (filter ? events.count(tenant, filter) : 0),
					isSearch: filter !== undefined && events.looksAtMany(filter),
				});
				return ok({ events: entries.map((each) => eventJson(each, call.base)), ...frame });
			},
		}),
		route({
			method: 'delete',
			path,
			permission: 'event:write',
			isScoped: true,
			summary: 'Remove events',
			description:
				'All that match every filter, with their files. At least one filter must be named, so that a misspelt one does not remove everything.',
			tag,
			params: noParams,
			query: z.object(filterParameters),
			body: noBody,
			answers: { 204: { description: 'Removed' } },
			refusals: ['inventory/notFound', 'inventory/scanLimit'],
			handler: async ({ principal, query, queryText }) => {
				const asked = filterOf(query);
				if (Object.values(asked).every((value) => value === undefined))
					throw new HttpError('http/badRequest', `Name at least one filter: ${Object.keys(asked).join(', ')}`);
				const filter = await scope.narrowEvents(principal, asked, 'event:write');
				const count = filter ? await events.count(principal.tenant, filter) : 0;
				if (!filter || count === 0) return noContent;
				const text = `Events removed: ${count}, with ${queryText.slice(0, 500)}`;
				await note(principal, { activity: 'Events removed', text, source: asked.source ?? '' });
				await events.removeMatching(principal.tenant, filter);
				return noContent;
			},
		}),
		route({
			method: 'get',
			path: `${path}/{id}`,
			permission: 'event:read',
			isScoped: true,
			summary: 'Read an event',
			tag,
			params: idParam,
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The event', schema: eventSchema } },
			refusals: ['event/notFound'],
			handler: async ({ principal, param, base }) =>
				ok(eventJson(await scope.getEvent(principal, param('id'), 'event:read'), base)),
		}),
		route({
			method: 'delete',
			path: `${path}/{id}`,
			permission: 'event:write',
			isScoped: true,
			summary: 'Remove an event',
			description: 'Its file goes too.',
			tag,
			params: idParam,
			query: noQuery,
			body: noBody,
			answers: { 204: { description: 'Removed' } },
			refusals: ['event/notFound'],
			handler: async ({ principal, param }) => {
				const event = await scope.getEvent(principal, param('id'), 'event:write');
				await noteRemoval(principal, 'Event removed', event);
				await events.remove(event);
				return noContent;
			},
		}),
		route({
			method: 'post',
			path: `${path}/{id}/binaries`,
			permission: 'event:create',
			isScoped: true,
			summary: 'Give an event a file',
			description: 'As a form, or as the body itself with its name in Content-Disposition. An event has one file at most.',
			tag,
			params: idParam,
			query: noQuery,
			body: noBody,
			upload: { 'multipart/form-data': formSchema, '*/*': bytesSchema },
			answers: { 201: { description: 'The file', schema: eventFileSchema } },
			refusals: [...uploadRefusals, ...formRefusals, 'event/notFound', 'event/conflict', 'inventory/conflict'],
			handler: async (call) => {
				const { principal, param, base } = call;
				const event = await scope.getEvent(principal, param('id'), 'event:create');
				checkHasNoFile(event);
				const { tenant, id } = event;
				const { received, describe } = await receive(tenant, call);
				const changed = await transfer.discarding(received, async () => events.attach(tenant, id, describe(), received));
				const file = eventFileJson(changed, base);
				return { ...created(file), headers: { Location: `${eventUrl(id, base)}/binaries` } };
			},
		}),
		route({
			method: 'get',
			path: `${path}/{id}/binaries`,
			permission: 'event:read',
			isScoped: true,
			summary: 'Download the file of an event',
			description: 'Whole or one range of it, with conditions.',
			tag,
			params: idParam,
			query: noQuery,
			body: noBody,
			answers: downloadAnswers,
			refusals: ['event/notFound', ...downloadRefusals],
			handler: async (call) => {
				const { id, attachment } = requireFile(await scope.getEvent(call.principal, call.param('id'), 'event:read'));
				return transfer.download({ id, name: attachment.name, binary: attachment }, call, call.principal.role === 'device');
			},
		}),
		route({
			method: 'delete',
			path: `${path}/{id}/binaries`,
			permission: 'event:write',
			isScoped: true,
			summary: 'Remove the file of an event',
			tag,
			params: idParam,
			query: noQuery,
			body: noBody,
			answers: { 204: { description: 'Removed' } },
			refusals: ['event/notFound'],
			handler: async ({ principal, param }) => {
				const event = requireFile(await scope.getEvent(principal, param('id'), 'event:write'));
				await noteRemoval(principal, 'File of an event removed', event);
				await events.detach(event);
				return noContent;
			},
		}),
	];

	/** @throws HttpError `http/forbidden`; EventError `event/invalid` where there is none: the path itself is there */
	async function getSource(principal: Principal, id: string): Promise<ManagedObjectId> {
		try {
			return (await scope.getObject(principal, id, 'event:create')).id;
		} catch (error) {
			throw error instanceof InventoryError && error.code === 'inventory/notFound' ? noSuchSource(id) : error;
		}
	}

	/** `describe` tells what the bytes are, or refuses by throwing. */
	async function receive(
		tenant: string,
		call: Pick<IncomingCall, 'headers' | 'readStream'>,
	): Promise<{ readonly received: ReceivedBytes; readonly describe: () => { name: string; contentType: string } }> {
		if (isForm(call.headers['content-type'])) {
			const { received, fields, file, contentType } = await transfer.receiveForm(tenant, call);
			return { received, describe: () => describeFile(fields.get('object'), file.fileName, contentType) };
		}
		const fileName = nameIn(call.headers['content-disposition']);
		const { received, contentType } = await transfer.receiveRaw(tenant, call);
		return { received, describe: () => describeFile(undefined, fileName, contentType) };
	}

	function describeFile(object: string | undefined, fileName = 'file', contentType: string) {
		const sent = object === undefined ? {} : decodeJson(fileDescription, parseJsonText(object, options.jsonMaxDepth));
		const { name } = decodeJson(fileDescription, { name: sent.name ?? fileName });
		return { name: name ?? fileName, contentType };
	}

	async function noteRemoval(principal: Principal, activity: string, { id, source, type }: DeviceEvent): Promise<void> {
		return note(principal, { activity, text: `${activity}: '${id}' (${type.slice(0, 100)})`, source });
	}

	/** Before it is done, so that nothing goes that is not on record. */
	async function note(
		{ tenant }: Principal,
		facts: { readonly activity: string; readonly text: string; readonly source: string },
	): Promise<void> {
		await audit.note({ tenant, type: 'Event', ...facts });
	}
}

function filterOf({ source, type, dateFrom, dateTo }: EventFilter): EventFilter {
	return { source, type, dateFrom, dateTo };
}

/** @throws HttpError `http/badRequest` */
function nameIn(header: string | undefined): string | undefined {
	if (header === undefined) return undefined;
	try {
		return contentDisposition.parse(header).parameters.filename;
	} catch (error) {
		if (!(error instanceof TypeError)) throw error;
		throw new HttpError('http/badRequest', 'Content-Disposition cannot be read: send attachment; filename="name"');
	}
}
