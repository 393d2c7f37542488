import { z } from 'zod';
import { certificateStatuses } from '../../access/index.ts';
import { certificateJson, certificateSchema, ownTenant } from './certificate-json.ts';
import type { HttpServices } from './http-options.ts';
import { jsonBody } from './json-decode.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { booleanParameter } from './query-values.ts';
import { created, noContent, ok } from './reply.ts';
import { noBody, noQuery, type Route, route } from './route.ts';

const nameSchema = z.string().min(1).max(255);
const newCertificateSchema = z.object({
	name: nameSchema.default('certificate'),
	certInPemFormat: z.string().max(64 * 1024),
	status: z.enum(certificateStatuses).default('ENABLED'),
	autoRegistrationEnabled: z.boolean().default(false),
});

const maxAtOnce = 100;
const ofTenant = { tenantId: 'The tenant: the own one' };
const ofCertificate = { ...ofTenant, fingerprint: 'Fingerprint of the certificate' };
const root = '/tenant/tenants/{tenantId}/trusted-certificates';
const common = { permission: 'certificates:write', tag: 'Trusted certificates' } as const;

/** The certificates that a tenant trusts to vouch for its devices. */
export function certificateRoutes(services: HttpServices): Route[] {
	const { trusted } = services.access.certificates;

	return [
		route({
			...common,
			method: 'post',
			path: root,
			summary: 'Trust a certificate',
			description: 'One of an authority that signs those of devices, or that of a device itself.',
			params: ofTenant,
			query: z.object({ addToTrustStore: booleanParameter('Accepted, and always so').optional() }),
			body: jsonBody(newCertificateSchema),
			answers: { 201: { description: 'The trusted certificate', schema: certificateSchema } },
			refusals: ['access/invalid', 'access/conflict'],
			handler: async ({ principal, param, body, base }) => {
				const tenant = ownTenant(principal, param('tenantId'));
				const { certInPemFormat: pem, ...rest } = body;
				const added = await trusted.add(tenant, { pem, ...rest });
				return created(certificateJson(added, base));
			},
		}),
		route({
			...common,
			method: 'post',
			path: `${root}/bulk`,
			summary: 'Trust certificates, all or none',
			params: ofTenant,
			query: z.object({ addToTrustStore: booleanParameter('Accepted, and always so').optional() }),
			body: jsonBody(z.object({ certificates: z.array(newCertificateSchema).min(1).max(maxAtOnce) })),
			answers: {
				201: { description: 'The trusted certificates', schema: z.object({ certificates: z.array(certificateSchema) }) },
			},
			refusals: ['access/invalid', 'access/conflict'],
			handler: async ({ principal, param, body, base }) => {
				const tenant = ownTenant(principal, param('tenantId'));
				const given = body.certificates.map(({ certInPemFormat: pem, ...rest }) => ({ pem, ...rest }));
				const added = await trusted.addAll(tenant, given);
				return created({ certificates: added.map((each) => certificateJson(each, base)) });
			},
		}),
		route({
			...common,
			method: 'get',
			path: root,
			summary: 'List the trusted certificates',
			params: ofTenant,
			query: z.object({
				...pageParameters(services.options),
				certificateAuthority: booleanParameter('Only what the service itself signs with').optional(),
			}),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('certificates', certificateSchema) } },
			handler: async (call) => {
				const tenant = ownTenant(call.principal, call.param('tenantId'));
				const filter = call.query.certificateAuthority ? ({ isOwnAuthority: true } as const) : {};
				const { entries, frame } = await readPage(call, {
					find: (range) => trusted.list(tenant, range, filter),
					count: () => trusted.count(tenant, filter),
				});
				return ok({ certificates: entries.map((each) => certificateJson(each, call.base)), ...frame });
			},
		}),
		route({
			...common,
			method: 'get',
			path: `${root}/{fingerprint}`,
			summary: 'Read a trusted certificate',
			params: ofCertificate,
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The trusted certificate', schema: certificateSchema } },
			refusals: ['access/noCertificate'],
			handler: async ({ principal, param, base }) => {
				const tenant = ownTenant(principal, param('tenantId'));
				return ok(certificateJson(await trusted.get(tenant, param('fingerprint')), base));
			},
		}),
		route({
			...common,
			method: 'put',
			path: `${root}/{fingerprint}`,
			summary: 'Change how a certificate is trusted',
			description: 'Devices that it vouched for are disconnected when it is disabled. Other fields are ignored.',
			params: ofCertificate,
			query: noQuery,
			body: jsonBody(
				z.object({
					name: nameSchema.optional(),
					status: z.enum(certificateStatuses).optional(),
					autoRegistrationEnabled: z.boolean().optional(),
				}),
			),
			answers: { 200: { description: 'The trusted certificate', schema: certificateSchema } },
			refusals: ['access/noCertificate'],
			handler: async ({ principal, param, body, base }) => {
				const tenant = ownTenant(principal, param('tenantId'));
				const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
				const changed = await trusted.update(tenant, param('fingerprint'), given);
				return ok(certificateJson(changed, base));
			},
		}),
		route({
			...common,
			method: 'delete',
			path: `${root}/{fingerprint}`,
			summary: 'Trust a certificate no more',
			description: 'Devices that it vouched for are disconnected.',
			params: ofCertificate,
			query: noQuery,
			body: noBody,
			answers: { 204: { description: 'Removed' } },
			refusals: ['access/noCertificate'],
			handler: async ({ principal, param }) => {
				const tenant = ownTenant(principal, param('tenantId'));
				await trusted.remove(tenant, param('fingerprint'));
				return noContent;
			},
		}),
	];
}
