import { z } from 'zod';
import { certificateJson, certificateSchema, ownTenant } from './certificate-json.ts';
import type { HttpServices } from './http-options.ts';
import { jsonBody } from './json-decode.ts';
import { ok } from './reply.ts';
import { noBody, noQuery, type Route, route } from './route.ts';

const ofCertificate = { tenantId: 'The tenant: the own one', fingerprint: 'Fingerprint of the certificate' };
const proofRoot = '/tenant/tenants/{tenantId}/trusted-certificates-pop/{fingerprint}';
const common = { permission: 'certificates:write', tag: 'Trusted certificates' } as const;

/** How a tenant proves that it has the private key of a certificate. */
export function certificateProofRoutes({ access }: HttpServices): Route[] {
	const { trusted } = access.certificates;

	return [
		route({
			...common,
			method: 'post',
			path: `${proofRoot}/verification-code`,
			summary: 'Get a new code to prove the possession of the private key with',
			params: ofCertificate,
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The certificate, with the code', schema: certificateSchema } },
			refusals: ['access/noCertificate'],
			handler: async ({ principal, param, base }) => {
				const tenant = ownTenant(principal, param('tenantId'));
				return ok(certificateJson(await trusted.createCode(tenant, param('fingerprint')), base));
			},
		}),
		route({
			...common,
			method: 'post',
			path: `${proofRoot}/pop`,
			summary: 'Prove the possession of the private key',
			description: 'With the verification code, signed with SHA-256, in base64.',
			params: ofCertificate,
			query: noQuery,
			body: jsonBody(z.object({ proofOfPossessionSignedVerificationCode: z.string().max(8192) })),
			answers: { 200: { description: 'The certificate, proven', schema: certificateSchema } },
			refusals: ['access/noCertificate', 'access/notProven'],
			handler: async ({ principal, param, body, base }) => {
				const tenant = ownTenant(principal, param('tenantId'));
				const signature = body.proofOfPossessionSignedVerificationCode;
				const proven = await trusted.prove(tenant, param('fingerprint'), signature);
				return ok(certificateJson(proven, base));
			},
		}),
		route({
			...common,
			method: 'post',
			path: `${proofRoot}/confirmed`,
			permission: 'tenants:write',
			summary: 'Take a tenant’s word for its possession of the private key',
			description: 'Only for users of the management tenant, who may change other tenants.',
			params: { ...ofCertificate, tenantId: 'The tenant' },
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The certificate, proven', schema: certificateSchema } },
			refusals: ['access/noCertificate'],
			handler: async ({ param, base }) => {
				const proven = await trusted.confirm(param('tenantId'), param('fingerprint'));
				return ok(certificateJson(proven, base));
			},
		}),
	];
}
