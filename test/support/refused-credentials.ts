import { createPublicKey, createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { openAccess, type Principal } from '../../access/index.ts';
import { accessSettings } from './access-settings.ts';
import { basic } from './checked-http-client.ts';
import { credentials, type HttpFixture, openHttpFixture, otherTenant, tenant } from './http-fixture.ts';
import { openTestStore } from './test-store.ts';

type Headers = Readonly<Record<string, string>>;

/** What somebody shows who is not to be let in. */
export interface RefusedCredentials {
	readonly headers: Headers;
	/** It was good before something was done: tested, so that it is refused for that alone. */
	readonly wasGood: boolean;
}

const lifetimeSeconds = 30 * 86_400;
const tokens = { ...accessSettings.tokens, algorithm: 'ES256', lifetimeSeconds, sessionSeconds: lifetimeSeconds } as const;
const stranger = 'https://idp.example.com';
const closed = ['suspended', 'deleted'] as const;

/** THE list of credentials that open nothing, by what is wrong with them. */
export const refusedCredentials = [
	'nothing',
	'an empty header',
	'an unknown scheme',
	'a wrong password',
	'an unknown user',
	'an unknown tenant',
	'a password of another tenant',
	'a former password',
	'the password of a disabled user',
	'the password of a removed user',
	'the password of a suspended tenant',
	'the password of a deleted tenant',
	'an expired token',
	'a token with the signature of another key',
	'a token with other claims than were signed',
	'a token without a signature',
	'a token with alg none',
	'a token with alg none and a signature',
	'a token with the public key for a secret',
	'a token with the public key in DER for a secret',
	'a token of another service',
	'a token of a provider that is not configured',
	'a text that the service sealed for something else',
	'a token from before the password was changed',
	'a token of a disabled user',
	'a token of a removed user',
	'a token of a suspended tenant',
	'a token of a deleted tenant',
	'a token that was logged out',
	'cookies of a session that was logged out',
	'cookies with an expired token',
	'cookies with a token that was made for none',
] as const;
export type RefusedCredential = (typeof refusedCredentials)[number];

/** A service, and credentials that are no good there. A provider of logins is configured, and never asked. */
export async function openRefusedCredentials() {
	const provider = { id: 'idp', name: 'A provider', clientId: 'c', scope: 'openid', userClaim: 'sub', rolesClaim: 'groups' };
	const identityProviders = [
		{ ...provider, issuer: 'https://known.example.com', audience: 'a', roles: [['ops', 'admin'] as const], tenant: otherTenant },
	];
	const fixture = await openHttpFixture({ identityProviders }, { access: { tokens } });
	const { access } = fixture.services;
	const admin: Principal = { tenant, userName: 'admin', role: 'admin' };
	const expired = await access.tokens.issue(admin, 'localhost');
	const expiredSession = await access.tokens.issueSession(admin, 'localhost');
	const isGood = async (headers: Headers) =>
		(await fixture.call(undefined, 'get', '/tenant/currentTenant', { headers })).status === 200;
	const good = new Set<Headers>();
	const spoilt = async (headers: Headers) => {
		if (await isGood(headers)) good.add(headers);
		return headers;
	};
	const bearer = (token: string): Headers => ({ Authorization: `Bearer ${token}` });
	const password = (text: string): Headers => ({ Authorization: basic(text) });
	const cookies = ({ token, xsrfToken }: { readonly token: string; readonly xsrfToken: string }): Headers => ({
		Cookie: `authorization=${token}; XSRF-TOKEN=${xsrfToken}`,
		'X-XSRF-TOKEN': xsrfToken,
	});
	const expiring = [await spoilt(bearer(expired)), await spoilt(cookies(expiredSession))] as const;
	fixture.time += (lifetimeSeconds + 1) * 1000;

	/** The password and a token of an administrator, which are good now. */
	async function administrator(of: string, userName: string) {
		await access.users.set(of, userName, 'a-password-of-somebody', 'admin');
		return {
			password: await spoilt(password(`${of}/${userName}:a-password-of-somebody`)),
			token: await spoilt(bearer(await access.tokens.issue({ tenant: of, userName, role: 'admin' }, 'localhost'))),
		};
	}
	for (const each of closed) await access.tenants.ensure(each);
	const [former, disabled, removed] = [
		await administrator(tenant, 'former'),
		await administrator(tenant, 'disabled'),
		await administrator(tenant, 'removed'),
	];
	const [suspendedTenant, deletedTenant] = [await administrator('suspended', 'boss'), await administrator('deleted', 'boss')];
	const ended = await access.tokens.issueSession(admin, 'localhost');
	const endedHeaders = [await spoilt(bearer(ended.token)), await spoilt(cookies(ended))] as const;

	await access.users.set(tenant, 'former', 'another-password-of-somebody', 'admin');
	await fixture.call('admin', 'put', `/user/${tenant}/users/disabled`, { body: { enabled: false } });
	await access.users.remove(tenant, 'removed');
	await access.tenants.change('suspended', { status: 'SUSPENDED' });
	await access.tenants.remove('deleted');
	await fixture.call(undefined, 'post', '/user/logout', { headers: endedHeaders[1] });

	const forged = await forge(fixture, admin);
	const headersOf: Readonly<Record<RefusedCredential, Headers>> = {
		nothing: {},
		'an empty header': { Authorization: ' ' },
		'an unknown scheme': { Authorization: 'Digest username="admin"' },
		'a wrong password': password(credentials.wrongPassword),
		'an unknown user': password(`${tenant}/unknown:admin-password`),
		'an unknown tenant': password('unknown/admin:admin-password'),
		'a password of another tenant': password(`${otherTenant}/admin:admin-password`),
		'a former password': former.password,
		'the password of a disabled user': disabled.password,
		'the password of a removed user': removed.password,
		'the password of a suspended tenant': suspendedTenant.password,
		'the password of a deleted tenant': deletedTenant.password,
		'an expired token': expiring[0],
		'a token with the signature of another key': bearer(forged.byAnotherKey),
		'a token with other claims than were signed': bearer(forged.changed),
		'a token without a signature': bearer(forged.unsigned),
		'a token with alg none': bearer(forged.none),
		'a token with alg none and a signature': bearer(forged.noneSigned),
		'a token with the public key for a secret': bearer(forged.byPublicKey),
		'a token with the public key in DER for a secret': bearer(forged.byPublicKeyInDer),
		'a token of another service': bearer(forged.byAnotherService),
		'a token of a provider that is not configured': bearer(forged.byStranger),
		'a text that the service sealed for something else': bearer(
			access.tokens.seal('a login', { ten: tenant, sub: 'admin' }, 1e6),
		),
		'a token from before the password was changed': former.token,
		'a token of a disabled user': disabled.token,
		'a token of a removed user': removed.token,
		'a token of a suspended tenant': suspendedTenant.token,
		'a token of a deleted tenant': deletedTenant.token,
		'a token that was logged out': endedHeaders[0],
		'cookies of a session that was logged out': endedHeaders[1],
		'cookies with an expired token': expiring[1],
		'cookies with a token that was made for none': cookies({ token: await access.tokens.issue(admin, 'h'), xsrfToken: 'x' }),
	};
	const find = (name: RefusedCredential): RefusedCredentials => ({
		headers: headersOf[name],
		wasGood: good.has(headersOf[name]),
	});
	return { fixture, find, isGood };
}

/** Tokens that say what a good one says, and were not signed by the service. */
async function forge({ services, call }: HttpFixture, admin: Principal) {
	const real = await services.access.tokens.issue(admin, 'localhost');
	const [head = '', body = '', signature = ''] = real.split('.');
	const header = jwt.decode(real, { complete: true })?.header;
	const claims = jwt.decode(real, { json: true }) ?? {};
	if ((await call(undefined, 'get', '/tenant/currentTenant', { headers: { Authorization: `Bearer ${real}` } })).status !== 200)
		throw new Error('what is to be forged is no good itself');
	const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
	const [published] = services.access.tokens.publicKeys();
	const publicKey = createPublicKey({ key: published ?? {}, format: 'jwk' });
	const sign = (key: KeyObject, algorithm: 'ES256' | 'HS256' | 'RS256', more: object = {}) =>
		jwt.sign({ ...claims, ...more }, key, { algorithm, keyid: header?.kid ?? '' });
	const secretOf = (key: string | Buffer) => createSecretKey(Buffer.from(key));
	const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
	const store = await openTestStore(services.clock);
	const other = await openAccess({ ...accessSettings, store, clock: services.clock, elapsed: services.elapsed, tokens });
	const byAnotherService = await other.tokens.issue(admin, 'localhost');
	await store.close();
	return {
		byAnotherKey: sign(pair.privateKey, 'ES256'),
		changed: [head, encode({ ...claims, sub: 'operator' }), signature].join('.'),
		unsigned: `${head}.${body}.`,
		none: `${encode({ ...header, alg: 'none' })}.${body}.`,
		noneSigned: `${encode({ ...header, alg: 'none' })}.${body}.${signature}`,
		byPublicKey: sign(secretOf(publicKey.export({ type: 'spki', format: 'pem' })), 'HS256'),
		byPublicKeyInDer: sign(secretOf(publicKey.export({ type: 'spki', format: 'der' })), 'HS256'),
		byAnotherService,
		byStranger: sign(rsa.privateKey, 'RS256', { iss: stranger, aud: 'a', groups: ['ops'] }),
	};
}
