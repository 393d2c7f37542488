import { expect } from 'chai';
import { problems } from '../../service/http/index.ts';
import { expectRefusal, type HttpFixture, openHttpFixture, tenant } from '../support/http-fixture.ts';

describe('http/service-state', () => {
	let fixture: HttpFixture;
	beforeEach(async () => {
		fixture = await openHttpFixture();
	});
	afterEach(() => fixture.close());

	it('says that it is alive, ready, or what is wrong', async () => {
		expect((await fixture.call(undefined, 'get', '/health')).body).to.deep.equal({ status: 'UP', version: '0.0.0-test' });
		const ready = await fixture.call(undefined, 'get', '/ready');
		expect([ready.status, ready.body]).to.deep.equal([200, { status: 'UP', store: { ready: true }, broker: { ready: true } }]);
		fixture.readiness = { store: { ready: false, reason: 'the disk is full' }, broker: { ready: true } };
		const { status, body } = await fixture.call(undefined, 'get', '/ready');
		expect([status, body.status, body.store]).to.deep.equal([503, 'DOWN', { ready: false, reason: 'the disk is full' }]);
	});

	it('counts requests by route, never by id', async () => {
		await fixture.call('admin', 'get', '/inventory/managedObjects/12345');
		await fixture.call('admin', 'get', '/nowhere/12345');
		await fixture.call('admin', 'patch', '/inventory/managedObjects/12345');
		const { status, text, headers } = await fixture.call(undefined, 'get', '/metrics');
		expect([status, headers['content-type']]).to.deep.equal([200, fixture.services.metrics.registry.contentType]);
		expect(text).to.contain('http_request_seconds_count{method="get",route="/inventory/managedObjects/{id}",status="404"} 1');
		expect(text).to.contain('http_request_seconds_count{method="other",route="unknown",status="404"} 1');
		expect(text).to.contain('status="405"').and.not.to.contain('12345');
	});

	it('answers unknown paths and methods as JSON', async () => {
		for (const path of [
			'/',
			'/nowhere',
			'/inventory',
			'/inventory/managedObjects/1/2/3',
			'/Inventory/ManagedObject',
			'//',
			'/..%2f..%2fetc',
		]) {
			expectRefusal(await fixture.call(undefined, 'get', path), 404, /There is nothing at/);
		}
		const rows = [
			['patch', '/inventory/managedObjects/1', 'GET, HEAD, PUT, DELETE'],
			['put', '/inventory/managedObjects', 'POST, GET, HEAD'],
			['post', '/health', 'GET, HEAD'],
			['delete', '/devicecontrol/deviceCredentials', 'POST'],
			['options', '/devicecontrol/operations', 'POST, GET, HEAD, DELETE'],
		] as const;
		for (const [method, path, allow] of rows) {
			const answer = await fixture.call(undefined, method, path);
			expectRefusal(answer, 405, /is not possible here/);
			expect(answer.headers.allow).to.equal(allow);
		}
	});

	it('answers 503 to be tried again while the store cannot do it', async () => {
		await fixture.call('admin', 'get', '/tenant/currentTenant');
		await fixture.closeStore();
		const answer = await fixture.call('admin', 'get', '/inventory/managedObjects');
		expectRefusal(answer, 503, /try again/);
		expect(answer.headers['retry-after']).to.equal('5');
	});

	it('tells nothing from inside when it fails, but the log does, under the same id', async () => {
		fixture.services.access.users.find = async () => {
			throw new TypeError('secret inside');
		};
		const path = `/identity/globalIds/${(await fixture.call('device', 'post', '/inventory/managedObjects', { body: {} })).body.id}/externalIds`;
		const answer = await fixture.call('device', 'post', path, { body: { type: 'c8y_Serial', externalId: 'x' } });
		expectRefusal(answer, 500, /its log tells more/);
		expect(answer.text).not.to.contain('secret inside');
		const line = fixture.logLines.find((text) => text.includes(answer.body.details.errorId));
		expect(line).to.contain('secret inside');
	});

	it('tells about removed objects by tenant', async () => {
		const { id } = (await fixture.call('admin', 'post', '/inventory/managedObjects', { body: {} })).body;
		await fixture.call('admin', 'delete', `/inventory/managedObjects/${id}`);
		expect(fixture.removed).to.deep.equal([{ tenant, ids: [id] }]);
	});

	it('has a title and a status of refusal for every code', () => {
		for (const [code, { status, title }] of Object.entries(problems)) {
			expect(status, code).to.be.within(400, 599);
			expect(title, code).to.match(/^[A-Z]/);
		}
	});
});
