import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { adminPassword, type ServiceUnderTest, startService } from '../support/service-fixture.ts';

const admins = { one: { user: 't1/admin', password: adminPassword }, two: { user: 't2/admin', password: adminPassword } };

describe('journeys/isolation', () => {
	let folder: string;
	let service: ServiceUnderTest;
	before(async () => {
		folder = mkdtempSync(join(tmpdir(), 'isolation-'));
		// Each start prepares its tenant; the store then has both.
		await (await startService({ DATA_DIR: folder, TENANT_ID: 't1' })).close();
		service = await startService({ DATA_DIR: folder, TENANT_ID: 't2' });
	});
	after(async () => {
		await service.close();
		rmSync(folder, { recursive: true, force: true });
	});

	it('keeps two tenants with devices of one name apart, in both directions', async () => {
		const one = await service.connect('twin', { ...admins.one });
		const two = await service.connect('twin', { ...admins.two });
		await one.send(['100,One,type', '114,c8y_Command', '140,a,1']);
		await two.send(['100,Two,type', '114,c8y_Command', '140,b,2']);
		expect(await service.operator.objectOf('twin')).to.include({ name: 'Two' });
		expect(await service.operator.namesOf('twin')).to.deep.equal(['b 2']);
		const { id } = await service.operator.createOperation('twin', { c8y_Command: { text: 'for two' } });
		expect(await two.nextLine()).to.equal('511,twin,for two');
		await one.send([`504,${id}`, '501,c8y_Command', '500']);
		expect(await one.untaken('s/ds')).to.deep.equal([]);
		expect(await one.untaken('devicecontrol/notifications')).to.deep.equal([]);
		expect(await one.untaken('s/e')).to.have.length(2);
		expect((await service.operator.operation(id)).status).to.equal('PENDING');
		// Neither took the other's connection.
		await Promise.all([one.send('125'), two.send('125')]);
	});

	it('refuses a child topic that is of another device, whatever is sent on it', async () => {
		const victim = await service.connect('victim');
		await victim.send('114,c8y_Restart', 's/us/victim:child');
		const { id } = await service.operator.createOperation('victim:child', { c8y_Restart: {} });
		const before = await service.operator.objectOf('victim:child');
		const credentials = await service.register('intruder');
		const intruder = await service.connect('intruder', credentials);
		const lines = [
			'110,stolen',
			'140,a,1',
			'141,a,1',
			'142,a,1',
			'116,a,1,',
			'501,c8y_Restart',
			`504,${id}`,
			'107,c8y_IsDevice',
			'102,x,y,z,up',
		];
		for (const serial of ['victim:child', 'victim']) await intruder.send(lines, `s/us/${serial}`);
		expect(await intruder.untaken('s/e')).to.have.length(2 * lines.length);
		await intruder.send('{"stolen":true}', 'inventory/managedObjects/update/victim:child');
		expect(await intruder.nextLine('error')).to.include('is not a child of this device');
		await intruder.send(['101,victim:child,Stolen,type', '102,victim,service,stolen,up', `505,${id},no`]);
		expect(await service.operator.objectOf('victim:child')).to.deep.equal(before);
		expect(await service.operator.objectOf('victim')).not.to.have.property('status');
		expect((await service.operator.operation(id)).status).to.equal('PENDING');
		expect((await service.operator.objectOf('victim')).childAdditions?.references).to.deep.equal([]);
	});

	it('keeps the serial of a registered device for it, whoever speaks of it first', async () => {
		const thief = await service.connect('thief', await service.register('thief'));
		const credentials = await service.register('registered');
		await thief.send(['101,registered,fake,t,true', '102,registered,service,fake,up']);
		await thief.send(['100,fake,t', '114,c8y_Restart'], 's/us/registered');
		for (const answer of await thief.untaken('s/e')) expect(answer).to.match(/^41,\d+,.*serial of another device$/);
		expect(await thief.untaken('s/e')).to.have.length(4);
		expect(await service.operator.findId('registered')).to.equal(undefined);
		const device = await service.connect('registered', credentials);
		await device.send(['100,Registered,t', '114,c8y_Restart']);
		expect(await device.untaken('s/e')).to.deep.equal([]);
		await service.operator.createOperation('registered', { c8y_Restart: {} });
		expect(await device.nextLine()).to.equal('510,registered');
		expect(await thief.untaken('s/ds')).to.deep.equal([]);
	});

	it('hands nothing that a device publishes to another device', async () => {
		const listener = await service.connect('listener', {
			topics: ['s/ds', 's/e', 's/dc/#', 'devicecontrol/notifications', 'error'],
		});
		const sender = await service.connect('sender');
		for (const topic of ['s/ds', 's/e', 's/dc/x', 'devicecontrol/notifications', 'error', 's/us'])
			await sender.send('600', topic);
		await sender.untaken('s/e');
		for (const topic of ['s/e', 's/dc/x', 'devicecontrol/notifications', 'error', 's/ds']) {
			expect(await listener.untaken(topic), topic).to.deep.equal([]);
		}
	});
});
