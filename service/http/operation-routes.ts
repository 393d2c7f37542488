import { z } from 'zod';
import { type OperationFilter, operationStatuses } from '../../operations/index.ts';
import { mayGiveFiles, openDeviceScope } from './device-scope.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { newOperationBody, operationChangeBody, operationJson, operationSchema } from './operation-json.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { booleanParameter, refusedParameter, textParameter, timeParameter, wordParameter } from './query-values.ts';
import { created, noContent, ok } from './reply.ts';
import { noBody, noParams, noQuery, type Route, route } from './route.ts';

const filterParameters = {
	deviceId: textParameter('Id of the device that the operations are for').optional(),
	agentId: textParameter('Id of the device whose connection the operations go through').optional(),
	status: wordParameter('The present status', operationStatuses).optional(),
	fragmentType: textParameter('A fragment that the operations have').optional(),
	dateFrom: timeParameter('Created at this time or later; a bare date is its first moment in UTC').optional(),
	dateTo: timeParameter('Created at this time or earlier; a bare date is its first moment in UTC').optional(),
	bulkOperationId: refusedParameter('is not understood yet: there are no bulk operations').optional(),
};

const idParam = { id: 'Id of the operation' };
const tag = 'Operations';

/** What devices are asked to do. */
export function operationRoutes(services: HttpServices): Route[] {
	const { operations, options } = services;
	const scope = openDeviceScope(services);

	return [
		route({
			method: 'post',
			path: '/devicecontrol/operations',
			permission: 'operations:write',
			isScoped: true,
			summary: 'Ask a device to do something',
			description:
				'Validated against the device: supported operation, fields of the fragments, software types, size of the message. Delivered oldest first.',
			tag,
			params: noParams,
			query: noQuery,
			body: newOperationBody,
			answers: { 201: { description: 'The new operation, PENDING', schema: operationSchema } },
			refusals: ['inventory/notFound', 'operation/invalid', 'operation/unsupported', 'operation/tooLarge'],
			handler: async ({ principal, body, base }) => {
				await scope.admit(principal, body.deviceId, 'operations:write');
				const operation = await operations.create(principal.tenant, { ...body, isByDevice: !mayGiveFiles(principal) });
				return created(operationJson(operation, base));
			},
		}),
		route({
			method: 'get',
			path: '/devicecontrol/operations',
			permission: 'operations:read',
			isScoped: true,
			summary: 'List operations',
			description: 'Oldest first; all filters must match. A device sees its own and those of what is below it.',
			tag,
			params: noParams,
			query: z.object({
				...filterParameters,
				revert: booleanParameter('Whether the newest come first').optional(),
				...pageParameters(options),
			}),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('operations', operationSchema) } },
			handler: async (call) => {
				const { tenant } = call.principal;
				const { revert = false } = call.query;
				const filter = await scope.narrow(call.principal, filterOf(call.query), 'operations:read');
				const { entries, frame } = await readPage(call, {
					find: async (range) => (filter ? operations.list(tenant, filter, { ...range, revert }) : []),
					count: async () => (filter ? operations.count(tenant, filter) : 0),
					isSearch: filter !== undefined && operations.looksAtMany(filter),
				});
				return ok({ operations: entries.map((each) => operationJson(each, call.base)), ...frame });
			},
		}),
		route({
			method: 'delete',
			path: '/devicecontrol/operations',
			permission: 'operations:write',
			isScoped: true,
			summary: 'Remove operations',
			description:
				'All that match every filter. At least one filter must be named, so that a misspelt one does not remove everything.',
			tag,
			params: noParams,
			query: z.object(filterParameters),
			body: noBody,
			answers: { 204: { description: 'Removed' } },
			handler: async ({ principal, query }) => {
				const asked = filterOf(query);
				if (Object.values(asked).every((value) => value === undefined))
					throw new HttpError('http/badRequest', `Name at least one filter: ${Object.keys(asked).join(', ')}`);
				const filter = await scope.narrow(principal, asked, 'operations:write');
				if (filter) await operations.removeMatching(principal.tenant, filter);
				return noContent;
			},
		}),
		route({
			method: 'get',
			path: '/devicecontrol/operations/{id}',
			permission: 'operations:read',
			isScoped: true,
			summary: 'Read an operation',
			tag,
			params: idParam,
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The operation', schema: operationSchema } },
			refusals: ['operation/notFound'],
			handler: async ({ principal, param, base }) =>
				ok(operationJson(await scope.getOperation(principal, param('id'), 'operations:read'), base)),
		}),
		route({
			method: 'put',
			path: '/devicecontrol/operations/{id}',
			permission: 'operations:write',
			isScoped: true,
			summary: 'Change an operation',
			description: 'Its status as far as the table of statuses allows, its reason, description or fragments.',
			tag,
			params: idParam,
			query: noQuery,
			body: operationChangeBody,
			answers: { 200: { description: 'The operation', schema: operationSchema } },
			refusals: ['operation/notFound', 'operation/transition', 'operation/tooLarge'],
			handler: async ({ principal, param, body, base }) => {
				const { id } = await scope.getOperation(principal, param('id'), 'operations:write');
				const operation = await operations.update(principal.tenant, id, { ...body, isByDevice: !mayGiveFiles(principal) });
				return ok(operationJson(operation, base));
			},
		}),
	];
}

function filterOf({ deviceId, agentId, status, fragmentType, dateFrom, dateTo }: OperationFilter): OperationFilter {
	return { deviceId, agentId, status, fragmentType, dateFrom, dateTo };
}
