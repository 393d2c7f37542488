import { createRemoteJWKSet, decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import {
	type AuthorizationCodeGrantChecks,
	allowInsecureRequests,
	authorizationCodeGrant,
	buildAuthorizationUrl,
	ClientSecretPost,
	type Configuration,
	calculatePKCECodeChallenge,
	discovery,
	fetchUserInfo,
	None,
	randomNonce,
	randomPKCECodeVerifier,
	randomState,
} from 'openid-client';
import type { Logger } from 'pino';
import { type Access, bootstrapUser, deviceUserPrefix, type Principal, type Role, systemUser } from '../../access/index.ts';
import { HttpError } from './http-error.ts';

/** A provider of OpenID Connect, and what its people may do here. */
export interface IdentityProvider {
	readonly id: string;
	readonly name: string;
	readonly issuer: string;
	readonly clientId: string;
	readonly clientSecret?: string;
	/** For whom its tokens have to be made, so that they let in as Bearer; unset, none does. */
	readonly audience?: string;
	readonly scope: string;
	/** The claim that is the user name. */
	readonly userClaim: string;
	/** The claim, one text or a list, that is looked up in `roles`. */
	readonly rolesClaim: string;
	/** The first one that somebody has counts. */
	readonly roles: readonly (readonly [value: string, role: Role])[];
	readonly tenant: string;
}

/** What a browser keeps while its user is at the provider. */
export interface BegunLogin {
	readonly state: string;
	readonly nonce: string;
	readonly codeVerifier: string;
	readonly redirectUri: string;
}

interface Discovered {
	readonly configuration: Configuration;
	readonly keys: JWTVerifyGetKey;
}

type Claims = Readonly<Record<string, unknown>>;

export type IdentityProviders = ReturnType<typeof createIdentityProviders>;

// Signatures by a key that others cannot have; never by a secret that is shared.
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];

