import { expect } from 'chai';
import { basic } from '../support/checked-http-client.ts';
import { credentials, type HttpFixture, openHttpFixture, tenant } from '../support/http-fixture.ts';

const path = '/tenant/currentTenant';

describe('http/authentication', () => {
	let fixture: HttpFixture;
	before(async () => {
		fixture = await openHttpFixture();
	});
	after(() => fixture.close());

	const accepted: readonly (readonly [what: string, authorization: () => string])[] = [
		['Basic with tenant', () => basic(credentials.admin)],
		['Basic without tenant: the default one', () => basic('admin:admin-password')],
		['Basic in lower case', () => basic(credentials.admin).replace('Basic', 'basic')],
		['Basic in capitals with more spaces', () => basic(credentials.admin).replace('Basic ', 'BASIC   ')],
		['a password with colons and slashes', () => basic(`${tenant}/colon:a:b/c:d`)],
		['a password outside ASCII', () => basic(`${tenant}/umlaut:pä$$ wörd ☃`)],
		[
			'a token',
			() => `Bearer ${fixture.services.access.tokens.issue({ tenant, userName: 'admin', role: 'admin' }, 'localhost')}`,
		],
	];
	for (const [what, authorization] of accepted) {
		it(`accepts ${what}`, async () => {
			await fixture.services.access.users.set(tenant, 'colon', 'a:b/c:d', 'admin');
			await fixture.services.access.users.set(tenant, 'umlaut', 'pä$$ wörd ☃', 'admin');
			const { status, body } = await fixture.call(undefined, 'get', path, { headers: { Authorization: authorization() } });
			expect([status, body.name]).to.deep.equal([200, tenant]);
		});
	}

	const refused: readonly (readonly [what: string, authorization: string | undefined])[] = [
		['nothing', undefined],
		['an empty header', ' '],
		['a scheme without value', 'Basic'],
		['an unknown scheme', 'Digest username="admin"'],
		['Basic that is not base64', 'Basic %%%%'],
		['Basic without colon', basic('admin')],
		['a wrong password', basic(credentials.wrongPassword)],
		['an empty password', basic('admin:')],
		['an unknown user', basic(`${tenant}/nobody:admin-password`)],
		['an unknown tenant', basic('nowhere/admin:admin-password')],
		['the user of another tenant', basic('t2/admin:admin-password')],
		['a user name with a further slash', basic('t1/t1/admin:admin-password')],
		['control characters', basic('\u0000\u0001:\u0000')],
		['a token that is none', 'Bearer abc.def.ghi'],
		['a token without signature', `Bearer ${btoa('{"alg":"none"}')}.${btoa('{"sub":"admin","ten":"t1"}')}.`],
	];
	for (const [what, authorization] of refused) {
		it(`answers 401 with JSON and a challenge to ${what}`, async () => {
			const headers: Record<string, string> = authorization === undefined ? {} : { Authorization: authorization };
			const answer = await fixture.call(undefined, 'get', path, { headers });
			expect(answer.status).to.equal(401);
			expect(answer.headers['www-authenticate']).to.match(/^Basic realm="/);
			expect(answer.body.message).to.contain('Bad credentials');
		});
	}

	it('refuses a token after its time', async () => {
		const token = fixture.services.access.tokens.issue({ tenant, userName: 'admin', role: 'admin' }, 'localhost');
		fixture.time += 3601_000;
		const { status } = await fixture.call(undefined, 'get', path, { headers: { Authorization: `Bearer ${token}` } });
		expect(status).to.equal(401);
	});

	it('does not make a browser ask when the client wants to ask itself', async () => {
		for (const UseXBasic of ['true', 'True']) {
			const { status, headers } = await fixture.call('wrongPassword', 'get', path, { headers: { UseXBasic } });
			expect([status, headers['www-authenticate']?.split(' ')[0]]).to.deep.equal([401, 'XBasic']);
		}
	});

	it('answers HEAD like GET, without a body', async () => {
		const right = await fixture.call('admin', 'head', path);
		const wrong = await fixture.call('wrongPassword', 'head', path);
		expect([right.status, right.text, wrong.status]).to.deep.equal([200, undefined, 401]);
	});

	it('throttles wrong passwords of one user, and only those', async () => {
		fixture.time += 61_000;
		const guess = () => fixture.call(undefined, 'get', path, { headers: { Authorization: basic('t1/device_dev2:guess') } });
		for (let i = 0; i < 20; i++) expect((await guess()).status).to.equal(401);
		const throttled = await guess();
		expect([throttled.status, throttled.headers['retry-after']]).to.deep.equal([429, '60']);
		expect((await fixture.call('foreignDevice', 'get', path)).status).to.equal(429);
		expect((await fixture.call('admin', 'get', path)).status).to.equal(200);
		fixture.time += 61_000;
		expect((await fixture.call('foreignDevice', 'get', path)).status).to.equal(200);
	});

	it('logs the names of parameters that it makes nothing of, and not their values', async () => {
		await fixture.call('admin', 'get', '/inventory/managedObjects?token=guess&pageSize=5');
		const line = JSON.parse(fixture.logLines.filter((each) => each.includes('http request')).at(-1) ?? '');
		expect(line.ignored).to.deep.equal(['token']);
	});

	it('keeps secrets out of the log', async () => {
		await fixture.call('admin', 'get', path);
		const lines = fixture.logLines.join('');
		expect(lines).to.contain('http request');
		for (const secret of ['admin-password', 'guess', btoa(credentials.admin), 'Bearer']) expect(lines).not.to.contain(secret);
	});
});
