import { expect } from 'chai';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';

/** What a line leaves in the managed object of the device that sends it. */
const effects: readonly (readonly [line: string, fragments: Readonly<Record<string, unknown>>])[] = [
	['110,1234567890,model x,rev 2', { c8y_Hardware: { serialNumber: '1234567890', model: 'model x', revision: 'rev 2' } }],
	['110,only serial', { c8y_Hardware: { serialNumber: 'only serial' } }],
	[
		'111,123456789,54353,7,262,01,12345,9',
		{ c8y_Mobile: { imei: '123456789', iccid: '54353', imsi: '7', mcc: '262', mnc: '01', lac: '12345', cellId: '9' } },
	],
	['112,50.323423,6.423423,67.5,3', { c8y_Position: { lat: 50.323423, lng: 6.423423, alt: 67.5, accuracy: 3 } }],
	['113,"val1=1\nval2=""2"""', { c8y_Configuration: { config: 'val1=1\nval2="2"' } }],
	['113,"a=1\\nb=2"', { c8y_Configuration: { config: 'a=1\\nb=2' } }],
	['114,c8y_Restart,c8y_SoftwareUpdate', { c8y_SupportedOperations: ['c8y_Restart', 'c8y_SoftwareUpdate'] }],
	['114', { c8y_SupportedOperations: [] }],
	['115,firmware,1.0,http://h/f', { c8y_Firmware: { name: 'firmware', version: '1.0', url: 'http://h/f' } }],
	['117,60', { c8y_RequiredAvailability: { responseInterval: 60 } }],
	['118,syslog,agentlog,', { c8y_SupportedLogs: ['syslog', 'agentlog'] }],
	['118,', { c8y_SupportedLogs: [] }],
	['119,sshd,agent', { c8y_SupportedConfigurations: ['sshd', 'agent'] }],
	['121,true,42', { c8y_Profile: { profileExecuted: true, profileId: '42' } }],
	['122,agent,1.2,http://h,me', { c8y_Agent: { name: 'agent', version: '1.2', url: 'http://h', maintainer: 'me' } }],
	['143,apt,,flow', { c8y_SupportedSoftwareTypes: ['apt', 'flow'] }],
];