/** Logins at providers of OpenID Connect. A provider is looked at when it is first needed. */
export function createIdentityProviders(options: {
	readonly providers: readonly IdentityProvider[];
	readonly answerSeconds: number;
	readonly access: Access;
	readonly log: Logger;
}) {
	const { providers, answerSeconds, access, log } = options;
	const discovered = new Map<string, Promise<Discovered>>();

	/** Where a browser has to go, and what it has to bring back. @throws HttpError `http/unavailable` */
	async function begin(provider: IdentityProvider, redirectUri: string): Promise<BegunLogin & { readonly address: string }> {
		const { configuration } = await discover(provider);
		const begun = { state: randomState(), nonce: randomNonce(), codeVerifier: randomPKCECodeVerifier(), redirectUri };
		const address = buildAuthorizationUrl(configuration, {
			redirect_uri: redirectUri,
			scope: provider.scope,
			state: begun.state,
			nonce: begun.nonce,
			code_challenge: await calculatePKCECodeChallenge(begun.codeVerifier),
			code_challenge_method: 'S256',
		});
		return { ...begun, address: address.href };
	}

	/** Who came back from the provider. `query` is as the browser brings it. @throws HttpError `http/unauthorized`, `http/forbidden`, `http/unavailable` */
	async function finish(provider: IdentityProvider, query: string, begun: BegunLogin): Promise<Principal> {
		const { configuration } = await discover(provider);
		const checks: AuthorizationCodeGrantChecks = {
			expectedState: begun.state,
			expectedNonce: begun.nonce,
			pkceCodeVerifier: begun.codeVerifier,
			idTokenExpected: true,
		};
		const claims = await exchange(provider, configuration, new URL(`${begun.redirectUri}?${query}`), checks);
		return toUser(provider, claims);
	}

	async function exchange(
		provider: IdentityProvider,
		configuration: Configuration,
		address: URL,
		checks: AuthorizationCodeGrantChecks,
	): Promise<Claims> {
		try {
			const tokens = await authorizationCodeGrant(configuration, address, checks);
			const claims = tokens.claims() ?? { sub: '' };
			// Some providers put little into the token, and more into the answer to a question.
			const isComplete = provider.userClaim in claims && provider.rolesClaim in claims;
			if (isComplete || !configuration.serverMetadata().userinfo_endpoint) return claims;
			return { ...(await ask(provider, configuration, tokens.access_token, claims.sub)), ...claims };
		} catch (error) {
			const reason = error instanceof Error ? error.message : String(error);
			log.info({ provider: provider.id, reason, code: codeOf(error) }, 'login refused: the provider did not confirm it');
			throw new HttpError(
				'http/unauthorized',
				`Bad credentials: the provider '${provider.id}' did not confirm the login: begin again`,
			);
		}
	}

	// Access tokens that are made for somebody else open no such answers; what is missing then is refused by its name.
	async function ask({ id }: IdentityProvider, configuration: Configuration, token: string, sub: string): Promise<Claims> {
		try {
			return await fetchUserInfo(configuration, token, sub);
		} catch (error) {
			log.info({ err: error, provider: id }, 'a provider of logins does not tell more about a user');
			return {};
		}
	}

	/** Who a token of a provider stands for, or `undefined` where none of them made it for this service. @throws HttpError `http/forbidden`, `http/unavailable` */
	async function verifyToken(token: string): Promise<Principal | undefined> {
		const issuer = issuerOf(token);
		const provider = issuer === undefined ? undefined : providers.find((each) => each.issuer === issuer);
		if (provider?.audience === undefined) return undefined;
		const { keys } = await discover(provider);
		const { issuer: by, audience } = provider;
		try {
			const checks = { issuer: by, audience, algorithms, requiredClaims: ['exp', 'sub'] };
			return await toUser(provider, (await jwtVerify(token, keys, checks)).payload);
		} catch (error) {
			if (error instanceof errors.JWKSTimeout) throw unreachable(provider, error);
			if (error instanceof errors.JOSEError) return undefined;
			throw error;
		}
	}

	async function toUser(provider: IdentityProvider, claims: Claims): Promise<Principal> {
		const { tenant, userClaim, rolesClaim, id } = provider;
		const userName = claims[userClaim];
		const { sub } = claims;
		if (typeof userName !== 'string' || !isUserName(userName) || typeof sub !== 'string')
			throw new HttpError('http/forbidden', `The claim '${userClaim}' must be a user name without white space, slash and colon`);
		const held: unknown[] = [claims[rolesClaim]].flat();
		// Before anything is written: a tenant that is closed, or goes, gets no users and changes none.
		if (!(await access.tenants.isActive(tenant))) throw disabled(userName);
		const [, role] = provider.roles.find(([value]) => held.includes(value)) ?? [];
		const identity = `${id}/${sub}`;
		if (role === undefined) {
			await access.users.endExternal(tenant, userName, identity);
			throw new HttpError('http/forbidden', `Nothing in the claim '${rolesClaim}' lets '${userName}' in: ask an administrator`);
		}
		const user = await access.users.setExternal(tenant, userName, role, identity);
		if (!user) throw new HttpError('http/forbidden', `The name '${userName}' is that of another user here`);
		const principal = await access.users.admitted(user);
		if (!principal) throw disabled(userName);
		return principal;
	}

	function discover(provider: IdentityProvider): Promise<Discovered> {
		const known = discovered.get(provider.id);
		if (known) return known;
		const discovering = look(provider);
		discovered.set(provider.id, discovering);
		// The next one who needs it tries again.
		discovering.catch(() => discovered.delete(provider.id));
		return discovering;
	}

	async function look(provider: IdentityProvider): Promise<Discovered> {
		const { issuer, clientId, clientSecret } = provider;
		const url = new URL(issuer);
		const execute = url.protocol === 'http:' ? [allowInsecureRequests] : [];
		const authentication = clientSecret === undefined ? None() : ClientSecretPost(clientSecret);
		const found = { execute, timeout: answerSeconds };
		try {
			const configuration = await discovery(url, clientId, undefined, authentication, found);
			const { jwks_uri } = configuration.serverMetadata();
			if (jwks_uri === undefined) throw new Error('it names no jwks_uri');
			const keys = createRemoteJWKSet(new URL(jwks_uri), { timeoutDuration: answerSeconds * 1000 });
			return { configuration, keys };
		} catch (error) {
			throw unreachable(provider, error);
		}
	}

	function unreachable({ id, issuer }: IdentityProvider, error: unknown): HttpError {
		log.warn({ err: error, provider: id, issuer }, 'a provider of logins cannot be reached');
		return new HttpError('http/unavailable', `The provider '${id}' cannot be reached: try again, or log in by another way`);
	}

	return { providers, begin, finish, verifyToken };
}

function disabled(userName: string): HttpError {
	return new HttpError('http/forbidden', `The user '${userName}', or its tenant, is disabled here`);
}

function issuerOf(token: string): string | undefined {
	try {
		const { iss }: JWTPayload = decodeJwt(token);
		return iss;
	} catch (error) {
		if (error instanceof errors.JWTInvalid) return undefined;
		throw error;
	}
}

// Names of devices and of the service itself are nobody's else.
function isUserName(text: string): boolean {
	const isOfService = text === bootstrapUser || text.toLowerCase() === systemUser;
	return /^[^\s/:\p{Cc}\p{Cs}]{1,255}$/u.test(text) && !text.startsWith(deviceUserPrefix) && !isOfService;
}

function codeOf(error: unknown): unknown {
	return error instanceof Error && 'code' in error ? error.code : undefined;
}
