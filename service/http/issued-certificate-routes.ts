import { z } from 'zod';
import { type IssuedCertificate, issuedStatuses } from '../../access/index.ts';
import { formatTime } from '../../inventory/index.ts';
import type { HttpServices } from './http-options.ts';
import { jsonBody } from './json-decode.ts';
import type { Json } from './managed-object-json.ts';
import { timeSchema } from './managed-object-schema.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { ok } from './reply.ts';
import { noBody, noParams, noQuery, type Route, route } from './route.ts';

const issuedSchema = z
	.object({
		serialNumber: z.string().meta({ description: 'Hexadecimal digits' }),
		deviceId: z.string().meta({ description: 'Its common name: the external id of the device' }),
		status: z.enum(issuedStatuses),
		isRenewal: z.boolean().meta({ description: 'Whether the device asked for it with what it had' }),
		authorityFingerprint: z.string(),
		issueTime: timeSchema,
		notAfter: timeSchema,
		revocationTime: timeSchema.optional(),
		self: z.string(),
	})
	.meta({ id: 'IssuedCertificate' });

const root = '/certificate-authority/certificates';
const common = { permission: 'certificates:write', tag: 'Certificates of devices' } as const;
const one = { params: { serialNumber: 'Serial number of the certificate, in hexadecimal digits' }, query: noQuery } as const;
const answers = { 200: { description: 'The certificate', schema: issuedSchema } };

/** What the certificate authority of the tenant has signed, and takes back. */
export function issuedCertificateRoutes({ access, options }: HttpServices): Route[] {
	const { issued } = access.certificates;

	return [
		route({
			...common,
			method: 'get',
			path: root,
			summary: 'List the certificates that the service has signed for devices',
			description:
				'The newest first, until 90 days after they have expired; of those the newest DEVICE_CERTIFICATES_MAX of each device.',
			params: noParams,
			query: z.object({
				...pageParameters(options),
				deviceId: z.string().optional().meta({ description: 'Only those of this device, by its external id' }),
				status: z.enum(issuedStatuses).optional().meta({ description: 'Only those with this status' }),
			}),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('certificates', issuedSchema) } },
			handler: async (call) => {
				const { tenant } = call.principal;
				const { deviceId: device, status } = call.query;
				const filter = { ...(device !== undefined && { device }), ...(status !== undefined && { status }) };
				const { entries, frame } = await readPage(call, {
					find: (range) => issued.list(tenant, filter, range),
					count: () => issued.count(tenant, filter),
				});
				return ok({ certificates: entries.map((each) => issuedJson(each, call.base)), ...frame });
			},
		}),
		route({
			...common,
			...one,
			method: 'get',
			path: `${root}/{serialNumber}`,
			summary: 'Read what became of a certificate that the service has signed',
			body: noBody,
			answers,
			refusals: ['access/noCertificate'],
			handler: async ({ principal, param, base }) =>
				ok(issuedJson(await issued.get(principal.tenant, param('serialNumber')), base)),
		}),
		route({
			...common,
			...one,
			method: 'put',
			path: `${root}/{serialNumber}`,
			summary: 'Take back a certificate that the service has signed',
			description:
				'Connections with it, and all tokens of its device, end within seconds. With another certificate, or with its password, the device comes in again. What was taken back stays so.',
			body: jsonBody(z.object({ status: z.literal('REVOKED') })),
			answers,
			refusals: ['access/noCertificate', 'access/conflict', 'http/invalidBody'],
			handler: async ({ principal, param, base }) =>
				ok(issuedJson(await issued.revoke(principal.tenant, param('serialNumber')), base)),
		}),
	];
}

function issuedJson(issued: IssuedCertificate, base: string): Json {
	const { serialNumber, device, status, isRenewal, authority, issueTime, notAfter, revocationTime } = issued;
	return {
		serialNumber,
		deviceId: device,
		status,
		isRenewal,
		authorityFingerprint: authority,
		issueTime: formatTime(issueTime),
		notAfter: formatTime(notAfter),
		...(revocationTime !== undefined && { revocationTime: formatTime(revocationTime) }),
		self: `${base}${root}/${serialNumber}`,
	};
}
