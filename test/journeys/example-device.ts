import { expect } from 'chai';
import { type Device, startDevice } from '../../examples/device.ts';
import type { DeviceOptions } from '../../examples/device-options.ts';
import { readPackages } from '../../examples/package-list.ts';
import type { OperationJson } from '../support/operator.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';

const packages = readPackages();
const [first, second] = packages;
if (!first || !second) throw new Error('this machine has fewer than two packages');
const addition = { name: 'hello', version: '99.1', url: 'http://example.com/hello', softwareType: first.type };

describe('journeys/example-device', () => {
	let service: ServiceUnderTest;
	const devices: Device[] = [];
	before(async () => {
		service = await startService();
	});
	after(async () => {
		for (const device of devices) await device.stop();
		await service.close();
	});

	async function start(serial: string, more: Partial<DeviceOptions> = {}): Promise<Device> {
		const device = await startDevice({
			url: service.urls.mqtt,
			serial,
			...service.admin,
			packages,
			softwareTypes: [first?.type ?? ''],
			supportedOperations: ['c8y_SoftwareUpdate'],
			installMilliseconds: 1,
			failureRate: 0,
			...more,
		});
		devices.push(device);
		return device;
	}

	/** Asks for changes as an operator does; the operation when it has ended. */
	async function change(serial: string, changes: readonly object[], ending = 'SUCCESSFUL'): Promise<OperationJson> {
		const deviceId = await service.operator.idOf(serial);
		const path = `/service/advanced-software-mgmt/software/changes?deviceId=${deviceId}`;
		const { id } = await service.operator.http.post<OperationJson>(path, changes);
		return service.operator.reaches(id, ending);
	}

	const keysOf = (list: readonly { readonly name: string; readonly version: string }[]) =>
		list.map(({ name, version }) => `${name} ${version}`).sort();

	it('reports the packages that this machine really has', async () => {
		expect(packages.length).to.be.above(50);
		const device = await start('example-1');
		expect(keysOf(await service.operator.softwareOf('example-1'))).to.deep.equal(keysOf(device.installed()));
	});

	it('installs, replaces and removes, and reports what it then has', async () => {
		const device = await start('example-2');
		await change('example-2', [
			{ ...addition, action: 'install' },
			{ name: first.name, version: '99.2', softwareType: first.type, action: 'install' },
			{ name: second.name, version: second.version, softwareType: second.type, action: 'delete' },
		]);
		const names = await service.operator.namesOf('example-2');
		expect(names).to.include.members(['hello 99.1', `${first.name} 99.2`]);
		expect(names).not.to.include.members([`${first.name} ${first.version}`]);
		expect(names).not.to.include.members([`${second.name} ${second.version}`]);
		expect([...names].sort()).to.deep.equal(keysOf(device.installed()));
	});

	it('reports a failure with its reason, and an unchanged list', async () => {
		await start('example-3', { failureRate: 1 });
		const { failureReason } = await change('example-3', [{ ...addition, action: 'install' }], 'FAILED');
		expect(failureReason).to.equal('hello 99.1: the download was broken');
		expect(await service.operator.softwareOf('example-3')).to.have.length(packages.length);
	});

	for (const operation of ['c8y_SoftwareUpdate', 'c8y_SoftwareList']) {
		it(`does ${operation} with the legacy templates`, async () => {
			const serial = `legacy-${operation}`;
			await start(serial, { softwareTypes: [], supportedOperations: [operation], packages: packages.slice(0, 20) });
			const { softwareType: _, ...untyped } = addition;
			const ended = await change(serial, [
				{ ...untyped, action: 'install' },
				{ name: second.name, version: second.version, action: 'delete' },
			]);
			expect(ended).to.have.property(operation);
			const names = await service.operator.namesOf(serial);
			expect(names).to.have.length(20).and.include('hello 99.1').and.not.include(`${second.name} ${second.version}`);
			expect((await service.operator.objectOf(serial)).c8y_SoftwareList).to.have.length(20);
		});
	}

	it('does one operation after the other', async () => {
		await start('example-4');
		const versions = ['1', '2', '3', '4'];
		await Promise.all(
			versions.map((version) => change('example-4', [{ ...addition, name: `queued-${version}`, version, action: 'install' }])),
		);
		expect(await service.operator.namesOf('example-4')).to.include.members(
			versions.map((version) => `queued-${version} ${version}`),
		);
	});
});
