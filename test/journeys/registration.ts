import { expect } from 'chai';
import { within } from '../support/eventually.ts';
import { createHttpClient } from '../support/http-client.ts';
import { bootstrap, type ServiceUnderTest, startService } from '../support/service-fixture.ts';

interface AuditRecord {
	readonly user: string;
	readonly origin: { readonly channel: string; readonly device?: string; readonly call?: string };
}

describe('journeys/registration', () => {
	let service: ServiceUnderTest;
	const logLines: string[] = [];
	before(async () => {
		service = await startService({}, { logLines });
	});
	after(() => service.close());

	const statusOf = async (serial: string) =>
		(await service.operator.http.get<{ readonly status: string }>(`/devicecontrol/newDeviceRequests/${serial}`)).status;

	it('gives a device its credentials over MQTT, once somebody has accepted it', async () => {
		const { http } = service.operator;
		await http.post('/devicecontrol/newDeviceRequests', { id: 'new-1' });
		expect(await statusOf('new-1')).to.equal('WAITING_FOR_CONNECTION');
		expect((await http.call('PUT', '/devicecontrol/newDeviceRequests/new-1', { status: 'ACCEPTED' })).status).to.be.within(
			400,
			499,
		);
		const unknown = await service.connect('new-1', { ...bootstrap, topics: ['s/dcr'] });
		await unknown.send('', 's/ucr');
		expect(await statusOf('new-1')).to.equal('PENDING_ACCEPTANCE');
		await unknown.send('', 's/ucr');
		await http.put('/devicecontrol/newDeviceRequests/new-1', { status: 'ACCEPTED' });
		await unknown.send('', 's/ucr', 0);
		const [id, tenant, user, password = ''] = (await unknown.nextLine('s/dcr')).split(',');
		expect([id, tenant, user]).to.deep.equal(['70', 't1', 'device_new-1']);
		expect(password).to.match(/^[^,"]{12,}$/);
		expect((await http.call('GET', '/devicecontrol/newDeviceRequests/new-1')).status).to.equal(404);
		await unknown.close();

		const device = await service.connect('new-1', { user: `${tenant}/${user}`, password });
		await device.send('100,New one,c8y_Linux');
		expect(await service.operator.objectOf('new-1')).to.include({ name: 'New one', owner: 'device_new-1' });
	});

	it('can accept a device that asks before it listens, and keeps its credentials', async () => {
		const { http } = service.operator;
		await http.post('/devicecontrol/newDeviceRequests', { id: 'deaf-1' });
		const device = await service.connect('deaf-1', { ...bootstrap, topics: [] });
		await device.send('', 's/ucr');
		expect(await statusOf('deaf-1')).to.equal('PENDING_ACCEPTANCE');
		await http.put('/devicecontrol/newDeviceRequests/deaf-1', { status: 'ACCEPTED' });
		await device.send('', 's/ucr');
		expect(await statusOf('deaf-1')).to.equal('ACCEPTED');
		await device.subscribe(['s/dcr']);
		await device.send('', 's/ucr');
		expect(await device.nextLine('s/dcr')).to.match(/^70,t1,device_deaf-1,/);
	});

	it('gives a device that asks and only then listens its credentials when it listens, and says so once in the log', async () => {
		const { http } = service.operator;
		await http.post('/devicecontrol/newDeviceRequests', { id: 'late-1' });
		const device = await service.connect('late-1', { ...bootstrap, topics: [] });
		for (let times = 0; times < 3; times++) await device.send('', 's/ucr');
		expect(await statusOf('late-1')).to.equal('PENDING_ACCEPTANCE');
		expect(logLines.filter((line) => line.includes('"device":"late-1"') && line.includes('does not listen'))).to.have.length(1);
		await http.put('/devicecontrol/newDeviceRequests/late-1', { status: 'ACCEPTED' });
		await device.subscribe(['s/dcr']);
		expect(await device.nextLine('s/dcr')).to.match(/^70,t1,device_late-1,/);
		const path = '/audit/auditRecords?type=DeviceRegistration&source=late-1&pageSize=100';
		const { auditRecords } = await http.get<{ readonly auditRecords: readonly AuditRecord[] }>(path);
		const asked = auditRecords.filter(({ origin }) => origin.channel !== 'http');
		expect(asked.map(({ user, origin }) => [user, origin.channel, origin.device, origin.call])).to.deep.equal([
			['management/devicebootstrap', 'mqtt', 'late-1', 's/ucr'],
			['management/devicebootstrap', 'mqtt', 'late-1', 's/ucr'],
		]);
	});

	it('takes what a device publishes on s/ucr for its security token', async () => {
		const { http } = service.operator;
		await http.post('/devicecontrol/newDeviceRequests', { id: 'token-of-1' });
		const device = await service.connect('token-of-1', { ...bootstrap, topics: ['s/dcr'] });
		await device.send('right', 's/ucr');
		const path = '/devicecontrol/newDeviceRequests/token-of-1';
		expect((await http.call('PUT', path, { status: 'ACCEPTED' })).status).to.equal(422);
		expect((await http.call('PUT', path, { status: 'ACCEPTED', securityToken: 'right' })).status).to.equal(200);
		await device.send('', 's/ucr');
		expect(await statusOf('token-of-1')).to.equal('ACCEPTED');
		await device.send('right', 's/ucr');
		expect(await device.nextLine('s/dcr')).to.match(/^70,t1,device_token-of-1,/);
		expect(logLines.join('')).not.to.contain('"right"');
	});

	it('makes a device wait that asks again and again, and says so once in the log', async () => {
		await service.operator.http.post('/devicecontrol/newDeviceRequests', { id: 'eager-1' });
		const device = await service.connect('eager-1', { ...bootstrap, topics: ['s/dcr'] });
		for (let times = 0; times < 120; times++) await device.send('', 's/ucr', 0);
		await device.send('', 's/ucr');
		await service.operator.http.put('/devicecontrol/newDeviceRequests/eager-1', { status: 'ACCEPTED' });
		await device.send('', 's/ucr');
		expect(await statusOf('eager-1')).to.equal('ACCEPTED');
		expect(logLines.filter((line) => line.includes("'eager-1' asks too often: 120 times a minute will do"))).to.have.length(1);
	});

	it('makes the object of a device in the group, and of the type, that it was registered with', async () => {
		const { http } = service.operator;
		const { id: groupId } = await http.post<{ id: string }>('/inventory/managedObjects', { c8y_IsDeviceGroup: {} });
		const credentials = await service.register('grouped-1', { groupId, type: 'c8y_Linux' });
		const device = await service.connect('grouped-1', credentials);
		await device.send('125');
		const { id, type } = await service.operator.objectOf('grouped-1');
		expect(type).to.equal('c8y_Linux');
		const { references } = await http.get<{ references: { managedObject: { id: string } }[] }>(
			`/inventory/managedObjects/${groupId}/childAssets`,
		);
		expect(references.map(({ managedObject }) => managedObject.id)).to.deep.equal([id]);
		const named = await service.connect('named-1', await service.register('named-1', { groupId, type: 'c8y_Linux' }));
		await named.send('100,Its own,its_own');
		expect(await service.operator.objectOf('named-1')).to.include({ name: 'Its own', type: 'its_own' });
	});

	it('creates a connected device anew whose serial was taken from its object', async () => {
		const { http } = service.operator;
		const device = await service.connect('unbound-1');
		await device.send('110,old');
		const old = await service.operator.idOf('unbound-1');
		await http.call('DELETE', '/identity/externalIds/c8y_Serial/unbound-1');
		await device.send('110,new');
		expect((await service.operator.objectOf('unbound-1')).c8y_Hardware).to.deep.equal({ serialNumber: 'new' });
		expect((await http.get<Record<string, unknown>>(`/inventory/managedObjects/${old}`)).c8y_Hardware).to.deep.equal({
			serialNumber: 'old',
		});
	});

	it('gives a connected device the object that its serial is given to', async () => {
		const { http } = service.operator;
		const device = await service.connect('rebound-1');
		await device.send(['110,old', '114,c8y_Restart']);
		const old = await service.operator.idOf('rebound-1');
		const { id } = await http.post<{ readonly id: string }>('/inventory/managedObjects', {
			name: 'New',
			c8y_IsDevice: {},
			com_cumulocity_model_Agent: {},
			c8y_SupportedOperations: ['c8y_Restart'],
		});
		await http.call('DELETE', '/identity/externalIds/c8y_Serial/rebound-1');
		await http.post(`/identity/globalIds/${id}/externalIds`, { type: 'c8y_Serial', externalId: 'rebound-1' });
		// Without a word of the device.
		await service.operator.createOperation('rebound-1', { c8y_Restart: {} });
		expect(await device.nextLine()).to.equal('510,rebound-1');
		await device.send('110,new');
		expect(await service.operator.objectOf('rebound-1')).to.deep.include({ id, c8y_Hardware: { serialNumber: 'new' } });
		expect((await http.get<Record<string, unknown>>(`/inventory/managedObjects/${old}`)).c8y_Hardware).to.deep.equal({
			serialNumber: 'old',
		});
	});

	it('gives a device its credentials over HTTP', async () => {
		const asDevice = createHttpClient(service.urls.http, bootstrap);
		expect((await asDevice.call('POST', '/devicecontrol/deviceCredentials', { id: 'new-2' })).status).to.equal(404);
		const { user, password } = await service.register('new-2');
		expect(user).to.equal('t1/device_new-2');
		const device = await service.connect('new-2', { user, password });
		await device.send('125');
		expect((await asDevice.call('POST', '/devicecontrol/deviceCredentials', { id: 'new-2' })).status).to.equal(404);
	});

	it('gives a device that asks on s/uat a token that opens HTTP for this device only', async () => {
		const credentials = await service.register('token-1');
		const device = await service.connect('token-1', credentials);
		await device.send(['114,c8y_Restart', '140,a,1', '101,token-1:child,Child,type']);
		await (await service.connect('token-2')).send('140,b,2');
		await device.send('', 's/uat', 0);
		const [id, token = ''] = (await device.nextLine('s/dat')).split(',');
		expect(id).to.equal('71');
		const own = await service.operator.idOf('token-1');
		const child = await service.operator.idOf('token-1:child');
		const other = await service.operator.idOf('token-2');
		const http = createHttpClient(service.urls.http, { token });
		await http.put(`/inventory/managedObjects/${own}`, { c8y_SoftwareList: [{ name: 'c', version: '3' }] });
		expect(await service.operator.namesOf('token-1')).to.deep.equal(['c 3']);
		for (const [method, path, body, status] of [
			['GET', `/inventory/managedObjects/${own}`, undefined, 200],
			['GET', `/inventory/managedObjects/${child}`, undefined, 200],
			['PUT', `/inventory/managedObjects/${child}`, { a: 1 }, 200],
			['GET', `/service/advanced-software-mgmt/software?deviceId=${own}`, undefined, 200],
			['GET', `/inventory/managedObjects/${other}`, undefined, 403],
			['PUT', `/inventory/managedObjects/${other}`, { a: 1 }, 403],
			['DELETE', `/inventory/managedObjects/${other}`, undefined, 403],
			['GET', `/service/advanced-software-mgmt/software?deviceId=${other}`, undefined, 403],
			['POST', `/service/advanced-software-mgmt/software?deviceId=${other}`, [], 403],
			['POST', '/devicecontrol/operations', { deviceId: other, c8y_Restart: {} }, 403],
			['GET', `/devicecontrol/operations?deviceId=${other}`, undefined, 200],
			['POST', '/devicecontrol/newDeviceRequests', { id: 'x' }, 403],
		] as const) {
			const answer = await http.call<{ operations?: unknown[] }>(method, path, body);
			expect(answer.status, `${method} ${path}`).to.equal(status);
			if (path.startsWith('/devicecontrol/operations?')) expect(answer.body.operations).to.deep.equal([]);
		}
		const forged = createHttpClient(service.urls.http, { token: `${token.slice(0, -4)}AAAA` });
		expect((await forged.call('GET', `/inventory/managedObjects/${own}`)).status).to.equal(401);
	});

	it('creates a device that was deleted while it was connected anew with its next message', async () => {
		const { operator } = service;
		const device = await service.connect('deleted-1');
		await device.send(['114,c8y_Restart', '140,a,1']);
		await device.send('110,child', 's/us/deleted-1:child');
		const before = await operator.idOf('deleted-1');
		const { id: waiting } = await operator.createOperation('deleted-1', { c8y_Restart: {} });
		await device.nextLine();
		await operator.http.delete(`/inventory/managedObjects/${before}?cascade=true`);
		expect(await operator.findId('deleted-1')).to.equal(undefined);
		expect((await operator.operation(waiting)).status).to.equal('FAILED');

		await device.send('141,b,2');
		const anew = await operator.idOf('deleted-1');
		expect(anew).not.to.equal(before);
		expect(await operator.namesOf('deleted-1')).to.deep.equal(['b 2']);
		await device.send('110,child again', 's/us/deleted-1:child');
		await device.send('114,c8y_Restart');
		const { childDevices } = await operator.objectOf('deleted-1');
		expect(childDevices?.references).to.have.length(1);
		await operator.createOperation('deleted-1', { c8y_Restart: {} });
		expect(await device.nextLine()).to.equal('510,deleted-1');
		expect(await device.untaken('s/e')).to.deep.equal([]);
	});

	it('cuts off a device whose user went with it, and lets it in no more', async () => {
		const credentials = await service.register('gone-1');
		const device = await service.connect('gone-1', credentials);
		await device.send('125');
		const id = await service.operator.idOf('gone-1');
		await service.operator.http.delete(`/inventory/managedObjects/${id}?withDeviceUser=true`);
		await within('its connection is closed', device.closed);
		const again = service.connect('gone-1', credentials).catch((error: Error & { code?: number }) => error.code);
		expect(await within('the answer', again)).to.equal(4);
	});
});
