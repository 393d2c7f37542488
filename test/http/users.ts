import { expect } from 'chai';
import type { Response } from 'supertest';
import type { HttpMethod } from '../support/checked-http-client.ts';
import { type Caller, expectRefusal, type HttpFixture, openHttpFixture, tenant } from '../support/http-fixture.ts';

const users = `/user/${tenant}/users`;
const groups = `/user/${tenant}/groups`;
const password = 'long-enough-secret';

interface Named {
	readonly userName: string;
}

describe('http/users', () => {
	let fixture: HttpFixture;
	beforeEach(async () => {
		fixture = await openHttpFixture();
	});
	afterEach(() => fixture.close());

	const call = (method: HttpMethod, path: string, body?: object, caller: Caller = 'admin') =>
		fixture.call(caller, method, path, body ? { body } : {});

	async function create(userName: string, ...groupIds: number[]): Promise<void> {
		expect((await call('post', users, { userName, password })).status).to.equal(201);
		for (const id of groupIds)
			expect((await call('post', `${groups}/${id}/users`, { user: { id: userName } })).status).to.equal(201);
	}

	/** Calls as a user that the test has made. */
	function as(userName: string, method: HttpMethod, path: string, body?: object, given = password): Promise<Response> {
		const headers = { Authorization: `Basic ${Buffer.from(`${tenant}/${userName}:${given}`).toString('base64')}` };
		return fixture.call(undefined, method, path, { headers, ...(body && { body }) });
	}

	async function roles(userName: string, given = password): Promise<string[]> {
		const { status, body } = await as(userName, 'get', '/user/currentUser', undefined, given);
		expect(status).to.equal(200);
		return body.effectiveRoles.map(({ id }: { id: string }) => id);
	}

	it('creates, shows, changes and removes a user, and never shows the password', async () => {
		const made = await call('post', users, {
			userName: 'anna',
			password,
			firstName: 'Anna',
			email: 'anna@example.com',
			unknown: 1,
		});
		expect(made.body).to.deep.include({ id: 'anna', userName: 'anna', firstName: 'Anna', enabled: true, owner: 'admin' });
		expect(made.body.self).to.match(/\/user\/t1\/users\/anna$/);
		expect(JSON.stringify(made.body)).to.not.match(/"password"|argon2/i);
		const changed = await call('put', `${users}/anna`, {
			...made.body,
			firstName: null,
			lastName: 'Berg',
			customProperties: { a: 1 },
		});
		expect(changed.body).to.deep.include({ lastName: 'Berg', email: 'anna@example.com', customProperties: { a: 1 } });
		expect(changed.body).to.not.have.property('firstName');
		expect((await call('get', `/user/${tenant}/userByName/anna`)).body).to.deep.equal(changed.body);
		expect((await call('delete', `${users}/anna`)).status).to.equal(204);
		expectRefusal(await call('get', `${users}/anna`), 404, /No user 'anna'/);
		expectRefusal(await call('delete', `${users}/anna`), 404, /No user 'anna'/);
	});

	// The last two would be taken for the service itself in records.
	const refusedNames = [
		'',
		'a b',
		'a/b',
		'a:b',
		'a+b',
		'a$b',
		"a'b",
		'a\u0000b',
		'x'.repeat(256),
		'device_new',
		'\ufffd',
		'system',
		'System',
	];
	for (const userName of refusedNames) {
		it(`refuses the name ${JSON.stringify(userName.slice(0, 12))} (${userName.length})`, async () => {
			expectRefusal(await call('post', users, { userName, password }), 422, /userName/);
		});
	}
	for (const [body, message] of [
		[{ userName: 'u', sendPasswordResetEmail: true }, /^password is missing: nobody is sent an e-mail/],
		[{ userName: 'u', password: 5 }, /password must be text/],
		[{ userName: 'u', password: 'short' }, /at least 12/],
		[{ password }, /userName/],
		[{ userName: 'u', password, email: 5 }, /email must be/],
		[{ userName: 'u', password, email: 'x'.repeat(300) }, /email must have at most/],
		[{ userName: 'u', password, firstName: 'a\nb' }, /firstName/],
		[{ userName: 'u', password, enabled: 'no' }, /enabled must be/],
		[{ userName: 'u', password, customProperties: { a: 'x'.repeat(11_000) } }, /customProperties is too long/],
		[[], /must be an object/],
	] as const) {
		it(`refuses ${JSON.stringify(body).slice(0, 60)}`, async () => {
			expectRefusal(await call('post', users, body), 422, message);
			expectRefusal(await call('get', `${users}/u`), 404, /No user/);
		});
	}

	it('refuses a user that is there', async () => {
		expectRefusal(await call('post', users, { userName: 'admin', password }), 409, /'admin' already/);
	});

	it('lists by pages, the beginning of the name, groups, owner, and devices', async () => {
		await create('anna', 3);
		await create('anton', 4);
		const names = async (query: string) => {
			const { body, status } = await call('get', `${users}?${query}`);
			expect(status).to.equal(200);
			return body.users.map(({ userName }: Named) => userName);
		};
		expect(await names('username=an&pageSize=1')).to.deep.equal(['anna']);
		expect(await names('username=an&pageSize=1&currentPage=2')).to.deep.equal(['anton']);
		expect(await names('username=device_')).to.deep.equal(['device_dev1', 'device_dev2']);
		expect(await names('onlyDevices=true')).to.deep.equal(['device_dev1', 'device_dev2']);
		expect(await names('onlyDevices=false&pageSize=100'))
			.to.include('anna')
			.and.not.include('device_dev1');
		expect(await names('groups=3,4')).to.deep.equal(['anna', 'anton', 'operator', 'reader']);
		expect(await names('owner=admin')).to.deep.equal(['anna', 'anton']);
		expect(await names('username=%25')).to.deep.equal([]);
		expectRefusal(await call('get', `${users}?groups=9999`), 404, /No group/);
		const counted = await call('get', `${users}?username=an&pageSize=1&withTotalPages=true`);
		expect(counted.body.statistics).to.deep.include({ totalPages: 2 });
		const inGroup = await call('get', `${groups}/2/users`);
		expect(inGroup.body.references.map(({ user }: { user: Named }) => user.userName)).to.deep.equal([
			'device_dev1',
			'device_dev2',
		]);
	});

	it('keeps no book in the description of a group', async () => {
		for (const length of [1000, 1001]) {
			const body = { name: `described-${length}`, description: 'd'.repeat(length), roles: [] };
			const made = await call('post', groups, body);
			if (length === 1000) expect(made.status).to.equal(201);
			else expectRefusal(made, 422, /description has 1001 characters: at most 1000 are stored/);
		}
	});

	it('lets a user do what its groups, its roles and a group of its own grant, at once', async () => {
		await create('anna');
		expect(await roles('anna')).to.deep.equal(['ROLE_USER_MANAGEMENT_OWN_READ', 'ROLE_USER_MANAGEMENT_OWN_ADMIN']);
		expect((await as('anna', 'get', '/inventory/managedObjects')).status).to.equal(403);
		await call('post', `${groups}/4/users`, { user: { self: `https://host${users}/anna` } });
		expect((await as('anna', 'get', '/inventory/managedObjects')).status).to.equal(200);
		expect((await as('anna', 'post', '/inventory/managedObjects', {})).status).to.equal(403);
		const { body: made } = await call('post', groups, { name: 'makers', roles: ['ROLE_INVENTORY_CREATE'] });
		await call('post', `${groups}/${made.id}/users`, { user: { id: 'anna' } });
		expect((await as('anna', 'post', '/inventory/managedObjects', {})).status).to.equal(201);
		await call('put', `${groups}/${made.id}`, { roles: [] });
		expect((await as('anna', 'post', '/inventory/managedObjects', {})).status).to.equal(403);
		await call('post', `${users}/anna/roles`, { role: { self: 'https://host/user/roles/ROLE_AUDIT_READ' } });
		expect(await roles('anna')).to.include('ROLE_AUDIT_READ');
		expect((await call('get', `${users}/anna/roles`)).body.references[0].role).to.deep.include({ id: 'ROLE_AUDIT_READ' });
		await call('delete', `${users}/anna/roles/ROLE_AUDIT_READ`);
		expect(await roles('anna')).to.not.include('ROLE_AUDIT_READ');
		const { body: shown } = await call('get', `${users}/anna/groups`);
		expect(shown.references.map(({ group }: { group: { name: string } }) => group.name)).to.deep.equal(['readers', 'makers']);
		await call('delete', `${groups}/${made.id}`);
		expect((await call('get', `${users}/anna/groups`)).body.references).to.have.length(1);
		await call('delete', `${groups}/4/users/anna`);
		expect((await as('anna', 'get', '/inventory/managedObjects')).status).to.equal(403);
	});

	it('shows the same in a token that was issued before', async () => {
		await create('anna', 4);
		const token = await fixture.services.access.tokens.issue({ tenant, userName: 'anna', role: 'admin' }, 'localhost');
		const headers = { Authorization: `Bearer ${token}` };
		const status = async (path: string) => (await fixture.call(undefined, 'get', path, { headers })).status;
		expect([await status('/inventory/managedObjects'), await status(users)]).to.deep.equal([200, 403]);
		await call('put', `${users}/anna`, { enabled: false });
		expect(await status('/inventory/managedObjects')).to.equal(401);
		expectRefusal(await as('anna', 'get', '/user/currentUser'), 401, /disabled/);
		expectRefusal(await as('anna', 'get', '/user/currentUser', undefined, 'wrong'), 401, /is wrong/);
		await call('put', `${users}/anna`, { enabled: true });
		// Somebody who comes back logs in anew.
		expect(await status('/inventory/managedObjects')).to.equal(401);
		expect((await as('anna', 'get', '/inventory/managedObjects')).status).to.equal(200);
	});

	it('ends the sessions of a user with another password, which the user then has to change', async () => {
		await create('anna', 4);
		const issue = () => fixture.services.access.tokens.issue({ tenant, userName: 'anna', role: 'reader' }, 'localhost');
		const status = async (token: string) =>
			(await fixture.call(undefined, 'get', '/inventory/managedObjects', { headers: { Authorization: `Bearer ${token}` } }))
				.status;
		const before = await issue();
		expect(await status(before)).to.equal(200);
		expectRefusal(await call('put', `${users}/anna`, { password: 'password12345' }), 422, /common/);
		expect(await status(before)).to.equal(200);
		const changed = await call('put', `${users}/anna`, { password: 'chosen by others' });
		expect(changed.body.shouldResetPassword).to.equal(true);
		expect([await status(before), await status(await issue())]).to.deep.equal([401, 403]);
		const own = { currentUserPassword: 'chosen by others', newPassword: 'chosen by anna' };
		expect((await as('anna', 'put', '/user/currentUser/password', own, 'chosen by others')).status).to.equal(200);
		expect((await as('anna', 'get', '/inventory/managedObjects', undefined, 'chosen by anna')).status).to.equal(200);
	});

	it('gives nobody another password of their own without the present one', async () => {
		const own = await call('put', `${users}/admin`, { password: 'another-long-secret' });
		expectRefusal(own, 422, /own password is changed with PUT \/user\/currentUser\/password/);
		expect((await call('put', `${users}/admin`, { firstName: 'A' })).status).to.equal(200);
	});

	it('gives nobody a password who logs in at another provider', async () => {
		await fixture.services.access.users.setExternal(tenant, 'ext', 'reader', 'idp/1');
		for (const body of [{ password }, { shouldResetPassword: true }])
			expectRefusal(await call('put', `${users}/ext`, body), 422, /another provider/);
		expect((await call('put', `${users}/ext`, { firstName: 'Ext' })).body.firstName).to.equal('Ext');
	});

	it('tells who may not do something by which roles it could be done', async () => {
		await create('plain');
		const refusal = /^This user may not do this: it needs inventory:create \(ROLE_INVENTORY_CREATE or ROLE_INVENTORY_ADMIN\)$/;
		expectRefusal(await as('plain', 'post', '/inventory/managedObjects', { name: 'new' }), 403, refusal);
	});

	it('lets nobody reach a user who has more, but has to change the password first', async () => {
		await create('helpdesk', 4);
		for (const role of ['ROLE_USER_MANAGEMENT_READ', 'ROLE_USER_MANAGEMENT_ADMIN'])
			await call('post', `${users}/helpdesk/roles`, { role: { id: role } });
		await create('second', 1);
		await call('put', `${users}/second`, { shouldResetPassword: true });
		expectRefusal(await as('helpdesk', 'put', `${users}/second`, { password: 'taken-over-now' }), 403, /does not have/);
	});

	it('keeps the last administrator, whoever tries and however many at once', async () => {
		for (const [method, path, body] of [
			['delete', `${users}/admin`, undefined],
			['put', `${users}/admin`, { enabled: false }],
			['delete', `${groups}/1/users/admin`, undefined],
		] as const)
			expectRefusal(await call(method, path, body), 409, /last administrator/);
		await create('second', 1);
		await create('third', 1);
		// All three go at once: one has to stay.
		const answers = await Promise.all(['admin', 'second', 'third'].map((name) => call('delete', `${groups}/1/users/${name}`)));
		const left = await fixture.services.access.directory.countInRole(tenant, 'admin');
		expect(left, answers.map(({ status }) => status).join()).to.be.greaterThan(0);
	});

	describe('nobody gives, or touches, more than they have', () => {
		beforeEach(async () => {
			await create('helpdesk', 4);
			for (const role of ['ROLE_USER_MANAGEMENT_READ', 'ROLE_USER_MANAGEMENT_ADMIN'])
				expect((await call('post', `${users}/helpdesk/roles`, { role: { id: role } })).status).to.equal(201);
			await create('plain');
		});

		for (const [what, method, path, body] of [
			['its own group', 'post', `${groups}/1/users`, { user: { id: 'helpdesk' } }],
			['its own role', 'post', `${users}/helpdesk/roles`, { role: { id: 'ROLE_INVENTORY_ADMIN' } }],
			['the group of another one', 'post', `${groups}/3/users`, { user: { id: 'plain' } }],
			['the role of another one', 'post', `${users}/plain/roles`, { role: { id: 'ROLE_AUDIT_READ' } }],
			['a group that may more', 'post', groups, { name: 'g', roles: ['ROLE_INVENTORY_ADMIN'] }],
			['the password of an administrator', 'put', `${users}/admin`, { password: 'taken-over' }],
			['the password of an operator', 'put', `${users}/operator`, { password: 'taken-over' }],
			['the administrator away', 'delete', `${users}/admin`, undefined],
			['the password of a device', 'put', `${users}/device_dev1`, { password: 'taken-over' }],
		] as const) {
			it(`refuses ${what}`, async () => {
				expectRefusal(await as('helpdesk', method, path, body), 403, /does not have/);
			});
		}

		it('lets it give what it has', async () => {
			expect((await as('helpdesk', 'post', `${groups}/4/users`, { user: { id: 'plain' } })).status).to.equal(201);
			const change = { password: 'another secret', shouldResetPassword: false };
			expect((await as('helpdesk', 'put', `${users}/plain`, change)).status).to.equal(200);
			expect(await roles('plain', 'another secret')).to.include('ROLE_INVENTORY_READ');
		});

		it('grants nobody of another tenant the care of tenants', async () => {
			expect((await call('post', `${users}/plain/roles`, { role: { id: 'ROLE_TENANT_MANAGEMENT_ADMIN' } })).status).to.equal(201);
			expect(await roles('plain')).to.not.include('ROLE_TENANT_MANAGEMENT_ADMIN');
			expect((await as('plain', 'get', '/tenant/tenants')).status).to.equal(403);
		});
	});

	for (const [method, path, body, status, message] of [
		['post', groups, { name: 'admins' }, 409, /already/],
		['post', groups, { name: ' ' }, 422, /name must/],
		['post', groups, { name: 'g', roles: ['ROLE_NONE'] }, 422, /'ROLE_NONE', which is none/],
		['post', groups, { name: 'g', roles: ['__proto__'] }, 422, /which is none/],
		['post', groups, { name: 'g', roles: 'ROLE_AUDIT_READ' }, 422, /roles must be an array/],
		['put', `${groups}/1`, { name: 'g' }, 422, /predefined/],
		['delete', `${groups}/4`, undefined, 422, /predefined/],
		['put', `${groups}/77`, { name: 'g' }, 404, /No group with id '77'/],
		['get', `${groups}/__proto__`, undefined, 404, /No group/],
		['get', `/user/${tenant}/groupByName/none`, undefined, 404, /No group with the name/],
		['post', `${groups}/1/users`, { user: { id: 'nobody' } }, 404, /No user 'nobody'/],
		['post', `${groups}/2/users`, { user: { id: 'operator' } }, 422, /do not become devices/],
		['post', `${groups}/1/users`, { user: 'operator' }, 422, /user/],
		['post', `${groups}/1/users`, { user: { id: 'device_dev1' } }, 422, /is a device/],
		['delete', `${groups}/1/users/operator`, undefined, 404, /not in group/],
		['post', `${users}/operator/roles`, { role: { id: 'ROLE_NONE' } }, 404, /There is no role 'ROLE_NONE'/],
		['delete', `${users}/operator/roles/ROLE_AUDIT_READ`, undefined, 404, /was not given/],
		['get', '/user/roles/ROLE_NONE', undefined, 404, /no role/],
		['get', '/user/inventoryroles/9', undefined, 404, /no inventory role/],
		['get', '/user/t2/users', undefined, 403, /'t2' is not the tenant/],
		['delete', '/user/t2/users/admin', undefined, 403, /'t2' is not the tenant/],
		['put', '/user/currentUser', { password: 'another secret' }, 422, /PUT \/user\/currentUser\/password/],
	] as const) {
		it(`answers ${status} to ${method.toUpperCase()} ${path} ${JSON.stringify(body) ?? ''}`, async () => {
			expectRefusal(await call(method, path, body), status, message);
		});
	}

	it('shows everybody themselves, whatever the Accept header says', async () => {
		for (const Accept of [
			'application/vnd.com.nsn.cumulocity.user+json;',
			'application/vnd.com.nsn.cumulocity.currentUser+json;',
			'application/vnd.com.nsn.cumulocity.currentuser+json',
			'application/json',
		]) {
			const { body, status } = await fixture.call('admin', 'get', '/user/currentUser', { headers: { Accept } });
			expect(status).to.equal(200);
			expect(body).to.deep.include({ id: 'admin', userName: 'admin', shouldResetPassword: false });
			expect(body.effectiveRoles).to.be.an('array').with.length.greaterThan(10);
			expect(body.effectiveRoles[0]).to.have.keys('id', 'name', 'self');
		}
		const { body } = await call('put', '/user/currentUser', { phone: '0123', enabled: false }, 'reader');
		expect(body).to.deep.include({ phone: '0123', enabled: true });
	});

	it('removes and disables the user of a device', async () => {
		expect((await fixture.call('device', 'get', '/tenant/currentTenant')).status).to.equal(200);
		await call('put', `${users}/device_dev1`, { enabled: false });
		expect((await fixture.call('device', 'get', '/tenant/currentTenant')).status).to.equal(401);
		expect((await call('delete', `${users}/device_dev1`)).status).to.equal(204);
		expect((await call('delete', `${users}/device_dev1`)).status).to.equal(404);
	});
});
