import { z } from 'zod';
import { hostOf } from './base-url.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { ok } from './reply.ts';
import { noBody, noParams, noQuery, type Route, route } from './route.ts';

/** Tokens for devices that have a client certificate. */
export function deviceTokenRoutes({ access }: HttpServices): Route[] {
	return [
		route({
			method: 'post',
			path: '/devicecontrol/deviceAccessToken',
			permission: 'mqtt:connect',
			summary: 'Get a token with a client certificate',
			description:
				'At HTTPS_DEVICES_PORT. Certificates between the own one and a trusted one may come in X-SSL-Cert-Chain. The token is what `s/uat` gives over MQTT.',
			tag: 'Device registration',
			params: noParams,
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The token', schema: z.object({ accessToken: z.string() }) } },
			handler: async ({ principal, login, base }) => {
				// A token must not be the way to the next one, or one that was stolen would last forever.
				if (!login.byCertificate)
					throw new HttpError('http/forbidden', 'Only a client certificate gives a token: send none of the other credentials');
				return ok({ accessToken: await access.tokens.issue(principal, hostOf(base)) });
			},
		}),
	];
}
