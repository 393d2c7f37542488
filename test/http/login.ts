import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { basic } from '../support/checked-http-client.ts';
import { type Caller, credentials, expectRefusal, type HttpFixture, openHttpFixture, tenant } from '../support/http-fixture.ts';
import { cookiesOf, type LoginSession, logIn, loginForm } from '../support/login-session.ts';

const path = '/tenant/currentTenant';
const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

describe('http/login', () => {
	let fixture: HttpFixture;
	beforeEach(async () => {
		fixture = await openHttpFixture();
	});
	afterEach(() => fixture.close());

	const getToken = async (username: string, password: string, query = '', more: Readonly<Record<string, string>> = {}) =>
		fixture.call(undefined, 'post', `/tenant/oauth/token${query}`, loginForm(username, password, more));

	describe('by a token', () => {
		const accepted: readonly (readonly [what: string, name: string, query: string])[] = [
			['the tenant in the query', 'admin', '?tenant_id=t1'],
			['the tenant in the user name', 't1/admin', ''],
			['the tenant in both', 't1/admin', '?tenant_id=t1'],
			['no tenant: the default one', 'admin', ''],
		];
		for (const [what, name, query] of accepted) {
			it(`works with ${what}`, async () => {
				const answer = await getToken(name, 'admin-password', query, { tfa_code: 'undefined' });
				expect([answer.status, answer.body.token_type, answer.body.expires_in]).to.deep.equal([200, 'Bearer', 7200]);
				const { body, status } = await fixture.call(undefined, 'get', path, bearer(answer.body.access_token));
				expect([status, body.name]).to.deep.equal([200, tenant]);
				expect(jwt.decode(answer.body.access_token, { json: true })).to.include({ iss: '127.0.0.1', sub: 'admin', ten: tenant });
			});
		}

		it('takes the tenant of a Basic header that comes with the form', async () => {
			const form = loginForm('admin', 'other-password');
			const answer = await fixture.call('otherAdmin', 'post', '/tenant/oauth/token', form);
			expect(jwt.decode(answer.body.access_token, { json: true })?.ten).to.equal('t2');
		});

		it('opens nothing of another tenant', async () => {
			const { id } = (await fixture.call('admin', 'post', '/inventory/managedObjects', { body: {} })).body;
			const { body } = await getToken('admin', 'other-password', '?tenant_id=t2');
			const read = await fixture.call(undefined, 'get', `/inventory/managedObjects/${id}`, bearer(body.access_token));
			expect(read.status).to.equal(404);
		});

		for (const [host, issuer] of [
			['c8y.example.com:8443', 'c8y.example.com'],
			['[::1]:80', '[::1]'],
			['evil.example.com/~?>', 'localhost'],
			['"}, "sub": "root"', 'localhost'],
			['user@evil.example.com', 'localhost'],
		] as const) {
			it(`names '${issuer}' where the host is '${host}'`, async () => {
				const form = { ...loginForm('admin', 'admin-password'), headers: { Host: host } };
				const { body } = await fixture.call(undefined, 'post', '/tenant/oauth/token', form);
				expect(jwt.decode(body.access_token, { json: true })).to.include({ iss: issuer, aud: issuer, sub: 'admin', ten: tenant });
			});
		}

		it('is there for devices, for themselves', async () => {
			const { body } = await getToken('t1/device_dev1', 'dev1-password');
			const { id } = (await fixture.call('foreignDevice', 'post', '/inventory/managedObjects', { body: {} })).body;
			const seen = await fixture.call(undefined, 'get', `/inventory/managedObjects/${id}`, bearer(body.access_token));
			expect(seen.status).to.equal(403);
		});

		const refused: readonly (readonly [what: string, name: string, password: string, query: string])[] = [
			['a wrong password', 'admin', 'wrong', ''],
			['no password', 'admin', '', ''],
			['an unknown user', 'nobody', 'admin-password', ''],
			['an unknown tenant', 'admin', 'admin-password', '?tenant_id=nowhere'],
			['the password of another tenant', 'admin', 'admin-password', '?tenant_id=t2'],
			['two tenants that differ', 't1/admin', 'admin-password', '?tenant_id=t2'],
			['injected names', 't1/{"$ne":null}', '{"$ne":null}', ''],
			['control characters', 'ad\u0000min', 'admin-password', ''],
		];
		for (const [what, name, password, query] of refused) {
			it(`is refused with ${what}`, async () => {
				expectRefusal(await getToken(name, password, query), 401, /^Bad credentials/);
				const cookies = await fixture.call(undefined, 'post', `/tenant/oauth${query}`, loginForm(name, password));
				expectRefusal(cookies, 401, /^Bad credentials/);
				expect(cookiesOf(cookies).size).to.equal(0);
			});
		}

		it('leaves in the log who was refused, where and why', async () => {
			const { message } = (await getToken('admin', 'not-the-password')).body;
			const line = fixture.logLines
				.map((text) => JSON.parse(text))
				.findLast(({ msg }) => msg === 'login refused: http/unauthorized');
			expect(line).to.include({ user: 't1/admin', call: 'POST /tenant/oauth/token', reason: message });
			expect(JSON.stringify(line)).to.not.contain('not-the-password');
		});

		it('is refused to the bootstrap user', async () => {
			expectRefusal(await getToken('management/devicebootstrap', 'bootstrap-password'), 403, /gets no tokens/);
		});

		it('is refused in forms that are none', async () => {
			const post = (options: object) => fixture.call(undefined, 'post', '/tenant/oauth/token', options);
			expectRefusal(await post({ body: { username: 'admin' } }), 415, /x-www-form-urlencoded/);
			expectRefusal(await post(loginForm('', 'a')), 422, /username/);
			expectRefusal(await post(loginForm('a', 'a', { grant_type: 'AUTHORIZATION_CODE' })), 422, /grant_type must be 'PASSWORD'/);
			expectRefusal(
				await post({ text: 'grant_type=PASSWORD', type: 'application/x-www-form-urlencoded' }),
				422,
				/username must be text/,
			);
		});

		it('is throttled like every other login', async () => {
			for (let i = 0; i < 20; i++) expect((await getToken('admin', `guess${i}`)).status).to.equal(401);
			const answer = await getToken('admin', 'admin-password');
			expect([answer.status, answer.headers['retry-after']]).to.deep.equal([429, '60']);
			expect((await fixture.call('admin', 'get', path)).status).to.equal(429);
		});
	});

	describe('by cookies', () => {
		let session: LoginSession;
		beforeEach(async () => {
			session = await logIn(fixture, credentials.admin);
		});
		const create = (headers: Record<string, string>) =>
			fixture.call(undefined, 'post', '/inventory/managedObjects', { body: { name: 'x' }, headers });
		const count = async () => Number((await fixture.call('admin', 'get', '/inventory/managedObjects/count')).text);

		it('sets one for the browser and one for scripts, over TLS only where that is used', async () => {
			const form = loginForm('admin', 'admin-password');
			const attributesWith = async (headers: Record<string, string>) => {
				const cookies = cookiesOf(await fixture.call(undefined, 'post', '/tenant/oauth', { ...form, headers }));
				return [...cookies].map(([name, { attributes }]) => [name, ...attributes]);
			};
			expect(await attributesWith({})).to.deep.equal([
				['authorization', 'Path=/', 'HttpOnly', 'SameSite=Lax'],
				['XSRF-TOKEN', 'Path=/', 'SameSite=Lax'],
			]);
			expect(await attributesWith({ 'X-Forwarded-Proto': 'https' })).to.deep.equal([
				['authorization', 'Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax'],
				['XSRF-TOKEN', 'Path=/', 'Secure', 'SameSite=Lax'],
			]);
		});

		const ownHost = 'dsm.example.com';
		const pages: readonly (readonly [what: string, headers: Record<string, string>, isOwn: boolean])[] = [
			['of the service', { Origin: 'http://dsm.example.com', 'Sec-Fetch-Site': 'same-origin' }, true],
			['of the service, over plain HTTP', { Origin: 'http://dsm.example.com' }, true],
			[
				'of the service behind a proxy that is trusted',
				{ Origin: 'https://dsm.example.com', 'X-Forwarded-Proto': 'https' },
				true,
			],
			[
				'of the service at the host that a trusted proxy names, with the usual port',
				{ Origin: 'https://dsm.example.org', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'dsm.example.org:443' },
				true,
			],
			['of the service behind one that is not', { Origin: 'https://other.name', 'Sec-Fetch-Site': 'same-origin' }, true],
			['of nobody: the user itself', { 'Sec-Fetch-Site': 'none' }, true],
			['of another site', { Origin: 'https://evil.example.com', 'Sec-Fetch-Site': 'cross-site' }, false],
			['of another site, over plain HTTP', { Origin: 'http://evil.example.com' }, false],
			['that hides where it is', { Origin: 'null' }, false],
			['that hides where it is, from a newer browser', { Origin: 'null', 'Sec-Fetch-Site': 'cross-site' }, false],
			['without an origin', { 'Sec-Fetch-Site': 'cross-site' }, false],
			['of a neighbour', { Origin: 'http://x.dsm.example.com', 'Sec-Fetch-Site': 'same-site' }, false],
			['of another port', { Origin: 'http://dsm.example.com:8080' }, false],
			['without TLS, of a service with it', { Origin: 'http://dsm.example.com', 'X-Forwarded-Proto': 'https' }, false],
			['with a name that only begins so', { Origin: 'http://dsm.example.com.evil.example' }, false],
			['with an empty origin', { Origin: '' }, false],
		];
		for (const [what, headers, isOwn] of pages) {
			it(`${isOwn ? 'is given to' : 'is kept from'} a page ${what}`, async () => {
				const form = { ...loginForm('admin', 'admin-password'), headers: { Host: ownHost, ...headers } };
				const answer = await fixture.call(undefined, 'post', '/tenant/oauth', form);
				if (isOwn) expect([answer.status, cookiesOf(answer).size]).to.deep.equal([200, 2]);
				else
					expectRefusal(answer, 403, /^Only pages of https?:\/\/dsm\.example\.com and of CORS_ORIGINS can log in with cookies/);
				expect(cookiesOf(answer).size).to.equal(isOwn ? 2 : 0);
				expect(fixture.refused.map(({ call }) => call)).to.deep.equal(isOwn ? [] : ['POST /tenant/oauth']);
			});
		}

		it('reads without the header, and changes with it', async () => {
			expect((await fixture.call(undefined, 'get', path, { headers: session.headers(null) })).body.name).to.equal(tenant);
			expect((await fixture.call(undefined, 'head', path, { headers: session.headers(null) })).status).to.equal(200);
			expect((await create(session.headers())).body.owner).to.equal('admin');
		});

		it('takes the token of the cookie as Bearer too, as clients without a browser send it', async () => {
			expect((await fixture.call(undefined, 'get', path, bearer(session.token))).status).to.equal(200);
			expect((await create({ Authorization: `Bearer ${session.token}` })).status).to.equal(201);
		});

		it('heeds the Authorization header where there are both', async () => {
			const headers = { ...session.headers(), Authorization: basic(credentials.wrongPassword) };
			expect((await fixture.call(undefined, 'get', path, { headers })).status).to.equal(401);
		});

		const forged: readonly (readonly [what: string, headers: (other: LoginSession) => Record<string, string>])[] = [
			['no XSRF header', () => session.headers(null)],
			['an empty XSRF header', () => session.headers('')],
			['another XSRF header', () => session.headers('x'.repeat(36))],
			['the XSRF text of another session', (other) => session.headers(other.xsrfToken)],
			['the XSRF text twice', () => session.headers(`${session.xsrfToken}, ${session.xsrfToken}`)],
			[
				'the XSRF text in a cookie that somebody else set',
				() => ({ Cookie: `authorization=${session.token}; XSRF-TOKEN=mine`, 'X-XSRF-TOKEN': 'mine' }),
			],
		];
		for (const [what, headers] of forged) {
			it(`changes nothing with ${what}`, async () => {
				const before = await count();
				expectRefusal(await create(headers(await logIn(fixture, credentials.admin))), 401, /X-XSRF-TOKEN/);
				expect(await count()).to.equal(before);
				const logout = await fixture.call(undefined, 'post', '/user/logout', { body: {}, headers: headers(session) });
				if (what !== 'the XSRF text of another session') expect(logout.status).to.equal(401);
			});
		}

		it('is not open to tokens that were made for no cookie', async () => {
			const token = await fixture.services.access.tokens.issue({ tenant, userName: 'admin', role: 'admin' }, 'h');
			const answer = await fixture.call(undefined, 'get', path, { headers: { Cookie: `authorization=${token}` } });
			expectRefusal(answer, 401, /^Bad credentials/);
		});

		for (const cookie of [
			'authorization=',
			'authorization=abc',
			'authorization',
			'=',
			'authorization=%E0%A4%A; a',
			'XSRF-TOKEN=1',
		]) {
			it(`is refused with the cookie '${cookie}'`, async () => {
				expectRefusal(await fixture.call(undefined, 'get', path, { headers: { Cookie: cookie } }), 401, /^Bad credentials/);
			});
		}
	});

	describe('and out again', () => {
		it('ends the token and its cookies, and no other session', async () => {
			const [one, two] = [await logIn(fixture, credentials.admin), await logIn(fixture, credentials.admin)];
			const answer = await fixture.call(undefined, 'post', '/user/logout', { body: {}, headers: one.headers() });
			expect(answer.status).to.equal(200);
			for (const name of ['authorization', 'XSRF-TOKEN'])
				expect(cookiesOf(answer).get(name))
					.to.deep.include({ value: '' })
					.and.to.have.deep.property('attributes')
					.that.includes('Max-Age=0');
			for (const options of [bearer(one.token), { headers: one.headers() }])
				expectRefusal(await fixture.call(undefined, 'get', path, options), 401, /^User has been logged out/);
			expect((await fixture.call(undefined, 'get', path, bearer(two.token))).status).to.equal(200);
		});

		it('ends a Bearer token, without a body too', async () => {
			const { token } = await logIn(fixture, credentials.admin);
			expect((await fixture.call(undefined, 'post', '/user/logout', bearer(token))).status).to.equal(200);
			expect((await fixture.call(undefined, 'post', '/user/logout', bearer(token))).status).to.equal(401);
		});

		it('does nothing to a login by password', async () => {
			expect((await fixture.call('admin', 'post', '/user/logout', { body: {} })).status).to.equal(200);
			expect((await fixture.call('admin', 'get', path)).status).to.equal(200);
		});

		it('ends everybody of the own tenant', async () => {
			const sessions = new Map<Caller, LoginSession>();
			for (const caller of ['admin', 'device', 'otherAdmin'] as const)
				sessions.set(caller, await logIn(fixture, credentials[caller]));
			expect((await fixture.call('admin', 'post', '/user/logout/t1/allUsers', { body: {} })).status).to.equal(200);
			const statuses = new Map<Caller, number>();
			for (const [caller, { token }] of sessions)
				statuses.set(caller, (await fixture.call(undefined, 'get', path, bearer(token))).status);
			expect([...statuses]).to.deep.equal([
				['admin', 401],
				['device', 401],
				['otherAdmin', 200],
			]);
		});
	});

	describe('with another password', () => {
		const change = (options: object, currentUserPassword = 'admin-password', newPassword = 'a new long secret') =>
			fixture.call(undefined, 'put', '/user/currentUser/password', { body: { currentUserPassword, newPassword }, ...options });

		it('goes on where it was changed, and nowhere else', async () => {
			const [own, other] = [await logIn(fixture, credentials.admin), await logIn(fixture, credentials.admin)];
			expect((await change({ headers: own.headers() })).status).to.equal(200);
			expect((await fixture.call(undefined, 'get', path, bearer(own.token))).status).to.equal(200);
			expectRefusal(await fixture.call(undefined, 'get', path, bearer(other.token)), 401, /logged out/);
			expect((await fixture.call('admin', 'get', path)).status).to.equal(401);
			const headers = { Authorization: basic('t1/admin:a new long secret') };
			expect((await fixture.call(undefined, 'get', path, { headers })).status).to.equal(200);
		});

		it('is refused where the old one is wrong, or the new one weak or the same, and stays', async () => {
			const headers = { Authorization: basic(credentials.admin) };
			expectRefusal(await change({ headers }, 'wrong'), 401, /^Bad credentials/);
			expectRefusal(await change({ headers }, 'admin-password', 'short'), 422, /at least 12/);
			expectRefusal(await change({ headers }, 'admin-password', 'password12345'), 422, /common/);
			expectRefusal(await change({ headers }, 'admin-password', 'admin-password'), 422, /another one/);
			expect((await fixture.call('admin', 'get', path)).status).to.equal(200);
			const all = fixture.logLines.join('');
			for (const secret of ['password12345', 'admin-password']) expect(all).not.to.contain(secret);
		});

		it('cannot be guessed by whoever has a session', async () => {
			const session = await logIn(fixture, credentials.admin);
			fixture.time += 7_000_000;
			for (let i = 0; i < 20; i++) expect((await change(bearer(session.token), `guess${i}`)).status).to.equal(401);
			expect((await change(bearer(session.token), 'another guess')).status).to.equal(429);
		});

		it('is asked for, before anything else, where somebody else has chosen it', async () => {
			const admin = { tenant, userName: 'admin' };
			await fixture.services.access.users.changePassword(admin, 'chosen by others', { mustChange: true });
			const session = await logIn(fixture, 't1/admin:chosen by others');
			const read = () => fixture.call(undefined, 'get', '/inventory/managedObjects', bearer(session.token));
			expectRefusal(await read(), 403, /PUT \/user\/currentUser\/password/);
			expect((await fixture.call(undefined, 'get', path, bearer(session.token))).status).to.equal(200);
			expect((await change(bearer(session.token), 'chosen by others')).status).to.equal(200);
			expect((await read()).status).to.equal(200);
		});
	});

	it('goes as go-c8y-cli goes: by the path and query of the first way of that kind, and on with the cookies', async () => {
		const options = await fixture.call(undefined, 'get', '/tenant/loginOptions');
		const { initRequest } = options.body.loginOptions.find(({ type }: { type: string }) => type === 'OAUTH2_INTERNAL');
		const { pathname, search } = new URL(initRequest);
		const answer = await fixture.call(
			undefined,
			'post',
			pathname + search,
			loginForm('admin', 'admin-password', { tfa_code: '' }),
		);
		const cookies = cookiesOf(answer);
		const headers = {
			Authorization: `Bearer ${cookies.get('authorization')?.value}`,
			'X-XSRF-TOKEN': cookies.get('XSRF-TOKEN')?.value ?? '',
			'X-APPLICATION': 'go-client',
		};
		expect((await fixture.call(undefined, 'get', path, { headers })).body.name).to.equal(tenant);
		expect((await fixture.call(undefined, 'post', '/user/logout', { body: {}, headers })).status).to.equal(200);
		expectRefusal(await fixture.call(undefined, 'get', path, { headers }), 401, /User has been logged out/);
	});

	describe('is told how', () => {
		it('to everybody, Basic first, without making clients leave out the tenant', async () => {
			const { status, body } = await fixture.call(undefined, 'get', '/tenant/loginOptions');
			expect([status, body.loginOptions.map(({ type }: { type: string }) => type)]).to.deep.equal([
				200,
				['BASIC', 'OAUTH2_INTERNAL'],
			]);
			for (const { self } of [body, ...body.loginOptions]) expect(self).to.match(/^\/tenant\/loginOptions/);
			expect(body.loginOptions[1].initRequest).to.equal(`${fixture.url}/tenant/oauth?tenant_id=t1`);
			const other = await fixture.call(undefined, 'get', '/tenant/loginOptions?tenant_id=t2%26x');
			expect(other.body.loginOptions[1].initRequest).to.equal(`${fixture.url}/tenant/oauth?tenant_id=t2%26x`);
		});

		it('with the host that a trusted proxy names', async () => {
			const headers = { 'X-Forwarded-Host': 'c8y.example.com', 'X-Forwarded-Proto': 'https' };
			const { body } = await fixture.call(undefined, 'get', '/tenant/loginOptions', { headers });
			expect(body.loginOptions[1].initRequest).to.equal('https://c8y.example.com/tenant/oauth?tenant_id=t1');
		});

		it('with public keys, where there are such', async () => {
			expect((await fixture.call(undefined, 'get', '/.well-known/jwks.json')).body).to.deep.equal({ keys: [] });
		});
	});
});

