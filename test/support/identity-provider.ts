import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';

export const clientId = 'dsm';
export const clientSecret = 'secret-of-the-client-with-32-letters';
/** For whom the provider makes tokens that are JWTs. */
export const audience = 'https://dsm.example.com';

/** People at the provider, by the name with which they log in there. */
export interface Person {
	readonly sub: string;
	readonly preferred_username: string;
	readonly groups: string | readonly string[];
}

export type TestIdentityProvider = Awaited<ReturnType<typeof openIdentityProvider>>;

/**
 * A provider of OpenID Connect on a free port of the loopback (`oidc-provider` from npm). Whoever comes with a browser is `visitor`.
 * `givesJwts`: access tokens are JWTs for `audience`, and the identity token has all claims; otherwise both have to be asked for.
 */
export async function openIdentityProvider(people: ReadonlyMap<string, Person>, { givesJwts = true } = {}) {
	// The issuer has the port in it, which is known only when the server listens.
	const server = createServer((request, response) => void handle(request, response)).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const redirectUris: string[] = ['http://127.0.0.1/tenant/oauth'];
	const { privateKey } = await generateKeyPair('RS256', { extractable: true });
	const provider = new Provider(issuer, {
		adapter: createMemory(),
		clients: [
			{
				client_id: clientId,
				client_secret: clientSecret,
				redirect_uris: redirectUris,
				application_type: 'native',
				token_endpoint_auth_method: 'client_secret_post',
			},
		],
		jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'first' }] },
		claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
		conformIdTokenClaims: !givesJwts,
		findAccount: (_context, accountId) => {
			const person = personOf(accountId);
			return person && { accountId, claims: () => ({ ...person }) };
		},
		extraTokenClaims: (_context, token) => {
			const person = 'accountId' in token ? personOf(token.accountId) : undefined;
			return person && { preferred_username: person.preferred_username, groups: person.groups };
		},
		loadExistingGrant: async ({ oidc }) => {
			const grant = new provider.Grant({ clientId, accountId: oidc.session?.accountId ?? '' });
			grant.addOIDCScope('openid profile email');
			grant.addResourceScope(audience, 'openid profile email');
			await grant.save();
			return grant;
		},
		interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
		features: {
			devInteractions: { enabled: false },
			resourceIndicators: {
				enabled: givesJwts,
				defaultResource: () => audience,
				useGrantedResource: () => true,
				getResourceServerInfo: () => ({
					scope: 'openid profile email',
					audience,
					accessTokenFormat: 'jwt',
					jwt: { sign: { alg: 'RS256' } },
				}),
			},
		},
		cookies: { keys: ['a key for the cookies of the provider in tests'] },
		ttl: { AccessToken: 3600, AuthorizationCode: 60, IdToken: 3600, Interaction: 600, Session: 3600, Grant: 3600 },
		pkce: { required: () => true },
	});
	const callback = provider.callback();
	const state = { visitor: '' };

	async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
		if (!request.url?.startsWith('/interaction/')) return callback(request, response);
		const result =
			state.visitor === '' ? { error: 'access_denied' } : { login: { accountId: personNamed(state.visitor).sub }, consent: {} };
		await provider.interactionFinished(request, response, result);
	}

	function personOf(sub: string | undefined): Person | undefined {
		return [...people.values()].find((person) => person.sub === sub);
	}

	function personNamed(name: string): Person {
		const person = people.get(name);
		if (!person) throw new Error(`nobody is called ${name}`);
		return person;
	}

	/** A token, signed by the provider's own key, that says what a test wants. */
	async function sign(claims: JWTPayload, header: Readonly<Record<string, string>> = {}): Promise<string> {
		const now = Math.floor(Date.now() / 1000);
		const usual = {
			iss: issuer,
			aud: audience,
			sub: 'sub-alice',
			preferred_username: 'alice',
			groups: ['ops'],
			iat: now,
			exp: now + 60,
		};
		return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: 'RS256', kid: 'first', ...header }).sign(privateKey);
	}

	return {
		issuer,
		state,
		sign,
		close: () => {
			server.closeAllConnections();
			server.close();
		},
	};
}

/** Where the provider keeps things. Its own memory is for all providers of a process, and warns each time. */
function createMemory(): (model: string) => Adapter {
	const all = new Map<string, AdapterPayload>();
	const findWhere = async (holds: (payload: AdapterPayload) => boolean) => [...all.values()].find(holds);
	return (model) => ({
		upsert: async (id, payload) => void all.set(`${model} ${id}`, payload),
		find: async (id) => all.get(`${model} ${id}`),
		findByUid: (uid) => findWhere((payload) => payload.uid === uid),
		findByUserCode: (userCode) => findWhere((payload) => payload.userCode === userCode),
		consume: async (id) => void Object.assign(all.get(`${model} ${id}`) ?? {}, { consumed: Math.floor(Date.now() / 1000) }),
		destroy: async (id) => void all.delete(`${model} ${id}`),
		revokeByGrantId: async (grantId) => {
			for (const [key, payload] of all) if (payload.grantId === grantId) all.delete(key);
		},
	});
}

/** A browser as far as logins go: it keeps cookies by host and port, and follows redirects. */
export function createBrowser() {
	const jars = new Map<string, Map<string, string>>();

	/** Goes to an address and on, until an answer is none of these redirects, or leads to an address that `stop` holds for. */
	async function visit(
		address: string,
		stop: (next: URL) => boolean = () => false,
	): Promise<{ readonly status: number; readonly url: string; readonly text: string }> {
		let url = new URL(address);
		for (let hop = 0; hop < 10; hop++) {
			const jar = jars.get(url.host) ?? new Map<string, string>();
			jars.set(url.host, jar);
			const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
			const answer = await fetch(url, { redirect: 'manual', headers: { cookie } });
			for (const line of answer.headers.getSetCookie()) {
				const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
				if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(name);
				else jar.set(name, value);
			}
			const next = answer.headers.get('location');
			const text = await answer.text();
			if (next === null) return { status: answer.status, url: url.href, text };
			url = new URL(next, url);
			if (stop(url)) return { status: answer.status, url: url.href, text };
		}
		throw new Error(`redirected again and again, last to ${url.href}`);
	}

	const cookie = (base: string, name: string): string | undefined => jars.get(new URL(base).host)?.get(name);
	return { visit, cookie, jarOf: (base: string) => jars.get(new URL(base).host) };
}
