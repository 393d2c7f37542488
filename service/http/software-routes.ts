import { z } from 'zod';
import {
	compactPackage,
	type ManagedObjectId,
	type PackageFilter,
	packageFault,
	parseManagedObjectId,
	type SoftwarePackage,
} from '../../inventory/index.ts';
import { mayGiveFiles, openDeviceScope } from './device-scope.ts';
import type { HttpServices } from './http-options.ts';
import { arrayBody } from './json-decode.ts';
import type { Json } from './managed-object-json.ts';
import { idSchema } from './managed-object-schema.ts';
import { operationJson, operationSchema } from './operation-json.ts';
import { pageParameters, pageSchema, readPageText } from './paging.ts';
import { textParameter } from './query-values.ts';
import { created, noContent, ok, okText } from './reply.ts';
import { noBody, noParams, type Route, route } from './route.ts';

const path = '/service/advanced-software-mgmt/software';
const tag = 'Installed software';

const deviceParameter = { deviceId: textParameter('Id of the device').min(1, 'is empty: name a device') };

const packageSchema = z
	.object({
		name: z.string(),
		version: z.string(),
		url: z.string().optional(),
		softwareType: z.string().optional(),
	})
	.meta({ id: 'Package' });
const writtenSchema = z.object({ deviceId: idSchema, self: z.string() });
const refusals = ['inventory/notFound', 'inventory/tooLarge', 'inventory/quotaExceeded', 'inventory/conflict'] as const;

