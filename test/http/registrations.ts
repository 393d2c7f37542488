import { expect } from 'chai';
import { basic } from '../support/checked-http-client.ts';
import { expectRefusal, type HttpFixture, openHttpFixture } from '../support/http-fixture.ts';

const root = '/devicecontrol/newDeviceRequests';

describe('http/registrations', () => {
	let fixture: HttpFixture;
	before(async () => {
		fixture = await openHttpFixture();
	});
	after(() => fixture.close());

	const expectDevice = (body: unknown) => fixture.call('admin', 'post', root, { body });
	const poll = (body: unknown) => fixture.call('bootstrap', 'post', '/devicecontrol/deviceCredentials', { body });
	const accept = (id: string, body: unknown = { status: 'ACCEPTED' }) =>
		fixture.call('admin', 'put', `${root}/${encodeURIComponent(id)}`, { body });

	it('leads a device from its registration to credentials that work', async () => {
		const made = await expectDevice({ id: 'new 1' });
		const registration = {
			id: 'new 1',
			status: 'WAITING_FOR_CONNECTION',
			tenantId: 't1',
			creationTime: '2026-11-21T20:23:30.412Z',
			self: `${fixture.url}${root}/new%201`,
		};
		expect([made.status, made.body]).to.deep.equal([201, registration]);
		expect((await accept('new 1')).status).to.equal(422);
		expect((await poll({ id: 'new 1' })).status).to.equal(404);
		const pending = await fixture.call('admin', 'get', `${root}/new%201`);
		expect(pending.body).to.deep.equal({ ...registration, status: 'PENDING_ACCEPTANCE' });
		expect((await fixture.call('admin', 'get', root)).body.newDeviceRequests).to.deep.equal([pending.body]);
		expect((await poll({ id: 'new 1' })).status).to.equal(404);
		expect((await accept('new 1')).body.status).to.equal('ACCEPTED');
		const { status, body } = await poll({ id: 'new 1' });
		expect(status).to.equal(201);
		expect(body).to.include({ id: 'new 1', tenantId: 't1', username: 'device_new 1' });
		const again = await poll({ id: 'new 1' });
		expectRefusal(again, 404, /handed out once; where they got lost, have the device registered anew/);
		// Nobody learns by this that the serial is taken.
		const { message } = (await poll({ id: 'never' })).body;
		expect(message.replace('never', 'new 1')).to.equal(again.body.message);
		expect((await fixture.call('admin', 'get', `${root}/new%201`)).status).to.equal(404);
		const headers = { Authorization: basic(`${body.tenantId}/${body.username}:${body.password}`) };
		expect((await fixture.call(undefined, 'get', '/tenant/currentTenant', { headers })).status).to.equal(200);
		expect(fixture.logLines.join('')).not.to.contain(body.password);
	});

	it('gives no credentials while the tenant is suspended', async () => {
		const { tenants } = fixture.services.access;
		expect((await fixture.call('otherAdmin', 'post', root, { body: { id: 'paused' } })).status).to.equal(201);
		await poll({ id: 'paused' });
		expect((await fixture.call('otherAdmin', 'put', `${root}/paused`, { body: { status: 'ACCEPTED' } })).status).to.equal(200);
		await tenants.change('t2', { status: 'SUSPENDED' });
		expect((await poll({ id: 'paused' })).status).to.equal(404);
		await tenants.change('t2', { status: 'ACTIVE' });
		expect((await poll({ id: 'paused' })).body).to.include({ tenantId: 't2', username: 'device_paused' });
	});

	it('takes a registration back', async () => {
		await expectDevice({ id: 'gone' });
		expect((await fixture.call('admin', 'delete', `${root}/gone`)).status).to.equal(204);
		expect((await fixture.call('admin', 'delete', `${root}/gone`)).status).to.equal(404);
		expect((await accept('gone')).status).to.equal(404);
	});

	it('keeps a serial for one registration, whichever tenant asks', async () => {
		await expectDevice({ id: 'once', tenantId: 't1', groupId: null });
		expect((await expectDevice({ id: 'once' })).status).to.equal(409);
		expect((await fixture.call('otherAdmin', 'post', root, { body: { id: 'once' } })).status).to.equal(409);
		expect((await fixture.call('otherAdmin', 'get', root)).body.newDeviceRequests).to.deep.equal([]);
	});

	const bad: readonly (readonly [body: unknown, message: RegExp])[] = [
		[{}, /id must be text, found nothing/],
		[{ id: '' }, /id is empty/],
		[{ id: 5 }, /id must be text, found the number 5/],
		[{ id: 'a/b' }, /id must have 1 to 254 characters/],
		[{ id: 'a:b' }, /id must have/],
		[{ id: 'x'.repeat(300) }, /id must have/],
		[{ id: 'x', tenantId: 't2' }, /tenantId must be 't1'/],
		[{ id: 'x', groupId: '5' }, /groupId is not supported yet/],
		[{ id: 'x', type: 't' }, /type is not supported yet/],
		[{ id: 'x', securityToken: 's' }, /securityToken is not supported yet/],
		[[], /must be an object/],
	];
	for (const [body, message] of bad) {
		it(`refuses ${JSON.stringify(body).slice(0, 40)}`, async () => {
			const answer = await expectDevice(body);
			expectRefusal(answer, 422, message);
		});
	}

	for (const body of [{}, { status: 'BLOCKED' }, { status: 'ACCEPTED', securityToken: 'x' }, []]) {
		it(`does not accept by ${JSON.stringify(body)}`, async () => expect((await accept('once', body)).status).to.equal(422));
	}

	it('never answers 400 to a device that asks for credentials', async () => {
		for (const body of [{}, { id: '' }, { id: 1 }, []]) expect((await poll(body)).status).to.equal(422);
		for (const text of ['', '{', 'x']) {
			expect((await fixture.call('bootstrap', 'post', '/devicecontrol/deviceCredentials', { text })).status).to.equal(422);
		}
		expect((await poll({ id: 'unknown', securityToken: 'x' })).status).to.equal(404);
	});
});
