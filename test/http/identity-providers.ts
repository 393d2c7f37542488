import { expect } from 'chai';
import { generateKeyPair, SignJWT } from 'jose';
import jwt from 'jsonwebtoken';
import type { IdentityProvider } from '../../service/http/index.ts';
import { basic } from '../support/checked-http-client.ts';
import { expectRefusal, type HttpFixture, openHttpFixture, otherTenant, tenant } from '../support/http-fixture.ts';
import {
	audience,
	clientId,
	clientSecret,
	createBrowser,
	openIdentityProvider,
	type Person,
	type TestIdentityProvider,
} from '../support/identity-provider.ts';

const path = '/tenant/currentTenant';
const person = (name: string, more: Partial<Person> = {}): [string, Person] => [
	name,
	{ sub: `sub-${name}`, preferred_username: name, groups: ['staff', 'ops'], ...more },
];

describe('http/identity-providers', () => {
	let people: Map<string, Person>;
	let idp: TestIdentityProvider;
	let fixture: HttpFixture;
	const settingsOf = (more: Partial<IdentityProvider> = {}): IdentityProvider => ({
		id: 'idp',
		name: 'The company',
		issuer: idp.issuer,
		clientId,
		clientSecret,
		audience,
		scope: 'openid profile',
		userClaim: 'preferred_username',
		rolesClaim: 'groups',
		roles: [['ops', 'admin']],
		tenant,
		...more,
	});
	const open = async (givesJwts = true, more: Partial<IdentityProvider> = {}) => {
		people = new Map([person('alice'), person('bob', { groups: ['staff'] }), person('single', { groups: 'ops' })]);
		idp = await openIdentityProvider(people, { givesJwts });
		fixture = await openHttpFixture({ identityProviders: [settingsOf(more)] });
	};
	beforeEach(() => open());
	afterEach(async () => {
		idp.close();
		await fixture.close();
	});

	/** A browser that goes through the login as somebody; where it ended, or would have gone last. */
	async function logInAs(name: string, browser = createBrowser(), query = '') {
		idp.state.visitor = name;
		const began = `${fixture.url}/tenant/oauth?provider=idp${query}`;
		const end = await browser.visit(
			began,
			(next) => next.host === new URL(fixture.url).host && next.pathname !== '/tenant/oauth',
		);
		const token = browser.cookie(fixture.url, 'authorization');
		const xsrfToken = browser.cookie(fixture.url, 'XSRF-TOKEN');
		return { ...end, browser, token, xsrfToken };
	}

	const findUser = (name: string) => fixture.services.access.users.find(tenant, name);

	describe('lead a browser', () => {
		for (const givesJwts of [true, false]) {
			it(`in, ${givesJwts ? 'by the identity token' : 'asking for what the identity token does not say'}`, async () => {
				if (!givesJwts) {
					idp.close();
					await fixture.close();
					await open(false);
				}
				const { url, token = '', xsrfToken = '', browser } = await logInAs('alice', undefined, '&originUri=/apps/devices?a=1');
				expect(url).to.equal(`${fixture.url}/apps/devices?a=1`);
				expect(jwt.decode(token, { json: true })).to.include({ sub: 'alice', ten: tenant, xsrfToken });
				expect(browser.cookie(fixture.url, 'oauth-login')).to.equal(undefined);
				const headers = { Cookie: `authorization=${token}`, 'X-XSRF-TOKEN': xsrfToken };
				const made = await fixture.call(undefined, 'post', '/inventory/managedObjects', { body: {}, headers });
				expect([made.status, made.body.owner]).to.deep.equal([201, 'alice']);
				expect(await findUser('alice')).to.include({ role: 'admin', identity: 'idp/sub-alice' });
			});
		}

		it('in with a claim that is one text', async () => {
			expect((await logInAs('single')).token).to.be.a('string');
		});

		it('again and again as the same user', async () => {
			await logInAs('alice');
			const made = await findUser('alice');
			await logInAs('alice');
			expect(await findUser('alice')).to.deep.equal(made);
		});

		const refused: readonly (readonly [who: string, made: Person | undefined, status: number, message: RegExp])[] = [
			['has none of the groups', person('x', { groups: ['staff'] })[1], 403, /Nothing in the claim 'groups' lets 'x' in/],
			['has groups of another kind', person('x', { groups: [] })[1], 403, /Nothing in the claim/],
			['is called like a user with a password', person('admin')[1], 403, /that of another user/],
			['is called like a device', person('device_dev1')[1], 403, /must be a user name/],
			['has a name with a slash', person('t2/admin')[1], 403, /must be a user name/],
			['has a name with a colon', person('a:b')[1], 403, /must be a user name/],
			['has no name', person('')[1], 403, /must be a user name/],
			['is not let in there', undefined, 401, /did not confirm/],
		];
		for (const [who, made, status, message] of refused) {
			it(`not in who ${who}`, async () => {
				if (made) people.set('visitor', made);
				const before = made && (await findUser(made.preferred_username));
				const { token, ...end } = await logInAs(made ? 'visitor' : '');
				expectRefusal({ status: end.status, body: JSON.parse(end.text) }, status, message);
				expect(token).to.equal(undefined);
				if (made) expect(await findUser(made.preferred_username)).to.deep.equal(before);
				expect(fixture.refused.map(({ user, call }) => [user, call])).to.deep.equal([[`${tenant}/`, 'GET /tenant/oauth']]);
			});
		}

		it('out, everywhere, who comes back without the groups', async () => {
			const { token = '' } = await logInAs('alice');
			const status = async () =>
				(await fixture.call(undefined, 'get', path, { headers: { Authorization: `Bearer ${token}` } })).status;
			expect(await status()).to.equal(200);
			people.set('alice', person('alice', { groups: ['staff'] })[1]);
			expect((await logInAs('alice')).status).to.equal(403);
			expect(await status()).to.equal(401);
		});

		it('not in as somebody whose name another person there has taken', async () => {
			await logInAs('alice');
			people.set('mallory', { ...person('mallory')[1], preferred_username: 'alice' });
			expect((await logInAs('mallory')).status).to.equal(403);
		});

		it('not in, and make and change no user, while the tenant is suspended', async () => {
			idp.close();
			await fixture.close();
			await open(true, { tenant: otherTenant });
			const { tenants, users } = fixture.services.access;
			const attempt = () => logInAs('alice', undefined, `&tenant_id=${otherTenant}`);
			const refusedWhileSuspended = async () => {
				await tenants.change(otherTenant, { status: 'SUSPENDED' });
				const before = await users.find(otherTenant, 'alice');
				const { status, text, token } = await attempt();
				expectRefusal({ status, body: JSON.parse(text) }, 403, /or its tenant, is disabled here/);
				expect(token).to.equal(undefined);
				const asToken = await fixture.call(undefined, 'get', path, {
					headers: { Authorization: `Bearer ${await idp.sign({ groups: people.get('alice')?.groups })}` },
				});
				expect(asToken.status).to.equal(403);
				expect(await users.find(otherTenant, 'alice')).to.deep.equal(before);
				await tenants.change(otherTenant, { status: 'ACTIVE' });
				return before;
			};
			expect(await refusedWhileSuspended()).to.equal(undefined);
			expect((await attempt()).token).to.be.a('string');
			// One with another role now, and one whom nothing lets in any more.
			await users.setExternal(otherTenant, 'alice', 'reader', 'idp/sub-alice');
			expect(await refusedWhileSuspended()).to.include({ role: 'reader' });
			people.set('alice', person('alice', { groups: ['staff'] })[1]);
			expect(await refusedWhileSuspended()).to.include({ role: 'reader' });
		});

		it('nowhere else', async () => {
			for (const originUri of [
				'https://evil.example.com/',
				'//evil.example.com',
				'javascript:alert(1)',
				'http:\\\\evil.example.com',
			])
				expectRefusal(
					await fixture.call(undefined, 'get', `/tenant/oauth?originUri=${encodeURIComponent(originUri)}`),
					400,
					/originUri must be a page of/,
				);
			const { url } = await logInAs('alice', undefined, `&originUri=${encodeURIComponent('/.//evil.example.com')}`);
			expect(new URL(url).host).to.equal(new URL(fixture.url).host);
		});

		it('to no provider that is not there', async () => {
			for (const query of ['provider=other', 'tenant_id=t2', 'provider=idp&tenant_id=t2', 'provider=__proto__'])
				expectRefusal(await fixture.call(undefined, 'get', `/tenant/oauth?${query}`), 404, /no such provider/);
		});

		it('to one that cannot be reached, with words to the user', async () => {
			idp.close();
			expectRefusal(await fixture.call(undefined, 'get', '/tenant/oauth'), 503, /cannot be reached/);
		});
	});

	describe('bring back', () => {
		/** The address to which the provider sends a browser back, before the browser goes there. */
		async function comingBack() {
			idp.state.visitor = 'alice';
			const browser = createBrowser();
			const { url } = await browser.visit(`${fixture.url}/tenant/oauth`, (next) => next.searchParams.has('code'));
			return { browser, url };
		}
		const expectOut = (answer: { readonly status: number; readonly text: string }, message: RegExp) =>
			expectRefusal({ status: answer.status, body: JSON.parse(answer.text) }, 401, message);

		it('a login once', async () => {
			const { browser, url } = await comingBack();
			const kept = browser.cookie(fixture.url, 'oauth-login') ?? '';
			await browser.visit(url, (next) => next.pathname === '/');
			expect(browser.cookie(fixture.url, 'authorization')).to.be.a('string');
			const other = createBrowser();
			await other.visit(`${fixture.url}/health`);
			other.jarOf(fixture.url)?.set('oauth-login', kept);
			expectOut(await other.visit(url), /did not confirm/);
		});

		it('nobody who has not begun here', async () => {
			const { url } = await comingBack();
			expectOut(await createBrowser().visit(url), /begun in another browser/);
		});

		it('nobody who has begun another login', async () => {
			const [{ url }, { browser }] = [await comingBack(), await comingBack()];
			expectOut(await browser.visit(url), /did not confirm/);
			expect(browser.cookie(fixture.url, 'authorization')).to.equal(undefined);
		});

		it('nobody too late', async () => {
			const { browser, url } = await comingBack();
			fixture.time += 601_000;
			expectOut(await browser.visit(url), /too long ago/);
		});

		it('nobody with a code, state or issuer of others', async () => {
			for (const [name, value] of [
				['code', 'abc'],
				['state', 'abc'],
				['iss', 'https://evil.example.com'],
			] as const) {
				const { browser, url } = await comingBack();
				const changed = new URL(url);
				changed.searchParams.set(name, value);
				expectOut(await browser.visit(changed.href), /did not confirm/);
			}
		});

		it('nobody with a token of the service in place of what was kept', async () => {
			const { browser, url } = await comingBack();
			const { token } = await fixture.services.access.tokens.issueSession({ tenant, userName: 'admin', role: 'admin' }, 'h');
			const jar = browser.jarOf(fixture.url);
			const kept = jar?.get('oauth-login') ?? '';
			jar?.set('oauth-login', token);
			expectOut(await browser.visit(url), /begun in another browser/);
			const asToken = await fixture.call(undefined, 'get', path, { headers: { Authorization: `Bearer ${kept}` } });
			expect(asToken.status).to.equal(401);
		});
	});

	describe('make tokens', () => {
		const call = (token: string) => fixture.call(undefined, 'get', path, { headers: { Authorization: `Bearer ${token}` } });

		it('that are good here when they are made for here, and make their user', async () => {
			const answer = await call(await idp.sign({}));
			expect([answer.status, answer.body.name]).to.deep.equal([200, tenant]);
			expect(await findUser('alice')).to.include({ role: 'admin', identity: 'idp/sub-alice' });
			expect((await call(await idp.sign({ aud: ['x', audience] }))).status).to.equal(200);
		});

		const now = () => Math.floor(Date.now() / 1000);
		const refused: readonly (readonly [what: string, token: () => Promise<string>])[] = [
			['for somebody else', () => idp.sign({ aud: 'https://other.example.com' })],
			['for the client, as identity tokens are', () => idp.sign({ aud: clientId })],
			['for nobody', () => idp.sign({ aud: '' })],
			['too old', () => idp.sign({ exp: now() - 60 })],
			['not good yet', () => idp.sign({ nbf: now() + 600 })],
			['by another issuer', () => idp.sign({ iss: 'https://evil.example.com' })],
			['by an issuer with something behind', () => idp.sign({ iss: `${idp.issuer}/` })],
			[
				'by a key of somebody else',
				async () => signedBy((await generateKeyPair('RS256')).privateKey, { alg: 'RS256', kid: 'first' }),
			],
			['by an unknown key', async () => signedBy((await generateKeyPair('RS256')).privateKey, { alg: 'RS256', kid: 'other' })],
			['by a secret', async () => signedBy(new TextEncoder().encode(clientSecret), { alg: 'HS256', kid: 'first' })],
			['by nobody', async () => [encode({ alg: 'none' }), encode({ iss: idp.issuer, aud: audience, sub: 'a' }), ''].join('.')],
			[
				'by a key in their own head',
				async () =>
					(await idp.sign({}, { jku: 'https://evil.example.com/keys' })).replace(
						/^[^.]+/,
						encode({ alg: 'RS256', jku: 'https://evil.example.com' }),
					),
			],
		];
		const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
		const signedBy = async (key: Parameters<SignJWT['sign']>[0], header: { alg: string; kid: string }) => {
			const claims = { iss: idp.issuer, aud: audience, sub: 'sub-alice', preferred_username: 'alice', groups: ['ops'] };
			return new SignJWT(claims).setExpirationTime('1m').setProtectedHeader(header).sign(key);
		};
		for (const [what, token] of refused) {
			it(`that are no good: ${what}`, async () => {
				expectRefusal(await call(await token()), 401, /^Bad credentials/);
				expect(await findUser('alice')).to.equal(undefined);
			});
		}

		it('that let nobody in whose groups do not', async () => {
			expectRefusal(await call(await idp.sign({ groups: ['staff'] })), 403, /Nothing in the claim/);
			expectRefusal(await call(await idp.sign({ preferred_username: 'admin' })), 403, /that of another user/);
			expectRefusal(await call(await idp.sign({ preferred_username: 'device_dev1' })), 403, /must be a user name/);
		});

		it('that are no good where no audience is set', async () => {
			idp.close();
			await fixture.close();
			people = new Map([person('alice')]);
			idp = await openIdentityProvider(people);
			const { audience: _none, ...provider } = settingsOf();
			fixture = await openHttpFixture({ identityProviders: [provider] });
			expectRefusal(await call(await idp.sign({})), 401, /^Bad credentials/);
		});

		it('while passwords and tokens of the service go on being good', async () => {
			expect((await fixture.call('admin', 'get', path)).status).to.equal(200);
			await call(await idp.sign({}));
			const asAlice = await fixture.call(undefined, 'get', path, { headers: { Authorization: basic('t1/alice:') } });
			expect(asAlice.status).to.equal(401);
		});
	});

	it('are among the ways to log in of their tenant', async () => {
		const typesOf = async (of: string) => {
			const { body } = await fixture.call(undefined, 'get', `/tenant/loginOptions?tenant_id=${of}`);
			return body.loginOptions.map(({ type, initRequest }: Record<string, string>) => [type, initRequest]);
		};
		expect((await typesOf(tenant))[2]).to.deep.equal(['OAUTH2', `${fixture.url}/tenant/oauth?tenant_id=t1&provider=idp`]);
		expect(await typesOf('t2')).to.have.length(2);
	});
});
