import { expect } from 'chai';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';

const a = { name: 'software_a', version: '4.0.0', url: 'http://example.com/software_a', softwareType: 'type A' };
const b = { name: 'software_b', version: '3.0.0', url: 'http://example.com/software_b', softwareType: 'type B' };
const update = [
	{ ...a, action: 'install' },
	{ ...b, action: 'delete' },
];

describe('journeys/software-update', () => {
	let service: ServiceUnderTest;
	before(async () => {
		service = await startService();
	});
	after(() => service.close());

	it('does one advanced update, whole: 529, 501, 142, 141, 503 [SR-529]', async () => {
		const { operator } = service;
		const device = await service.connect('advanced-1');
		await device.send(['114,c8y_SoftwareUpdate', '143,type A,type B', `140,software_b,3.0.0,type B,${b.url}`]);
		const { id, status } = await operator.createOperation(device.serial, { c8y_SoftwareUpdate: update });
		expect(status).to.equal('PENDING');

		expect(await device.nextLine()).to.equal(
			'529,advanced-1,software_a,4.0.0,type A,http://example.com/software_a,install,software_b,3.0.0,type B,http://example.com/software_b,delete',
		);
		await device.send('501,c8y_SoftwareUpdate');
		expect((await operator.operation(id)).status).to.equal('EXECUTING');
		await device.send('142,software_b,3.0.0');
		await device.send(`141,software_a,4.0.0,"type A",${a.url}`);
		await device.send('503,c8y_SoftwareUpdate');
		expect((await operator.operation(id)).status).to.equal('SUCCESSFUL');
		expect(await operator.softwareOf(device.serial)).to.deep.equal([a]);
		expect(await operator.objectOf(device.serial)).not.to.have.property('c8y_SoftwareList');
		expect(await device.untaken('s/e')).to.deep.equal([]);
	});

	it('sends the same operation as JSON with the id and the external id of the device', async () => {
		const device = await service.connect('advanced-2', { topics: ['devicecontrol/notifications', 's/e'] });
		await device.send(['114,c8y_SoftwareUpdate', '143,type A,type B']);
		const items = [{ name: 'hello', action: 'install', url: null }];
		const { id, deviceId } = await service.operator.createOperation(device.serial, { c8y_SoftwareUpdate: items });
		const text = await device.nextLine('devicecontrol/notifications');
		expect(text).not.to.include('\n');
		const message: Record<string, unknown> = JSON.parse(text);
		expect(message).to.include({ id, deviceId, agentId: deviceId, status: 'PENDING' });
		expect(message.externalSource).to.deep.equal({ externalId: device.serial, type: 'c8y_Serial' });
		expect(message.c8y_SoftwareUpdate).to.deep.equal([{ name: 'hello', version: '', action: 'install' }]);
		await device.send(`504,${id}`);
		await device.send(`506,${id}`);
		expect((await service.operator.operation(id)).status).to.equal('SUCCESSFUL');
	});

	it('does one legacy update, whole: 528, 501, 116, 503 [SR-528]', async () => {
		const { operator } = service;
		const device = await service.connect('legacy-1');
		await device.send(['114,c8y_SoftwareUpdate', '116,software_b,3.0.0,http://example.com/software_b']);
		const { id } = await operator.createOperation(device.serial, { c8y_SoftwareUpdate: update });
		expect(await device.nextLine()).to.equal(
			'528,legacy-1,software_a,4.0.0,http://example.com/software_a,install,software_b,3.0.0,http://example.com/software_b,delete',
		);
		await device.send('501,c8y_SoftwareUpdate');
		await device.send('116,software_a,3.0.0,http://example.com/software_a');
		await device.send('503,c8y_SoftwareUpdate');
		await operator.reaches(id, 'SUCCESSFUL');
		const { c8y_SoftwareList } = await operator.objectOf(device.serial);
		expect(c8y_SoftwareList).to.deep.equal([{ name: 'software_a', version: '3.0.0', url: 'http://example.com/software_a' }]);
	});

	it('sends the whole list wanted to a device that supports c8y_SoftwareList only: 516, 501, 116, 503 [SR-516]', async () => {
		const { operator } = service;
		const device = await service.connect('legacy-2');
		await device.send(['114,c8y_SoftwareList', '116,software_a,3.0.0,http://example.com/software_a,software_b,3.0.0,', '110,x']);
		const deviceId = await operator.idOf(device.serial);
		const { id } = await operator.http.post<{ readonly id: string }>(
			`/service/advanced-software-mgmt/software/changes?deviceId=${deviceId}`,
			[
				{ name: 'software_a', version: '3.0.0', action: 'delete' },
				{ name: 'software_c', version: '1.0', url: 'http://example.com/software_c', action: 'install' },
			],
		);
		expect(await device.nextLine()).to.equal('516,legacy-2,software_b,3.0.0,,software_c,1.0,http://example.com/software_c');
		await device.send('501,c8y_SoftwareList');
		await device.send('116,software_b,3.0.0,,software_c,1.0,http://example.com/software_c');
		await device.send('503,c8y_SoftwareList');
		await operator.reaches(id, 'SUCCESSFUL');
		expect(await operator.namesOf(device.serial)).to.deep.equal(['software_b 3.0.0', 'software_c 1.0']);
	});

	it('keeps the reason of a failure as it was sent, line breaks and quotes included [SR-502]', async () => {
		const device = await service.connect('failing-1');
		await device.send('114,c8y_SoftwareUpdate');
		const { id } = await service.operator.createOperation(device.serial, { c8y_SoftwareUpdate: update });
		await device.nextLine();
		await device.send(['501,c8y_SoftwareUpdate', '502,c8y_SoftwareUpdate,"no space, sorry', 'line two with ""quotes"""']);
		const { failureReason } = await service.operator.reaches(id, 'FAILED');
		expect(failureReason).to.equal('no space, sorry\nline two with "quotes"');
	});

	it('quotes on the way down only what needs it, so that the device reads back what was asked', async () => {
		const device = await service.connect('quoting-1');
		await device.send(['114,c8y_SoftwareUpdate', '143,apt']);
		const odd = { name: 'a, "b"', version: '1\\2', softwareType: 'apt', url: 'http://h/?a=1,2', action: 'install' };
		await service.operator.createOperation(device.serial, { c8y_SoftwareUpdate: [odd] });
		const line = await device.nextLine();
		expect(line.split('\n')).to.have.length(1);
		expect(line).to.match(/^529,quoting-1,"a, /);
		expect(line).to.include(',apt,"http://h/?a=1,2",install');
	});

	for (const [fault, fragments, pattern] of [
		['an operation that the device does not support', { c8y_Restart: {} }, /does not support c8y_Restart/],
		[
			'a software type that the device does not support',
			{ c8y_SoftwareUpdate: [{ ...a, softwareType: 'x', action: 'install' }] },
			/does not support 'x'/,
		],
		['an action that does not exist', { c8y_SoftwareUpdate: [{ ...a, action: 'remove' }] }, /c8y_SoftwareUpdate\[0\]\.action/],
		['an update that does not fit into one message', { c8y_SoftwareUpdate: Array(400).fill(update[0]) }, /at most 16184 fit/],
	] as const) {
		it(`refuses ${fault}, and the device hears nothing of it`, async () => {
			const device = await service.connect(`refusing-${fault.length}`);
			await device.send(['114,c8y_SoftwareUpdate', '143,type A']);
			const deviceId = await service.operator.idOf(device.serial);
			const answer = await service.operator.http.call<{ message: string }>('POST', '/devicecontrol/operations', {
				deviceId,
				...fragments,
			});
			expect(answer.status).to.be.within(400, 499);
			expect(answer.body.message).to.match(pattern);
			const good = { c8y_SoftwareUpdate: [{ ...a, action: 'install' }] };
			await service.operator.createOperation(device.serial, good);
			expect(await device.nextLine()).to.match(/^529,.*,software_a,4\.0\.0,/);
		});
	}
});
