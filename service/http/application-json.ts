import { z } from 'zod';
import { managementTenant } from '../../access/index.ts';
import type { Json } from './managed-object-json.ts';

/** The one application that there is: this service, under the name by which tools look for it. */
export const applicationName = 'advanced-software-mgmt';
export const applicationId = '1';

export const applicationSchema = z
	.object({
		id: z.string(),
		name: z.string(),
		key: z.string(),
		contextPath: z.string(),
		type: z.string(),
		availability: z.string(),
		owner: z.object({ tenant: z.object({ id: z.string() }), self: z.string() }),
		manifest: z.object({ version: z.string() }),
		self: z.string(),
	})
	.meta({ id: 'Application' });
export const applicationReferenceSchema = z.object({ application: applicationSchema, self: z.string() });

export function applicationReference(base: string, version: string): Json {
	const self = `${base}/tenant/currentTenant/applications/${applicationId}`;
	return { application: applicationJson(base, version), self };
}

export function applicationJson(base: string, version: string): Json {
	return {
		id: applicationId,
		name: applicationName,
		key: `${applicationName}-key`,
		contextPath: applicationName,
		type: 'MICROSERVICE',
		availability: 'MARKET',
		owner: { tenant: { id: managementTenant }, self: `${base}/tenant/tenants/${managementTenant}` },
		manifest: { version },
		self: `${base}/application/applications/${applicationId}`,
	};
}
