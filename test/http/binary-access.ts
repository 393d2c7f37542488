import { expect } from 'chai';
import { parseManagedObjectId } from '../../inventory/managed-object.ts';
import { bytes, binariesPath as root, useBinaryFixture } from '../support/binary-fixture.ts';
import { type Caller, tenant } from '../support/http-fixture.ts';
import { fileForm } from '../support/multipart.ts';

const objects = '/inventory/managedObjects';

describe('http/binary-access', () => {
	const { fixture, upload, download } = useBinaryFixture();
	beforeEach(async () => {
		const { id } = await fixture().services.inventory.devices.ensure(tenant, 'dev1', () => ({
			owner: 'device_dev1',
			name: 'dev1',
			type: 't',
			fragments: { c8y_IsDevice: {}, com_cumulocity_model_Agent: {} },
		}));
		deviceId = id;
		binary = await upload(fileForm(bytes));
	});

	let deviceId: string;
	let binary: string;
	const url = () => `https://c8y.example.com${root}/${binary}`;
	const may = async (caller: Caller) => (await download(binary, {}, caller)).status;
	const ask = (caller: Caller, fragments: object, to = deviceId) =>
		fixture().call(caller, 'post', '/devicecontrol/operations', { body: { deviceId: to, ...fragments } });

	it('is there when an operation of its own names it', async () => {
		expect(await may('device')).to.equal(403);
		const update = [{ name: 'a', version: '1', url: url(), action: 'install' }];
		expect((await ask('admin', { c8y_SoftwareUpdate: update })).status).to.equal(201);
		expect([await may('device'), await may('foreignDevice'), await may('otherAdmin')]).to.deep.equal([200, 403, 404]);
	});

	it('is there when an operation of a child names it, in any fragment', async () => {
		const { id } = await fixture().services.inventory.devices.ensure(tenant, 'child', () => ({
			owner: 'admin',
			name: 'child',
			type: 't',
			fragments: { c8y_IsDevice: {} },
			parent: { id: parseManagedObjectId(deviceId), kind: 'childDevices' },
		}));
		const { body } = await ask('admin', { c8y_Firmware: { name: 'f', version: '1', url: url() } }, id);
		expect(await may('device')).to.equal(200);
		await fixture().call('admin', 'put', `/devicecontrol/operations/${body.id}`, {
			body: { c8y_Firmware: { name: 'f', version: '2' } },
		});
		expect(await may('device')).to.equal(403);
	});

	it('is not there for what the device itself wrote', async () => {
		await ask('device', { c8y_DownloadConfigFile: { url: url() } });
		const { body } = await ask('admin', { c8y_Restart: {} });
		await fixture().call('device', 'put', `/devicecontrol/operations/${body.id}`, {
			body: { c8y_Command: { text: 'x', result: url() } },
		});
		// What an operator adds later does not take over what is there.
		await fixture().call('admin', 'put', `/devicecontrol/operations/${body.id}`, { body: { c8y_Note: { text: 'seen' } } });
		const version = { type: 'c8y_SoftwareBinary', c8y_Software: { version: '1', url: url() } };
		expect((await fixture().call('device', 'post', objects, { body: version })).status).to.equal(201);
		expect(await may('device')).to.equal(403);
	});

	for (const [type, fragments] of [
		['c8y_SoftwareBinary', (at: string) => ({ c8y_Software: { version: '1', url: at } })],
		['c8y_FirmwareBinary', (at: string) => ({ c8y_Firmware: { version: '1', url: at } })],
		['c8y_ConfigurationDump', (at: string) => ({ url: at })],
	] as const) {
		it(`is there while the repository names it: ${type}`, async () => {
			const { body } = await fixture().call('admin', 'post', objects, { body: { type, ...fragments(url()) } });
			expect([await may('device'), await may('foreignDevice'), await may('otherAdmin')]).to.deep.equal([200, 200, 404]);
			await fixture().call('admin', 'put', `${objects}/${body.id}`, { body: fragments('https://other.example.com/file') });
			expect(await may('device')).to.equal(403);
			await fixture().call('admin', 'put', `${objects}/${body.id}`, { body: { note: 'x', ...fragments(url()) } });
			expect(await may('device')).to.equal(200);
			await fixture().call('admin', 'put', `${objects}/${body.id}`, { body: { type: 'other' } });
			expect(await may('device')).to.equal(403);
			await fixture().call('admin', 'put', `${objects}/${body.id}`, { body: { type } });
			expect(await may('device')).to.equal(200);
			await fixture().call('admin', 'delete', `${objects}/${body.id}`);
			expect(await may('device')).to.equal(403);
		});
	}

	it('is not there for an object of the repository that a device changed', async () => {
		const item = (at: string) => ({ type: 'c8y_SoftwareBinary', c8y_Software: { version: '1', url: at } });
		const { body } = await fixture().call('admin', 'post', objects, { body: item('https://other.example.com/file') });
		const below = `${objects}/${deviceId}/childAdditions`;
		const link = (caller: Caller, id: string) => fixture().call(caller, 'post', below, { body: { managedObject: { id } } });
		for (const id of [body.id, binary]) expect((await link('device', id)).status).to.equal(403);
		expect((await link('admin', body.id)).status).to.equal(201);
		const change = (caller: Caller, fragments: object) =>
			fixture().call(caller, 'put', `${objects}/${body.id}`, { body: fragments });
		expect((await change('device', item(url()))).status).to.equal(200);
		expect(await may('device')).to.equal(403);
		// An operator who changes something else has not named it.
		expect((await change('admin', { note: 'seen' })).status).to.equal(200);
		expect(await may('device')).to.equal(403);
		// One who says the same means it.
		await change('admin', item(url()));
		expect(await may('device')).to.equal(200);
		await change('device', { ...item(url()), note: 'x' });
		expect(await may('device')).to.equal(200);
		await change('device', item('https://other.example.com/file'));
		await change('device', item(url()));
		expect(await may('device')).to.equal(403);
	});

	it('is there for Bearer tokens too', async () => {
		await ask('admin', { c8y_Firmware: { name: 'f', version: '1', url: url() } });
		const device = { tenant, userName: 'device_dev1', role: 'device', serial: 'dev1' } as const;
		const token = await fixture().services.access.tokens.issue(device, 'c8y.test');
		const answer = await fetch(url().replace('https://c8y.example.com', fixture().url), {
			headers: { authorization: `Bearer ${token}` },
		});
		expect(answer.status).to.equal(200);
		await answer.arrayBuffer();
	});
});
