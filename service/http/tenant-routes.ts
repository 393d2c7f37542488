import { z } from 'zod';
import { hostOf } from './base-url.ts';
import { ok } from './reply.ts';
import { noBody, noParams, noQuery, type Route, route } from './route.ts';

/** The tenant of the caller. */
export function tenantRoutes(): Route[] {
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
						applications: z.object({ references: z.array(z.looseObject({})) }),
					}),
				},
			},
			handler: async ({ principal, base }) =>
				ok({
					name: principal.tenant,
					domainName: hostOf(base),
					allowCreateTenants: false,
					customProperties: {},
					applications: { references: [] },
				}),
		}),
	];
}
