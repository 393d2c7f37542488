import { z } from 'zod';
import { statusOf, type Tenant, type TenantChange, tenantStatuses } from '../../access/index.ts';
import { formatTime } from '../../inventory/index.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { jsonBody } from './json-decode.ts';
import { timeSchema } from './managed-object-schema.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { created, noContent, ok } from './reply.ts';
import { noBody, noParams, noQuery, type Route, route } from './route.ts';

const tag = 'Tenants';
const idParam = { id: 'Id of the tenant' };
const text = z.string().max(254).nullish();
const mostOf = z.int().nonnegative().nullish();

const limitsSchema = z
	.object({ devices: mostOf, packages: mostOf, storageBytes: mostOf, requestsPerSecond: mostOf })
	.meta({ id: 'TenantLimits', description: '0 is without limit; null is as the service is set' });
const changeSchema = z.looseObject({
	domain: text,
	company: text,
	contactName: text,
	contactPhone: text,
	adminEmail: text,
	status: z.enum(['ACTIVE', 'SUSPENDED']).optional(),
	limits: limitsSchema.partial().optional(),
	adminName: z.string().min(1).optional().meta({ description: 'Of a tenant that is there, only together with adminPass' }),
	adminPass: z
		.string()
		.optional()
		.meta({ description: 'Password of the administrator; never shown', override: { writeOnly: true } }),
});
const newSchema = changeSchema.extend({
	id: z.string().optional().meta({ description: 'Unset, the first part of the domain' }),
	adminName: z.string().min(1),
	adminPass: z.string(),
	status: z.undefined({ error: 'is ACTIVE at first: leave it out' }).optional(),
});
const tenantSchema = z
	.object({
		id: z.string(),
		domain: z.string().optional(),
		company: z.string().optional(),
		contactName: z.string().optional(),
		contactPhone: z.string().optional(),
		adminName: z.string().optional(),
		adminEmail: z.string().optional(),
		status: z.enum(tenantStatuses),
		creationTime: timeSchema,
		allowCreateTenants: z.boolean(),
		customProperties: z.looseObject({}),
		limits: z.object({ devices: z.int(), packages: z.int(), storageBytes: z.int(), requestsPerSecond: z.int() }),
		self: z.string(),
	})
	.meta({ id: 'Tenant' });

/** The tenants of the service, for the one that looks after them. */
export function tenantManagementRoutes({ access, options }: HttpServices): Route[] {
	const { tenants } = access;
	const one = { 200: { description: 'The tenant', schema: tenantSchema } };

	async function tenantJson(tenant: Tenant, base: string) {
		const { _id: id, domain, company, contactName, contactPhone, adminName, adminEmail, creationTime } = tenant;
		const told = { domain, company, contactName, contactPhone, adminName, adminEmail };
		return {
			id,
			...Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)),
			status: statusOf(tenant),
			creationTime: formatTime(creationTime),
			allowCreateTenants: false,
			customProperties: {},
			limits: await tenants.limitsOf(id),
			self: `${base}/tenant/tenants/${id}`,
		};
	}

	return [
		route({
			method: 'get',
			path: '/tenant/tenants',
			permission: 'tenants:read',
			summary: 'List the tenants',
			description: 'In the order of their ids. Only users of the tenant management can.',
			tag,
			params: noParams,
			query: z.object(pageParameters(options)),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('tenants', tenantSchema) } },
			handler: async (call) => {
				const { entries, frame } = await readPage(call, { find: tenants.list, count: tenants.count });
				return ok({ tenants: await Promise.all(entries.map((tenant) => tenantJson(tenant, call.base))), ...frame });
			},
		}),
		route({
			method: 'post',
			path: '/tenant/tenants',
			permission: 'tenants:create',
			summary: 'Create a tenant',
			description: 'With its administrator, who can log in at once.',
			tag,
			params: noParams,
			query: noQuery,
			body: jsonBody(newSchema),
			answers: { 201: { description: 'The new tenant', schema: tenantSchema } },
			refusals: ['access/invalid', 'access/weakPassword', 'access/conflict'],
			handler: async ({ body, base }) => {
				const id = body.id ?? body.domain?.split('.')[0];
				if (id === undefined) throw new HttpError('http/invalidBody', 'id is missing, and there is no domain to take it from');
				const admin = { userName: body.adminName, password: body.adminPass };
				const tenant = await access.createTenant(id, changeOf(body), admin);
				return created(await tenantJson(tenant, base));
			},
		}),
		route({
			method: 'get',
			path: '/tenant/tenants/{id}',
			permission: 'tenants:read',
			summary: 'Read a tenant',
			tag,
			params: idParam,
			query: noQuery,
			body: noBody,
			answers: one,
			refusals: ['access/notFound'],
			handler: async ({ param, base }) => ok(await tenantJson(await tenants.get(param('id')), base)),
		}),
		route({
			method: 'put',
			path: '/tenant/tenants/{id}',
			permission: 'tenants:write',
			summary: 'Change, suspend or reactivate a tenant',
			description:
				'null removes a text or a limit. `adminPass` is another password for the administrator, who is the one in `adminName` from then on where that is said. A tenant that is SUSPENDED is locked at once: nobody logs in, and its devices are disconnected.',
			tag,
			params: idParam,
			query: noQuery,
			body: jsonBody(changeSchema),
			answers: one,
			refusals: ['access/notFound', 'access/invalid', 'access/weakPassword', 'access/conflict'],
			handler: async ({ param, body, base }) => {
				const admin = { userName: body.adminName, password: body.adminPass };
				const changed = await access.changeTenant(param('id'), changeOf(body), admin);
				return ok(await tenantJson(changed, base));
			},
		}),
		route({
			method: 'delete',
			path: '/tenant/tenants/{id}',
			permission: 'tenants:write',
			summary: 'Delete a tenant',
			description:
				'It is locked at once. Everything that it has is removed in the background; until that is done, it is listed as DELETING, and its id is taken.',
			tag,
			params: idParam,
			query: noQuery,
			body: noBody,
			answers: { 204: { description: 'Locked, and to be removed' } },
			refusals: ['access/notFound', 'access/invalid'],
			handler: async ({ param }) => {
				await tenants.remove(param('id'));
				return noContent;
			},
		}),
	];
}

function changeOf(body: z.output<typeof changeSchema> | z.output<typeof newSchema>): TenantChange {
	const { domain, company, contactName, contactPhone, adminEmail, status, limits } = body;
	return { domain, company, contactName, contactPhone, adminEmail, status, limits };
}
