import { expect } from 'chai';
import { basic, type HttpMethod } from '../support/checked-http-client.ts';
import { type Caller, expectRefusal, type HttpFixture, openHttpFixture, otherTenant, tenant } from '../support/http-fixture.ts';

const path = '/tenant/tenants';
const adminPass = 'long-enough-secret';

describe('http/tenants', () => {
	let fixture: HttpFixture;
	before(async () => {
		fixture = await openHttpFixture();
	});
	after(() => fixture.close());

	const call = (method: HttpMethod, url: string, body?: unknown, caller: Caller = 'management') =>
		fixture.call(caller, method, url, body === undefined ? {} : { text: JSON.stringify(body) });

	const create = (more: object) => call('post', path, { adminName: 'boss', adminPass, ...more });

	/** The tenant that somebody is in who logs in at this host. */
	async function tenantAt(Host: string, user: string): Promise<string | number> {
		const headers = { Host, Authorization: basic(user) };
		const { status, body } = await fixture.call(undefined, 'get', '/tenant/currentTenant', { headers });
		return status === 200 ? body.name : status;
	}

	it('creates a tenant whose administrator can log in, and shows no password', async () => {
		const made = await create({
			id: 'made',
			domain: 'Made.Example.org',
			company: 'ACME',
			adminEmail: 'a@b.c',
			limits: { devices: 5 },
		});
		expect(made.status).to.equal(201);
		expect(made.body).to.deep.include({ id: 'made', domain: 'made.example.org', status: 'ACTIVE', adminName: 'boss' });
		expect(made.body.limits).to.deep.equal({ devices: 5, packages: 0, storageBytes: 0, requestsPerSecond: 0 });
		expect(JSON.stringify(made.body)).to.not.contain(adminPass);
		expect((await call('get', `${path}/made`)).body).to.deep.equal(made.body);
		expect(await tenantAt('127.0.0.1', `made/boss:${adminPass}`)).to.equal('made');
		expect((await call('get', '/tenant/currentTenant')).body.allowCreateTenants).to.equal(true);
	});

	it('takes the tenant from the user name, else from the host name, else the default one', async () => {
		await create({ id: 'hosted', domain: 'hosted.example.org' });
		const user = `boss:${adminPass}`;
		expect(await tenantAt('hosted.example.org', user)).to.equal('hosted');
		expect(await tenantAt('HOSTED.example.org.:8443', user)).to.equal('hosted');
		// `example.com` is the suffix of host names that the fixture sets.
		expect(await tenantAt('hosted.example.com', user)).to.equal('hosted');
		expect(await tenantAt('hosted.example.org', 't1/admin:admin-password')).to.equal(tenant);
		expect(await tenantAt('hosted.example.org', 'admin:admin-password')).to.equal(401);
		for (const host of ['elsewhere.example.org', 'example.com', 'x.hosted.example.com', '[::1]', '127.0.0.1']) {
			expect(await tenantAt(host, 'admin:admin-password'), host).to.equal(tenant);
			expect(await tenantAt(host, user), host).to.equal(401);
		}
		await call('put', `${path}/hosted`, { domain: null });
		expect(await tenantAt('hosted.example.org', user)).to.equal(401);
		expect((await create({ id: 'heir', domain: 'hosted.example.org' })).status).to.equal(201);
	});

	it('suspends at once, also for tokens, and lets in again', async () => {
		await create({ id: 'paused' });
		const token = await fixture.services.access.tokens.issue({ tenant: 'paused', userName: 'boss', role: 'admin' }, 'localhost');
		const headers = { Authorization: `Bearer ${token}` };
		const status = async () => (await fixture.call(undefined, 'get', '/tenant/currentTenant', { headers })).status;
		expect(await status()).to.equal(200);
		expect((await call('put', `${path}/paused`, { status: 'SUSPENDED' })).body.status).to.equal('SUSPENDED');
		expect([await status(), await tenantAt('localhost', `paused/boss:${adminPass}`)]).to.deep.equal([401, 401]);
		expect((await call('put', `${path}/paused`, { status: 'ACTIVE' })).body.status).to.equal('ACTIVE');
		expect(await status()).to.equal(200);
	});

	it('gives the administrator of a tenant another password, and the tenant another administrator', async () => {
		const second = 'another-long-secret';
		await create({ id: 'recovered' });
		const change = async (body: object) => (await call('put', `${path}/recovered`, body)).body.adminName;
		expect(await change({ adminPass: second })).to.equal('boss');
		expect(await tenantAt('localhost', `recovered/boss:${adminPass}`)).to.equal(401);
		expect(await tenantAt('localhost', `recovered/boss:${second}`)).to.equal('recovered');
		expect(await change({ adminName: 'heir', adminPass })).to.equal('heir');
		expect(await tenantAt('localhost', `recovered/heir:${adminPass}`)).to.equal('recovered');
		// Clients send back what they have read.
		expect(await change({ adminName: 'heir', company: 'c' })).to.equal('heir');
		// A tenant that the service made itself has an administrator, and does not tell its name.
		expect((await call('put', `${path}/${tenant}`, { adminName: 'second', adminPass })).status).to.equal(200);
		expect(await tenantAt('localhost', `${tenant}/second:${adminPass}`)).to.equal(tenant);
	});

	it('refuses everything to a tenant that is being deleted', async () => {
		await create({ id: 'leaving' });
		expect((await call('delete', `${path}/leaving`)).status).to.equal(204);
		expect((await call('get', `${path}/leaving`)).body.status).to.equal('DELETING');
		expect(await tenantAt('localhost', `leaving/boss:${adminPass}`)).to.equal(401);
		expectRefusal(await call('put', `${path}/leaving`, { status: 'ACTIVE' }), 409, /being deleted/);
		expectRefusal(await create({ id: 'leaving' }), 409, /a tenant 'leaving' already/);
		expect((await call('delete', `${path}/leaving`)).status).to.equal(204);
	});

	it('lists the tenants by pages', async () => {
		const { body } = await call('get', `${path}?pageSize=2&withTotalElements=true`);
		const known = await fixture.services.access.tenants.count();
		expect([body.tenants.length, body.statistics.totalElements]).to.deep.equal([2, known]);
	});

	for (const [what, body, status, message] of [
		['no id', { adminName: 'a', adminPass }, 422, /id is missing/],
		['no administrator', { id: 'x', adminPass }, 422, /adminName/],
		['no password', { id: 'x', adminName: 'a' }, 422, /adminPass/],
		['a short password', { id: 'x', adminName: 'a', adminPass: 'short' }, 422, /at least 12/],
		['capitals', { id: 'X', adminName: 'a', adminPass }, 422, /lower-case/],
		['a slash', { id: 'a/b', adminName: 'a', adminPass }, 422, /lower-case/],
		['a digit first', { id: '1a', adminName: 'a', adminPass }, 422, /a letter first/],
		['a long id', { id: 'x'.repeat(33), adminName: 'a', adminPass }, 422, /1 to 32/],
		['a name of a device', { id: 'x', adminName: 'device_x', adminPass }, 422, /must not begin/],
		['a bad domain', { id: 'x', adminName: 'a', adminPass, domain: 'a b' }, 422, /domain must be a host name/],
		['a domain that is taken', { id: 'x', adminName: 'a', adminPass, domain: 'made.example.org' }, 409, /of another tenant/],
		['a status', { id: 'x', adminName: 'a', adminPass, status: 'SUSPENDED' }, 422, /status is ACTIVE at first/],
		['an id that is taken', { id: otherTenant, adminName: 'a', adminPass }, 409, /'t2' already/],
		['the id of the management', { id: 'management', adminName: 'a', adminPass }, 409, /'management' already/],
		['a list', [], 422, /must be an object/],
	] as const) {
		it(`refuses a tenant with ${what}`, async () => {
			expectRefusal(await call('post', path, body), status, message);
			expect((await call('get', `${path}/x`)).status).to.equal(404);
		});
	}

	for (const [method, id, body, status, message] of [
		['put', tenant, { status: 'SUSPENDED' }, 422, /the service itself needs it/],
		['delete', tenant, undefined, 422, /the service itself needs it/],
		['put', 'management', { status: 'SUSPENDED' }, 422, /the service itself needs it/],
		['delete', 'management', undefined, 422, /the service itself needs it/],
		['put', otherTenant, { status: 'DELETING' }, 422, /status must be one of ACTIVE, SUSPENDED/],
		['put', otherTenant, { domain: 'made.example.org' }, 409, /of another tenant/],
		['put', 'nowhere', { company: 'c' }, 404, /No tenant 'nowhere'/],
		['put', 'nowhere', { adminPass }, 404, /No tenant 'nowhere'/],
		['put', otherTenant, { adminPass }, 422, /adminName is missing: tenant 't2' does not tell whose/],
		['put', otherTenant, { adminName: 'admin' }, 422, /adminName changes only together with adminPass/],
		['put', otherTenant, { adminName: 'a b', adminPass }, 422, /userName must have/],
		['put', otherTenant, { adminName: 'boss', adminPass: 'short' }, 422, /at least 12/],
		['put', otherTenant, { adminName: 'plain', adminPass }, 422, /'plain' of tenant 't2' is no administrator/],
		['put', 'management', { adminName: 'admin', adminPass }, 422, /use PUT \/user\/management\/users/],
		['delete', 'nowhere', undefined, 404, /No tenant 'nowhere'/],
	] as const) {
		it(`answers ${status} to ${method.toUpperCase()} of ${id} with ${JSON.stringify(body)}`, async () => {
			await call('post', `/user/${otherTenant}/users`, { userName: 'plain', password: adminPass }, 'otherAdmin');
			expectRefusal(await call(method, `${path}/${id}`, body), status, message);
		});
	}

	it('shows nothing of a tenant in any list of another one', async () => {
		const made = [
			['/inventory/managedObjects', { name: 'confidential', c8y_IsDevice: {} }],
			['/devicecontrol/newDeviceRequests', { id: 'confidential-device' }],
			[`/user/${tenant}/users`, { userName: 'confidential-user', password: adminPass }],
			[`/user/${tenant}/groups`, { name: 'confidential-group' }],
			['/tenant/options', { category: 'confidential', key: 'k', value: 'confidential' }],
		] as const;
		for (const [url, body] of made) expect((await call('post', url, body, 'admin')).status, url).to.be.lessThan(300);
		const lists = fixture.routes.filter(
			({ method, path: url, permission }) => method === 'get' && !/\{(?!tenant)/.test(url) && permission !== 'public',
		);
		expect(lists.length).to.be.greaterThan(10);
		let shown = 0;
		for (const { path: url } of lists) {
			const page = '?pageSize=1000';
			const own = await fixture.call('admin', 'get', url.replace('{tenant}', tenant) + page);
			if (JSON.stringify(own.body).includes('confidential')) shown++;
			for (const caller of ['otherAdmin', 'management'] as const) {
				const of = caller === 'management' ? 'management' : otherTenant;
				const found = await fixture.call(caller, 'get', url.replace('{tenant}', of) + page);
				expect(JSON.stringify(found.body).replace(/"self":"[^"]*"/g, ''), `${caller} ${url}`).to.not.contain('confidential');
			}
		}
		// What was made is there for those whose it is.
		expect(shown).to.be.greaterThan(4);
	});

	for (const [body, message] of [
		[{ category: 'a b', key: 'k', value: 'v' }, /category must/],
		[{ category: 'c', key: '../x', value: 'v' }, /key must/],
		[{ category: 'c', key: '__proto__', value: 'v' }, /key must/],
		[{ category: 'c', key: 'credentials.x', value: 'v' }, /key 'credentials.x' names a secret/],
		[{ category: 'c', key: 'Credentials.x', value: 'v' }, /key 'Credentials.x' names a secret/],
		[{ category: 'CREDENTIALS.x', key: 'k', value: 'v' }, /category 'CREDENTIALS.x' names a secret/],
		[{ category: 'c', key: 'k', value: 5 }, /value must be text/],
		[{ category: 'c', key: 'k', value: 'x'.repeat(10_001) }, /value has 10001/],
	] as const) {
		it(`refuses the option ${JSON.stringify(body).slice(0, 60)}`, async () => {
			expectRefusal(await call('post', '/tenant/options', body, 'admin'), 422, message);
		});
	}

	it('keeps options, one by one and by category', async () => {
		await call('put', '/tenant/options/tool', { a: '1', b: '2' }, 'admin');
		expect((await call('put', '/tenant/options/tool', { a: null, c: '3' }, 'admin')).body).to.deep.equal({ b: '2', c: '3' });
		expect((await call('get', '/tenant/options/tool/c', undefined, 'admin')).body).to.deep.include({
			category: 'tool',
			key: 'c',
			value: '3',
		});
		expect((await call('delete', '/tenant/options/tool/c', undefined, 'admin')).status).to.equal(204);
		expectRefusal(await call('get', '/tenant/options/tool/c', undefined, 'admin'), 404, /No option 'c'/);
	});

	it('shows the service as the application that tools look for', async () => {
		const { body } = await call('get', '/application/applicationsByUser/admin?pageSize=2000', undefined, 'admin');
		expect(body.applications).to.have.length(1);
		expect(body.applications[0]).to.include({
			name: 'advanced-software-mgmt',
			contextPath: 'advanced-software-mgmt',
			type: 'MICROSERVICE',
		});
		const current = await call('get', '/tenant/currentTenant', undefined, 'admin');
		expect(current.body.applications.references[0].application).to.deep.equal(body.applications[0]);
		expect(body.applications[0].manifest).to.deep.equal({ version: '0.0.0-test' });
		expect((await call('get', '/tenant/system/options/system/version', undefined, 'admin')).body).to.deep.equal({
			category: 'system',
			key: 'version',
			value: '1020.0.0',
		});
		expect((await call('get', '/tenant/system/options/system/none', undefined, 'admin')).status).to.equal(404);
		expect((await call('get', '/application/applications?name=none', undefined, 'admin')).body.applications).to.deep.equal([]);
		expect((await call('get', '/application/applications/2', undefined, 'admin')).status).to.equal(404);
		expect((await call('get', '/application/currentApplication/subscriptions', undefined, 'admin')).body).to.deep.equal({
			users: [],
		});
		expectRefusal(await call('get', '/application/applicationsByUser/admin', undefined, 'manager'), 403, /somebody else/);
		expect((await call('get', '/application/applicationsByUser/manager', undefined, 'manager')).status).to.equal(200);
	});
});