describe('http/login behind no proxy', () => {
	let fixture: HttpFixture;
	before(async () => {
		fixture = await openHttpFixture({ trustedProxies: ['192.0.2.1'] });
	});
	after(() => fixture.close());

	it('believes nobody who names another host, scheme or address', async () => {
		const headers = { 'X-Forwarded-Host': 'evil.example.com', 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '203.0.113.9' };
		const { body } = await fixture.call(undefined, 'get', '/tenant/loginOptions', { headers });
		expect(body.loginOptions[1].initRequest).to.equal(`${fixture.url}/tenant/oauth?tenant_id=t1`);
		const answer = await fixture.call(undefined, 'post', '/tenant/oauth', { ...loginForm('admin', 'admin-password'), headers });
		expect(cookiesOf(answer).get('authorization')?.attributes).not.to.include('Secure');
	});

	it('counts wrong passwords by the address of the connection, whatever is claimed', async () => {
		const guess = (i: number) =>
			fixture.call(undefined, 'get', path, {
				headers: { Authorization: basic('t1/device_dev2:guess'), 'X-Forwarded-For': `203.0.113.${i}` },
			});
		for (let i = 0; i < 20; i++) expect((await guess(i)).status).to.equal(401);
		expect((await guess(99)).status).to.equal(429);
	});
});

describe('http/login behind a proxy', () => {
	let fixture: HttpFixture;
	before(async () => {
		fixture = await openHttpFixture({ trustedProxies: ['loopback', '10.0.0.0/8'] });
	});
	after(() => fixture.close());

	it('counts wrong passwords by the last address that is none of a proxy', async () => {
		const guess = (forwarded: string) =>
			fixture.call(undefined, 'get', path, {
				headers: { Authorization: basic('t1/device_dev2:guess'), 'X-Forwarded-For': forwarded },
			});
		for (let i = 0; i < 20; i++) expect((await guess(`203.0.113.${i}, 198.51.100.7, 10.1.2.3`)).status).to.equal(401);
		expect((await guess('198.51.100.7, 10.1.2.4')).status).to.equal(429);
		expect((await guess('198.51.100.8, 10.1.2.4')).status).to.equal(401);
		expect(fixture.logLines.join('')).to.contain('"address":"198.51.100.7"');
	});
});
