import { z } from 'zod';
import { mayDo } from '../../access/index.ts';
import { applicationReference, applicationReferenceSchema } from './application-json.ts';
import { hostOf } from './base-url.ts';
import type { HttpServices } from './http-options.ts';
import { ok } from './reply.ts';
import { noBody, noParams, noQuery, type Route, route } from './route.ts';

/** The tenant of the caller. */
export function tenantRoutes({ access, version }: HttpServices): Route[] {
	return [
		route({
			method: 'get',
			path: '/tenant/currentTenant',
			permission: 'tenant:read',
			summary: 'Read the own tenant',
			description: 'Also answers HEAD: with it, clients try their credentials.',
			tag: 'Tenant',
			params: noParams,
			query: noQuery,
			body: noBody,
			answers: {
				200: {
					description: 'The tenant',
					schema: z.object({
						name: z.string().meta({ description: 'Id of the tenant' }),
						domainName: z.string(),
						allowCreateTenants: z.boolean(),
						customProperties: z.looseObject({}),
						applications: z.object({ references: z.array(applicationReferenceSchema) }),
					}),
				},
			},
			handler: async ({ principal, base }) =>
				ok({
					name: principal.tenant,
					domainName: (await access.tenants.find(principal.tenant))?.domain ?? hostOf(base),
					allowCreateTenants: mayDo(principal, 'tenants:create'),
					customProperties: {},
					applications: { references: [applicationReference(base, version)] },
				}),
		}),
	];
}
