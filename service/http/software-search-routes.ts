import { z } from 'zod';
import type { Principal } from '../../access/index.ts';
import {
	type DeviceWithSoftware,
	isManagedObjectId,
	parseSoftwareConditions,
	type SoftwareCondition,
	versionOrderNames,
} from '../../inventory/index.ts';
import { openDeviceScope } from './device-scope.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { type Json, objectUrl } from './managed-object-json.ts';
import { idSchema } from './managed-object-schema.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { repeatedParameter, textParameter } from './query-values.ts';
import { ok } from './reply.ts';
import { noBody, noParams, type Route, route } from './route.ts';

const base = '/service/advanced-software-mgmt';
const tag = 'Installed software';

const foundPackageSchema = z
	.object({ name: z.string(), version: z.string(), softwareType: z.string().optional() })
	.meta({ id: 'FoundPackage' });
const deviceSchema = z
	.object({
		id: idSchema,
		name: z.string().optional(),
		serial: z.string().meta({ description: 'Its external id of type c8y_Serial' }).optional(),
		software: z.array(foundPackageSchema).meta({ description: 'What meets the conditions' }),
		self: z.string(),
	})
	.meta({ id: 'DeviceWithSoftware' });
const versionSchema = foundPackageSchema
	.extend({ devices: z.int().positive().meta({ description: 'On so many devices' }) })
	.meta({ id: 'InstalledVersion' });

/** What software is installed where. */
export function softwareSearchRoutes(services: HttpServices): Route[] {
	const { inventory, options } = services;
	const { orderOfType, ...limits } = options.softwareSearch;
	const { softwareSearch } = inventory;
	const deviceScope = openDeviceScope(services);

	return [
		route({
			method: 'get',
			path: `${base}/devices`,
			permission: 'inventory:read',
			isScoped: true,
			summary: 'Find devices by their installed software',
			description:
				'Each `software` is a condition on one package of the device: its name, then terms behind semicolons, such as ' +
				'`openssl;type=apt;version<3.0.15`. Comparisons are `=` (or `==`), `!=`, `<` (`=lt=`), `<=` (`=le=`), `>` (`=gt=`), ' +
				'`>=` (`=ge=`); several versions make a range. The type of the package decides how versions are compared, or ' +
				`\`order=\`, one of ${versionOrderNames.join(', ')}. A \`!\` before the name is for devices that have no such package. ` +
				"With several `software`, a device meets all of them. Values that hold a space or one of `;'<>=!*` are put between " +
				"single quotes. Devices come in the order of their ids as texts; a device sees itself alone, a user with inventory roles only what is below its groups. 'next' goes on behind " +
				'the last device, so a far page costs what the first one costs.',
			tag,
			params: noParams,
			query: z.object({
				software: repeatedParameter(
					'A condition; repeated, all of them',
					'is missing: give a condition such as openssl;type=apt',
				),
				after: textParameter('Id of a device: only those behind it, whatever currentPage is').optional(),
				...pageParameters(options),
			}),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('devices', deviceSchema) } },
			refusals: ['inventory/badQuery', 'inventory/scanLimit'],
			handler: async (call) => {
				const { software, after } = call.query;
				const conditions = parseSoftwareConditions(software, limits);
				if (after !== undefined && !isManagedObjectId(after))
					throw new HttpError('http/badRequest', `after must be the id of a device, found '${after.slice(0, 40)}'`);
				const page = await findPage(call, conditions, after);
				return ok({ devices: page.entries.map((device) => deviceJson(device, call.base)), ...page.frame });
			},
		}),
		route({
			method: 'get',
			path: `${base}/versions`,
			permission: 'inventory:read',
			isScoped: true,
			summary: 'List the installed versions of a software',
			description:
				'By software type, and the newest first; on how many devices each of them is. A device sees its own alone, a user with inventory roles those below its groups.',
			tag,
			params: noParams,
			query: z.object({
				name: textParameter('Name of the package, exactly').min(1, 'is empty: name a package'),
				type: textParameter('Only of this software type').min(1, 'is empty: name a software type, or leave it out').optional(),
				...pageParameters(options),
			}),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('versions', versionSchema) } },
			refusals: ['inventory/scanLimit'],
			handler: async (call) => {
				const scope = await scopeOf(call.principal);
				const { name, type } = call.query;
				const all = scope
					? await call.scan((signal) => softwareSearch.listVersions({ ...scope, name, type }, orderOfType, signal))
					: [];
				const page = await readPage(call, {
					find: async ({ skip, limit }) => all.slice(skip, skip + limit),
					count: async () => all.length,
				});
				return ok({ versions: page.entries, ...page.frame });
			},
		}),
	];

	async function findPage(
		call: Parameters<typeof readPage>[0] & { readonly principal: Principal },
		conditions: readonly SoftwareCondition[],
		after: string | undefined,
	) {
		const scope = await scopeOf(call.principal);
		return readPage<DeviceWithSoftware>(call, {
			find: async ({ skip, limit }, signal) => {
				if (!scope) return [];
				const range = { after, skip: after === undefined ? skip : 0, limit };
				return softwareSearch.listDevices(scope, conditions, orderOfType, range, signal);
			},
			count: async (signal) => (scope ? softwareSearch.countDevices(scope, conditions, orderOfType, signal) : 0),
			isSearch: true,
			mark: { name: 'after', of: ({ id }) => id },
		});
	}

	/** What the caller may see: a user the tenant, or what is below some groups, a device itself; `undefined` for a device that is not there. */
	async function scopeOf(principal: Principal) {
		const { tenant } = principal;
		if (principal.role === 'device') {
			const device = await deviceScope.ownId(principal);
			return device === undefined ? undefined : { tenant, device };
		}
		const { within } = deviceScope.visible(principal, undefined);
		return { tenant, ...(within && { within: await inventory.objects.idsWithin(tenant, within) }) };
	}
}

function deviceJson({ id, name, serial, software }: DeviceWithSoftware, origin: string): Json {
	return { id, name, serial, software, self: objectUrl(origin, id) };
}
