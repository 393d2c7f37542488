import { z } from 'zod';
import { formatTime } from '../../inventory/index.ts';
import { ownTenant } from './certificate-json.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { timeSchema } from './managed-object-schema.ts';
import { readLimited } from './read-limited.ts';
import { ok } from './reply.ts';
import { noBody, noQuery, type Route, route } from './route.ts';

const listSchema = z
	.object({ thisUpdate: timeSchema, nextUpdate: timeSchema.optional(), entries: z.int() })
	.meta({ id: 'RevocationList' });
const listBytes = z.any().meta({
	description: 'A certificate revocation list (X.509 CRL) in DER or PEM',
	override: { type: 'string', format: 'binary' },
});

const ofCertificate = { tenantId: 'The tenant: the own one', fingerprint: 'Fingerprint of the certificate' };
const root = '/tenant/tenants/{tenantId}/trusted-certificates';
const common = { permission: 'certificates:write', tag: 'Trusted certificates' } as const;

/** What authorities have taken back. */
export function revocationListRoutes({ access, options }: HttpServices): Route[] {
	const { trusted, revocations, authorities } = access.certificates;
	const { certificateListMaxBytes: listMaxBytes } = options;

	return [
		route({
			...common,
			method: 'put',
			path: `${root}/{fingerprint}/crl`,
			summary: 'Upload the revocation list of an authority',
			description: 'Signed by it, and not older than the one there is. Devices whose certificates it names are disconnected.',
			params: ofCertificate,
			query: noQuery,
			body: noBody,
			upload: { 'application/pkix-crl': listBytes, 'application/x-pem-file': listBytes, '*/*': listBytes },
			answers: { 200: { description: 'What the list says', schema: listSchema } },
			refusals: ['access/noCertificate', 'access/invalid', 'http/bodyTooLarge', 'http/invalidBody'],
			handler: async ({ principal, param, readStream }) => {
				const tenant = ownTenant(principal, param('tenantId'));
				const authority = await trusted.get(tenant, param('fingerprint'));
				if (authority.isOwnAuthority)
					throw new HttpError(
						'http/invalidBody',
						'The service itself keeps the list of this authority: take certificates back with PUT /certificate-authority/certificates/{serialNumber}',
					);
				const list = await revocations.put(authority, await readLimited(readStream(), listMaxBytes));
				const { entries, thisUpdate, nextUpdate } = list;
				return ok({
					thisUpdate: formatTime(thisUpdate),
					...(nextUpdate !== null && { nextUpdate: formatTime(nextUpdate) }),
					entries,
				});
			},
		}),
		route({
			...common,
			method: 'get',
			path: `${root}/{fingerprint}/crl`,
			summary: 'Read the revocation list of an authority',
			description: 'As it was uploaded; that of the service’s own authority is signed anew, and good for a day.',
			params: ofCertificate,
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The list in DER', schema: listBytes, mediaType: 'application/pkix-crl' } },
			refusals: ['access/noCertificate', 'access/noSecret'],
			handler: async ({ principal, param }) => {
				const tenant = ownTenant(principal, param('tenantId'));
				const authority = await trusted.get(tenant, param('fingerprint'));
				const bytes = authority.isOwnAuthority
					? await authorities.revocationList(tenant)
					: Buffer.from((await revocations.get(authority)).der, 'base64');
				return { status: 200, bytes, type: 'application/pkix-crl' };
			},
		}),
	];
}