describe('journeys/device-messages', () => {
	let service: ServiceUnderTest;
	before(async () => {
		service = await startService();
	});
	after(() => service.close());

	for (const [index, [line, fragments]] of effects.entries()) {
		it(`keeps what ${JSON.stringify(line)} says [SR-${line.slice(0, 3)}]`, async () => {
			const device = await service.connect(`effects-${index}`);
			await device.send(line);
			expect(await device.untaken('s/e')).to.deep.equal([]);
			expect(await service.operator.objectOf(device.serial)).to.deep.include(fragments);
		});
	}

	it('creates a device with its first message, whichever it is', async () => {
		const device = await service.connect('created-1');
		expect(await service.operator.findId('created-1')).to.equal(undefined);
		await device.send('125');
		const { name, type, owner, ...fragments } = await service.operator.objectOf('created-1');
		expect({ name, type, owner }).to.deep.equal({ name: 'MQTT Device created-1', type: 'c8y_MQTTDevice', owner: 'admin' });
		expect(fragments).to.deep.include({ c8y_IsDevice: {}, com_cumulocity_model_Agent: {} });
		expect(fragments.c8y_Availability).to.have.property('lastMessage');
	});

	it('takes name and type from 100, and says so when the device exists [SR-100]', async () => {
		const device = await service.connect('created-2');
		await device.send('100,Device two,c8y_Linux');
		expect(await service.operator.objectOf('created-2')).to.include({ name: 'Device two', type: 'c8y_Linux' });
		expect(await device.untaken('s/e')).to.deep.equal([]);
		await device.send('100,Other,other', 's/us', 2);
		expect(await device.nextLine('s/e')).to.equal('41,100,Device already existing');
		expect(await service.operator.objectOf('created-2')).to.include({ name: 'Device two', type: 'c8y_Linux' });
	});

	it('creates children by 101 and by their topic, and lists them with 105 [SR-101] [SR-105]', async () => {
		const { operator } = service;
		const device = await service.connect('family-1');
		await device.send(['101,family-1:a,Child a,type a', '101,family-1:b,Child b,type b,false']);
		await device.send('110,serial of c', 's/us/family-1:c');
		await device.send('101,family-1:a:x,Grandchild,type x', 's/us/family-1:a');
		await device.send('101,family-1:a,Renamed,other');
		await device.send('105');
		expect(await device.nextLine()).to.equal('106,family-1:a,family-1:b,family-1:c');
		await device.send('105', 's/us/family-1:a');
		expect(await device.nextLine()).to.equal('106,family-1:a:x');
		const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((child) => operator.objectOf(`family-1:${child}`)));
		expect(a).to.deep.include({ name: 'Child a', type: 'type a', c8y_IsDevice: {} });
		expect(b).to.include({ name: 'Child b', type: 'type b' }).and.not.to.have.property('c8y_IsDevice');
		expect(c).to.deep.include({ type: 'c8y_MQTTChildDevice', c8y_Hardware: { serialNumber: 'serial of c' } });
		const { childDevices } = await operator.objectOf('family-1');
		expect(childDevices?.references.map(({ managedObject }) => managedObject.name)).to.deep.equal([a?.name, b?.name, c?.name]);
		expect(await device.untaken('s/e')).to.deep.equal([]);
	});

	it('keeps services as child additions, created or changed by 102 and 104 [SR-102] [SR-104]', async () => {
		const { operator } = service;
		const device = await service.connect('services-1');
		await device.send(['102,services-1:x,systemd,DatabaseService,up', '102,services-1:x,systemd,DatabaseService,down']);
		expect(await operator.objectOf('services-1:x')).to.include({
			type: 'c8y_Service',
			name: 'DatabaseService',
			serviceType: 'systemd',
			status: 'down',
		});
		await device.send('104,up', 's/us/services-1:x');
		expect(await operator.objectOf('services-1:x')).to.include({ status: 'up', name: 'DatabaseService' });
		await device.send('102,child-of-services:x,docker,web,up', 's/us/child-of-services');
		const { childAdditions } = await operator.objectOf('child-of-services');
		expect(childAdditions?.references.map(({ managedObject }) => managedObject.name)).to.deep.equal(['web']);
		const own = (await operator.objectOf('services-1')).childAdditions;
		expect(own?.references.map(({ managedObject }) => managedObject.name)).to.deep.equal(['DatabaseService']);
	});

	it('removes fragments, and leaves a required availability that is set [SR-107] [SR-117]', async () => {
		const device = await service.connect('removing-1');
		await device.send(['110,a', '117,60', '117,10', '143,apt', '107,c8y_Hardware,c8y_Unknown', '143']);
		const object = await service.operator.objectOf('removing-1');
		expect(object).not.to.have.any.keys('c8y_Hardware', 'c8y_SupportedSoftwareTypes');
		expect(object.c8y_RequiredAvailability).to.deep.equal({ responseInterval: 60 });
	});

	it('answers 123, 600 and 602 [SR-123] [SR-600] [SR-602]', async () => {
		const device = await service.connect('asking-1');
		await device.send('123');
		expect(await device.nextLine()).to.equal(`124,${await service.operator.idOf('asking-1')}`);
		await device.send('600', 's/us', 0);
		expect(await device.nextLine()).to.match(/^601,\d+\.\d+\.\d+/);
		await device.send('602');
		const served = (await device.nextLine()).split(',');
		expect(served[0]).to.equal('603');
		expect(served).to.include.members(['100', '116', '140', '529', '603']);
	});

	it('merges JSON into the device and what is below it, and answers on error', async () => {
		const { operator } = service;
		const device = await service.connect('json-1');
		await device.send('101,json-1:child,Child,type');
		const update = (body: unknown, serial: string) =>
			device.send(typeof body === 'string' ? body : JSON.stringify(body), `inventory/managedObjects/update/${serial}`);
		await update({ name: 'New name', c8y_Agent: { name: 'a' }, odd: 1 }, 'json-1');
		await update({ name: null, type: null, odd: null, c8y_SoftwareList: [{ name: 'a', version: '1' }] }, 'json-1');
		await update({ c8y_Hardware: { model: 'm' } }, 'json-1:child');
		await update({}, 'json-1');
		const object = await operator.objectOf('json-1');
		expect(object).to.deep.include({ name: 'New name', type: 'c8y_MQTTDevice', c8y_Agent: { name: 'a' } });
		expect(object)
			.to.have.property('c8y_SoftwareList')
			.that.deep.equals([{ name: 'a', version: '1' }]);
		expect(object).to.have.property('c8y_Availability');
		expect(object).not.to.have.property('odd');
		expect(await operator.objectOf('json-1:child')).to.deep.include({ c8y_Hardware: { model: 'm' } });
		expect(await device.untaken('error')).to.deep.equal([]);
		for (const [body, serial] of [
			['no JSON', 'json-1'],
			[[], 'json-1'],
			[{ a: 1 }, 'unknown'],
			[{ 'a.b': 1 }, 'json-1'],
		] as const) {
			await update(body, serial);
			expect(JSON.parse(await device.nextLine('error'))).to.have.all.keys('error', 'message', 'messageId');
		}
	});

	it('accepts what is no part of software management, and neither answers nor breaks off', async () => {
		const device = await service.connect('others-1');
		await device.send(['200,c8y_Temperature,T,25', '211,20', '301,alarm,text', '306,alarm', '400,event,text', '401,1,2,3,4']);
		await device.send('{"type":"t"}', 'event/events/create');
		await device.send('{"type":"t"}', 'measurement/measurements/createBulk');
		await device.send('', 's/ut/collection');
		expect(await device.nextLine('s/dt')).to.equal('41,collection');
		expect(await device.untaken('s/e')).to.deep.equal([]);
	});
});
