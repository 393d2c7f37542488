import { z } from 'zod';
import {
	certificateStatuses,
	describeCertificate,
	managementTenant,
	type Principal,
	type TrustedCertificate,
} from '../../access/index.ts';
import { formatTime } from '../../inventory/index.ts';
import { createAudit } from './audit.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { jsonBody } from './json-decode.ts';
import type { Json } from './managed-object-json.ts';
import { timeSchema } from './managed-object-schema.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { booleanParameter } from './query-values.ts';
import { readLimited } from './read-limited.ts';
import { created, noContent, ok } from './reply.ts';
import { noBody, noQuery, type Route, route } from './route.ts';

export const certificateSchema = z
	.object({
		self: z.string(),
		fingerprint: z.string().meta({ description: 'SHA-1, 40 hexadecimal digits' }),
		name: z.string(),
		status: z.enum(certificateStatuses),
		autoRegistrationEnabled: z.boolean(),
		certInPemFormat: z.string(),
		algorithmName: z.string(),
		subject: z.string(),
		issuer: z.string(),
		serialNumber: z.string().meta({ description: 'Decimal digits' }),
		version: z.int(),
		notBefore: timeSchema,
		notAfter: timeSchema,
		tenantCertificateAuthority: z.boolean().meta({ description: 'Whether the service itself signs with it' }),
		proofOfPossessionValid: z.boolean(),
		proofOfPossessionUnsignedVerificationCode: z.string().optional(),
		proofOfPossessionVerificationCodeUsableUntil: timeSchema.optional(),
	})
	.meta({ id: 'TrustedCertificate' });

const nameSchema = z.string().min(1).max(255);
const newCertificateSchema = z.object({
	name: nameSchema.default('certificate'),
	certInPemFormat: z.string().max(64 * 1024),
	status: z.enum(certificateStatuses).default('ENABLED'),
	autoRegistrationEnabled: z.boolean().default(false),
});

const listSchema = z
	.object({ thisUpdate: timeSchema, nextUpdate: timeSchema.optional(), entries: z.int() })
	.meta({ id: 'RevocationList' });
const listBytes = z.any().meta({
	description: 'A certificate revocation list (X.509 CRL) in DER or PEM',
	override: { type: 'string', format: 'binary' },
});

const maxAtOnce = 100;
const ofTenant = { tenantId: 'The tenant: the own one' };
const ofCertificate = { ...ofTenant, fingerprint: 'Fingerprint of the certificate' };
const root = '/tenant/tenants/{tenantId}/trusted-certificates';
const proofRoot = '/tenant/tenants/{tenantId}/trusted-certificates-pop/{fingerprint}';
const common = { permission: 'certificates:write', tag: 'Trusted certificates' } as const;

/** The certificates that a tenant trusts to vouch for its devices. */
export function certificateRoutes(services: HttpServices): Route[] {
	const { trusted, revocations } = services.access.certificates;
	const audit = createAudit(services.log);
	const { certificateListMaxBytes: listMaxBytes } = services.options;

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
				audit(principal, 'certificate trusted', auditFields(added));
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
				for (const each of added) audit(principal, 'certificate trusted', auditFields(each));
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
				audit(principal, 'trusted certificate changed', { ...auditFields(changed), ...given });
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
				audit(principal, 'certificate trusted no more', { fingerprint: param('fingerprint') });
				return noContent;
			},
		}),
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
			refusals: ['access/noCertificate', 'access/invalid', 'http/bodyTooLarge'],
			handler: async ({ principal, param, readStream }) => {
				const tenant = ownTenant(principal, param('tenantId'));
				const authority = await trusted.get(tenant, param('fingerprint'));
				const list = await revocations.put(authority, await readLimited(readStream(), listMaxBytes));
				const { entries, thisUpdate, nextUpdate } = list;
				audit(principal, 'revocation list uploaded', { ...auditFields(authority), entries });
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
			params: ofCertificate,
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The list in DER', schema: listBytes, mediaType: 'application/pkix-crl' } },
			refusals: ['access/noCertificate'],
			handler: async ({ principal, param }) => {
				const tenant = ownTenant(principal, param('tenantId'));
				const list = await revocations.get(await trusted.get(tenant, param('fingerprint')));
				return { status: 200, bytes: Buffer.from(list.der, 'base64'), type: 'application/pkix-crl' };
			},
		}),
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
				audit(principal, 'possession of a certificate proven', auditFields(proven));
				return ok(certificateJson(proven, base));
			},
		}),
		route({
			...common,
			method: 'post',
			path: `${proofRoot}/confirmed`,
			summary: 'Take a tenant’s word for its possession of the private key',
			description: 'Only for users of the management tenant.',
			params: { ...ofCertificate, tenantId: 'The tenant' },
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The certificate, proven', schema: certificateSchema } },
			refusals: ['access/noCertificate'],
			handler: async ({ principal, param, base }) => {
				if (principal.tenant !== managementTenant)
					throw new HttpError('http/forbidden', `Only users of the tenant '${managementTenant}' may confirm certificates`);
				const proven = await trusted.confirm(param('tenantId'), param('fingerprint'));
				audit(principal, 'possession of a certificate confirmed', { ofTenant: proven.tenant, ...auditFields(proven) });
				return ok(certificateJson(proven, base));
			},
		}),
	];
}

/** The tenant that the path names. @throws HttpError `http/forbidden` where it is not the caller's */
function ownTenant({ tenant }: Principal, named: string): string {
	if (named === tenant) return tenant;
	throw new HttpError(
		'http/forbidden',
		`The certificates of another tenant cannot be seen or changed: your tenant is '${tenant}'`,
	);
}

function auditFields({ fingerprint, name, status, autoRegistrationEnabled }: TrustedCertificate) {
	return { fingerprint, name, status, autoRegistrationEnabled };
}

/** A trusted certificate as it is answered. */
export function certificateJson(trusted: TrustedCertificate, base: string): Json {
	const { tenant, fingerprint, name, status, autoRegistrationEnabled, verificationCode, codeUsableUntil } = trusted;
	const { pem, algorithmName, subject, issuer, serialNumber, version, notBefore, notAfter } = describeCertificate(trusted);
	return {
		self: `${base}/tenant/tenants/${encodeURIComponent(tenant)}/trusted-certificates/${fingerprint}`,
		fingerprint,
		name,
		status,
		autoRegistrationEnabled,
		certInPemFormat: pem,
		algorithmName,
		subject,
		issuer,
		serialNumber: BigInt(`0x${serialNumber}`).toString(),
		version,
		notBefore: formatTime(notBefore),
		notAfter: formatTime(notAfter),
		tenantCertificateAuthority: trusted.isOwnAuthority ?? false,
		proofOfPossessionValid: trusted.isProven,
		...(verificationCode !== undefined && { proofOfPossessionUnsignedVerificationCode: verificationCode }),
		...(codeUsableUntil !== undefined && { proofOfPossessionVerificationCodeUsableUntil: formatTime(codeUsableUntil) }),
	};
}