/** The installed software of a device, and what shall change in it. */
export function softwareRoutes(services: HttpServices): Route[] {
	const { inventory, operations, options } = services;
	const { packageLimits: limits } = options;
	const scope = openDeviceScope(services);

	const name = z
		.string()
		.meta({ description: 'With the version, it identifies the package', override: { maxLength: limits.nameMaxLength } });
	const version = z.string().meta({ description: 'May be empty', override: { maxLength: limits.versionMaxLength } });
	const url = z
		.string()
		.nullish()
		.meta({ override: { maxLength: limits.urlMaxLength } });
	const softwareType = z
		.string()
		.nullish()
		.meta({ override: { maxLength: limits.typeMaxLength } });
	const sentPackages = arrayBody(z.array(z.object({ name, version, url, softwareType }).meta({ id: 'SentPackage' })), {
		maxItems: limits.maxPackages,
		fault: (item) => packageFault(item, limits),
	});
	const namedPackages = arrayBody(z.array(z.object({ name, version }).meta({ id: 'NamedPackage' })), {
		maxItems: limits.maxPackages,
		fault: (item) => packageFault(item, limits),
	});
	const wantedChanges = arrayBody(
		z.array(
			z.looseObject({ name, version: version.nullish(), url, softwareType, action: z.enum(['install', 'delete']) }).meta({
				id: 'SoftwareChange',
				example: { name: 'hello', version: '2.10', softwareType: 'apt', url: '', action: 'install' },
			}),
		),
		{ maxItems: limits.maxPackages, fault: (item) => packageFault({ ...item, version: item.version ?? '' }, limits) },
	);

	return [
		route({
			method: 'get',
			path,
			permission: 'inventory:read',
			isScoped: true,
			summary: 'List the installed software of a device',
			description: 'Sorted by name, then version. In the filters, * stands for any characters.',
			tag,
			params: noParams,
			query: z.object({
				...deviceParameter,
				name: textParameter('Filter for the name').optional(),
				version: textParameter('Filter for the version').optional(),
				type: textParameter('Filter for the software type').optional(),
				...pageParameters(options),
			}),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('softwareList', packageSchema) } },
			refusals: ['inventory/notFound'],
			handler: async (call) => {
				const { tenant } = call.principal;
				const id = parseManagedObjectId(call.query.deviceId);
				await scope.admit(call.principal, id, 'inventory:read');
				const { isEmpty, json } = await readPageText(call, 'softwareList', {
					find: (range) => inventory.software.listText(tenant, id, call.query, range),
					count: () => inventory.software.count(tenant, id, call.query),
					isSearch: looksAtMany(call.query),
				});
				// Packages go with their device, so whoever has one exists, and the usual page needs no second look-up.
				if (isEmpty) await inventory.objects.get(tenant, id);
				return okText(json);
			},
		}),
		route({
			method: 'post',
			path,
			permission: 'inventory:write',
			isScoped: true,
			summary: 'Replace the installed software of a device',
			description: 'Readers see the old list or the new one. An unchanged list writes nothing.',
			tag,
			params: noParams,
			query: z.object(deviceParameter),
			body: sentPackages,
			answers: { 201: { description: 'Stored', schema: writtenSchema } },
			refusals,
			handler: async ({ principal, query, body, base }) => {
				const { id } = await scope.getObject(principal, query.deviceId, 'inventory:write');
				await inventory.software.set(principal.tenant, id, body.map(toPackage), 'advanced');
				return created(writtenJson(id, base));
			},
		}),
		route({
			method: 'put',
			path,
			permission: 'inventory:write',
			isScoped: true,
			summary: 'Add to the installed software of a device',
			description: 'A package that is there gets the new type and URL.',
			tag,
			params: noParams,
			query: z.object(deviceParameter),
			body: sentPackages,
			answers: { 200: { description: 'Stored', schema: writtenSchema } },
			refusals,
			handler: async ({ principal, query, body, base }) => {
				const { id } = await scope.getObject(principal, query.deviceId, 'inventory:write');
				const changes = body.map((item) => ({ action: 'put', item: toPackage(item) }) as const);
				await inventory.software.change(principal.tenant, id, changes);
				return ok(writtenJson(id, base));
			},
		}),
		route({
			method: 'delete',
			path,
			permission: 'inventory:write',
			isScoped: true,
			summary: 'Remove from the installed software of a device',
			description: 'Packages with exactly these names and versions; unknown ones are no error.',
			tag,
			params: noParams,
			query: z.object(deviceParameter),
			body: namedPackages,
			answers: { 204: { description: 'Removed' } },
			refusals,
			handler: async ({ principal, query, body }) => {
				const { id } = await scope.getObject(principal, query.deviceId, 'inventory:write');
				await inventory.software.change(
					principal.tenant,
					id,
					body.map((item) => ({ action: 'remove', ...item }) as const),
				);
				return noContent;
			},
		}),
		route({
			method: 'post',
			path: `${path}/changes`,
			permission: 'operations:write',
			isScoped: true,
			summary: 'Ask a device to change its software',
			description:
				'Creates what the device supports: a c8y_SoftwareUpdate, or the complete c8y_SoftwareList computed from what is installed.',
			tag,
			params: noParams,
			query: z.object(deviceParameter),
			body: wantedChanges,
			answers: { 201: { description: 'The new operation, PENDING', schema: operationSchema } },
			refusals: ['inventory/notFound', 'operation/invalid', 'operation/unsupported', 'operation/tooLarge'],
			handler: async ({ principal, query, body, base }) => {
				const { id } = await scope.getObject(principal, query.deviceId, 'operations:write');
				const operation = await operations.createSoftwareChange(principal.tenant, id, body, {
					isByDevice: !mayGiveFiles(principal),
				});
				return created(operationJson(operation, base));
			},
		}),
	];
}

interface SentItem {
	readonly name: string;
	readonly version: string;
	readonly softwareType?: string | null | undefined;
	readonly url?: string | null | undefined;
}

function toPackage({ name, version, softwareType, url }: SentItem): SoftwarePackage {
	return compactPackage(name, version, softwareType, url);
}

function writtenJson(id: ManagedObjectId, base: string): Json {
	return { deviceId: id, self: `${base}${path}?deviceId=${id}` };
}

/** Whether a filter cannot be answered by the order of the packages, so that all of a device may have to be looked at. */
function looksAtMany({ name, version, type }: PackageFilter): boolean {
	return name === undefined ? version !== undefined || type !== undefined : name.includes('*');
}
