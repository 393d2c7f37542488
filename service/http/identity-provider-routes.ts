import { z } from 'zod';
import { unauthorized } from './auth.ts';
import { hostOf } from './base-url.ts';
import { readCookie, sessionCookies, setCookie } from './cookies.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import type { BegunLogin, IdentityProvider, IdentityProviders } from './identity-providers.ts';
import type { Reply } from './reply.ts';
import { type IncomingCall, noBody, noParams, publicRoute, type Route } from './route.ts';
import { createSessionAudit } from './session-audit.ts';

const path = '/tenant/oauth';
const loginCookie = 'oauth-login';
const purpose = 'login at a provider';

const query = z.object({
	provider: z.string().max(100).optional().meta({ description: 'Id of the provider; without it, the first one of the tenant' }),
	tenant_id: z.string().max(100).optional().meta({ description: 'Id of the tenant; without it, that of the host name' }),
	originUri: z
		.string()
		.max(2048)
		.optional()
		.meta({ description: 'Page of this service where the browser goes when it is logged in' }),
	state: z.string().max(2048).optional().meta({ description: 'Brought back from the provider, with `code` or `error`' }),
});

type Arrival = Pick<IncomingCall, 'base' | 'headers' | 'queryText' | 'address'>;

/** The way of a browser to another provider and back. */
export function identityProviderRoutes(services: HttpServices, { providers, begin, finish }: IdentityProviders): Route[] {
	const { access, options, log } = services;
	const audit = createSessionAudit({ audit: services.audit, log });

	return [
		publicRoute({
			method: 'get',
			path,
			summary: 'Log in at another provider',
			description:
				'Sends the browser to the provider (OpenID Connect, authorization code with PKCE), which sends it back here; then sets the cookies of `POST /tenant/oauth`.',
			tag: 'Login',
			params: noParams,
			query,
			body: noBody,
			answers: { 302: { description: 'To the provider, or back to the page that asked' } },
			refusals: ['http/unauthorized', 'http/forbidden', 'http/notFound'],
			handler: async (call) => (call.query.state === undefined ? goOut(call, call.query) : comeBack(call)),
		}),
	];

	async function goOut({ base }: Pick<IncomingCall, 'base'>, asked: z.infer<typeof query>): Promise<Reply> {
		const provider = find(asked.provider, asked.tenant_id ?? (await access.tenants.ofHost(hostOf(base))));
		const originUri = pageOf(base, asked.originUri ?? '/');
		const { address, ...begun } = await begin(provider, base + path);
		const kept = access.tokens.seal(purpose, { ...begun, originUri, provider: provider.id }, options.loginSeconds);
		const cookie = setCookie(loginCookie, kept, base, { path, httpOnly: true, maxAge: options.loginSeconds });
		return redirect(address, [cookie]);
	}

	async function comeBack({ base, headers, queryText, address }: Arrival): Promise<Reply> {
		const kept = await access.tokens.unseal(purpose, readCookie(headers.cookie, loginCookie) ?? '');
		const begun = kept && toBegun(kept);
		if (!begun)
			throw unauthorized(headers, 'Bad credentials: the login was begun in another browser, or too long ago: begin again');
		const provider = find(kept.provider, undefined);
		const principal = await finish(provider, queryText, begun).catch((error: unknown) => {
			// Who it was, only the provider knows.
			if (error instanceof HttpError)
				services.noteRefusedLogin({
					user: `${provider.tenant}/`,
					host: hostOf(base),
					reason: `${error.code} of the provider '${provider.id}'`,
					channel: 'http',
					address,
					call: `GET ${path}`,
				});
			throw error;
		});
		await audit(principal, 'logged in', { address, call: `GET ${path}`, provider: provider.id });
		const session = await access.tokens.issueSession(principal, hostOf(base));
		const cleared = setCookie(loginCookie, '', base, { path, httpOnly: true, maxAge: 0 });
		return redirect(pageOf(base, kept.originUri ?? '/'), [...sessionCookies(session, base), cleared]);
	}

	function find(id: string | undefined, tenant: string | undefined): IdentityProvider {
		const found = providers.find(
			(each) => (id === undefined || each.id === id) && (tenant === undefined || each.tenant === tenant),
		);
		if (!found) throw new HttpError('http/notFound', 'There is no such provider of logins in this tenant');
		return found;
	}
}

function toBegun({
	state,
	nonce,
	codeVerifier,
	redirectUri,
	provider,
}: Readonly<Record<string, string>>): BegunLogin | undefined {
	if (!state || !nonce || !codeVerifier || !redirectUri || !provider) return undefined;
	return { state, nonce, codeVerifier, redirectUri };
}

/** A page of this service only: nobody shall be led elsewhere by a link to here. @throws HttpError `http/badRequest` */
function pageOf(base: string, originUri: string): string {
	const page = URL.canParse(originUri, base) ? new URL(originUri, base) : undefined;
	if (page?.origin !== new URL(base).origin) throw new HttpError('http/badRequest', `originUri must be a page of ${base}`);
	return page.href;
}

function redirect(address: string, cookies: readonly string[]): Reply {
	return { status: 302, headers: { Location: address, 'Set-Cookie': cookies } };
}
