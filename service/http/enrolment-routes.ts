import { z } from 'zod';
import { AccessError, deviceUserPrefix, type Principal } from '../../access/index.ts';
import { actAs } from '../../audit/index.ts';
import { basicCredentials } from './auth.ts';
import { hostOf } from './base-url.ts';
import { certificateJson, certificateSchema } from './certificate-json.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { readLimited } from './read-limited.ts';
import { created, type Reply } from './reply.ts';
import { noBody, noParams, noQuery, publicRoute, type Route, route } from './route.ts';

const enrolPath = '/.well-known/est/simpleenroll';
const requestMaxBytes = 64 * 1024;
const requestSchema = z
	.any()
	.meta({ description: 'A certificate signing request (PKCS #10) in base64', override: { type: 'string' } });
const upload = { 'application/pkcs10': requestSchema, '*/*': requestSchema };
const answer = { description: 'Certificates (PKCS #7) in base64', schema: z.string(), mediaType: 'application/pkcs7-mime' };
const tag = 'Certificates of devices';
const common = { tag, params: noParams, query: noQuery, body: noBody } as const;

/** Certificates that the service signs for devices: enrolment over secure transport. [RFC 7030] */
export function enrolmentRoutes({ access, noteRefusedLogin, log }: HttpServices): Route[] {
	const { authorities } = access.certificates;

	return [
		route({
			...common,
			method: 'post',
			path: '/certificate-authority',
			permission: 'certificates:write',
			summary: 'Make the certificate authority of the tenant',
			description: 'The service makes its key, keeps it encrypted, and trusts its certificate.',
			answers: { 201: { description: 'Its certificate', schema: certificateSchema } },
			refusals: ['access/conflict', 'access/noSecret'],
			handler: async ({ principal, base }) => {
				const made = await authorities.create(principal.tenant);
				return created(certificateJson(made, base));
			},
		}),
		route({
			...common,
			method: 'post',
			path: '/certificate-authority/renew',
			permission: 'certificates:write',
			summary: 'Make a new certificate for the key of the certificate authority',
			description: 'What it has signed stays good.',
			answers: { 201: { description: 'Its certificate', schema: certificateSchema } },
			refusals: ['access/noCertificate', 'access/conflict', 'access/noSecret'],
			handler: async ({ principal, base }) => {
				const made = await authorities.renew(principal.tenant);
				return created(certificateJson(made, base));
			},
		}),
		publicRoute({
			...common,
			method: 'post',
			path: enrolPath,
			summary: 'Get a certificate with the one-time password of a registration',
			description: 'Basic authentication with the external id of the device and its one-time password.',
			upload,
			answers: { 200: answer },
			refusals: [
				'http/unauthorized',
				'http/bodyTooLarge',
				'access/wrongOneTimePassword',
				'access/throttled',
				'access/conflict',
				'access/invalid',
				'access/noCertificate',
				'access/noSecret',
			],
			handler: async ({ headers, address, base, readStream }) => {
				const credentials = basicCredentials(headers);
				if (!credentials)
					throw new HttpError('http/unauthorized', 'Send the external id and the one-time password as Basic authentication', {
						headers: { 'WWW-Authenticate': 'Basic realm="est"' },
					});
				const request = await readLimited(readStream(), requestMaxBytes);
				const { user: serial, password: oneTimePassword } = credentials;
				const origin = { channel: 'http', address, call: `POST ${enrolPath}` } as const;
				const sign = (of: string) => authorities.sign(of, serial, request);
				const { tenant, pkcs7 } = await access.registration
					.enrol({ serial, oneTimePassword, address }, sign, (device, work) =>
						actAs({ ...device, ...origin, isDevice: true }, work),
					)
					.catch(async (error: unknown) => {
						if (error instanceof AccessError) await noteRefused(serial, error, { address, base });
						const reason = error instanceof Error ? error.message : '';
						log.info({ address, serial: serial.slice(0, 100), reason }, 'enrolment refused');
						throw error;
					});
				log.info({ tenant, address, serial }, 'device enrolled: it got a certificate');
				return certificatesReply(pkcs7);
			},
		}),
		route({
			...common,
			method: 'post',
			path: '/.well-known/est/simplereenroll',
			permission: 'mqtt:connect',
			summary: 'Get a new certificate, as a device that is logged in',
			description: 'With its client certificate at HTTPS_DEVICES_PORT, its token or its password.',
			upload,
			answers: { 200: answer },
			refusals: ['http/bodyTooLarge', 'access/conflict', 'access/invalid', 'access/noCertificate', 'access/noSecret'],
			handler: async ({ principal, readStream }) => {
				const serial = serialOf(principal);
				const request = await readLimited(readStream(), requestMaxBytes);
				return certificatesReply(await access.certificates.renewFor(principal.tenant, serial, request));
			},
		}),
		route({
			...common,
			method: 'get',
			path: '/.well-known/est/cacerts',
			permission: 'tenant:read',
			summary: 'Read the certificate of the tenant’s certificate authority',
			answers: { 200: answer },
			refusals: ['access/noCertificate'],
			handler: async ({ principal }) => certificatesReply(await authorities.certificates(principal.tenant)),
		}),
	];

	/** For those to see who expect the device, else for the tenant of the host name. */
	async function noteRefused(
		serial: string,
		{ code: reason }: AccessError,
		{ address, base }: { readonly address: string; readonly base: string },
	): Promise<void> {
		const tenant = await access.registration.findTenant(serial);
		const userName = deviceUserPrefix + serial;
		const user = tenant === undefined ? userName : `${tenant}/${userName}`;
		noteRefusedLogin({ user, host: hostOf(base), reason, channel: 'http', address, call: `POST ${enrolPath}` });
	}
}

function serialOf({ serial }: Principal): string {
	if (serial !== undefined) return serial;
	throw new HttpError('http/forbidden', 'Only a device gets a certificate, and only for itself');
}

function certificatesReply(pkcs7: Buffer): Reply {
	const lines = pkcs7.toString('base64').match(/.{1,64}/g) ?? [];
	return {
		status: 200,
		bytes: `${lines.join('\n')}\n`,
		type: 'application/pkcs7-mime; smime-type=certs-only',
		headers: { 'Content-Transfer-Encoding': 'base64' },
	};
}
