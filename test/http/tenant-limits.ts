import { expect } from 'chai';
import { expectRefusal, type HttpFixture, openHttpFixture, tenant } from '../support/http-fixture.ts';

const path = `/tenant/tenants/${tenant}`;
const software = '/service/advanced-software-mgmt/software?deviceId=';

describe('http/tenant-limits', () => {
	let fixture: HttpFixture;
	beforeEach(async () => {
		fixture = await openHttpFixture();
	});
	afterEach(() => fixture.close());

	async function limit(limits: object): Promise<void> {
		const { status } = await fixture.call('management', 'put', path, { body: { limits } });
		expect(status).to.equal(200);
	}

	async function create(body: object): Promise<{ readonly status: number; readonly body: { id: string; message: string } }> {
		// Counts are good for some seconds.
		fixture.time += 100;
		return fixture.call('admin', 'post', '/inventory/managedObjects', { body });
	}

	it('lets in as many devices as the tenant may have, and others again when some have gone', async () => {
		await limit({ devices: 2 });
		const first = await create({ c8y_IsDevice: {} });
		expect([first.status, (await create({ c8y_IsDevice: {} })).status]).to.deep.equal([201, 201]);
		expectRefusal(await create({ c8y_IsDevice: {} }), 422, /as many devices as it may have.*ask for a higher limit/);
		// What is no device is not counted, until it becomes one.
		const group = await create({ name: 'group' });
		expect(group.status).to.equal(201);
		fixture.time += 100;
		const becoming = await fixture.call('admin', 'put', `/inventory/managedObjects/${group.body.id}`, {
			body: { c8y_IsDevice: {} },
		});
		expectRefusal(becoming, 422, /devices/);
		await fixture.call('admin', 'delete', `/inventory/managedObjects/${first.body.id}`);
		expect((await create({ c8y_IsDevice: {} })).status).to.equal(201);
		expectRefusal(await create({ c8y_IsDevice: {} }), 422, /devices/);
		await limit({ devices: null });
		expect((await create({ c8y_IsDevice: {} })).status).to.equal(201);
	});

	it('lets in as many packages as the tenant may have, however they are sent', async () => {
		await limit({ packages: 3 });
		const { id } = (await create({ c8y_IsDevice: {} })).body;
		const other = (await create({ c8y_IsDevice: {} })).body.id;
		const send = (method: 'post' | 'put', device: string, ...names: string[]) => {
			fixture.time += 100;
			return fixture.call('admin', method, software + device, { body: names.map((name) => ({ name, version: '1' })) });
		};
		// POST replaces a list, PUT adds to it.
		expect((await send('post', id, 'a', 'b')).status).to.equal(201);
		expect((await send('put', other, 'c')).status).to.equal(200);
		expectRefusal(await send('put', other, 'd'), 422, /packages/);
		expectRefusal(await send('post', id, 'a', 'b', 'd'), 422, /packages/);
		// The same again, and others in place of them, take no room.
		expect((await send('put', other, 'c')).status).to.equal(200);
		expect((await send('post', id, 'x', 'y')).status).to.equal(201);
		expectRefusal(await send('put', id, 'z'), 422, /packages/);
		expect((await send('post', id, 'x')).status).to.equal(201);
		expect((await send('put', other, 'd')).status).to.equal(200);
	});

	it('answers 429 to requests that are too many in a second, of that tenant alone', async () => {
		await limit({ requestsPerSecond: 2 });
		fixture.time += 1000 - (fixture.time % 1000);
		const statuses: number[] = [];
		for (let request = 0; request < 4; request++)
			statuses.push((await fixture.call('admin', 'get', '/tenant/currentTenant')).status);
		expect(statuses).to.deep.equal([200, 200, 429, 429]);
		const refused = await fixture.call('device', 'get', '/tenant/currentTenant');
		expectRefusal(refused, 429, /2 requests a second/);
		expect(refused.headers['retry-after']).to.equal('1');
		expect((await fixture.call('otherAdmin', 'get', '/tenant/currentTenant')).status).to.equal(200);
		fixture.time += 1000;
		expect((await fixture.call('admin', 'get', '/tenant/currentTenant')).status).to.equal(200);
	});

	for (const [limits, message] of [
		[{ devices: -1 }, /limits\.devices/],
		[{ packages: 1.5 }, /limits\.packages/],
		[{ storageBytes: '5' }, /limits\.storageBytes/],
		[{ requestsPerSecond: 1e300 }, /limits\.requestsPerSecond/],
		[5, /limits/],
	] as const) {
		it(`refuses the limits ${JSON.stringify(limits)}`, async () => {
			expectRefusal(await fixture.call('management', 'put', path, { body: { limits } }), 422, message);
		});
	}
});
