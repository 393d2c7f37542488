import { expect } from 'chai';
import type { DocumentStore } from '../../store/index.ts';
import { openSqliteStore } from '../../store/sqlite/index.ts';
import { eventually } from '../support/eventually.ts';
import { type OutsideBroker, startOutsideBroker } from '../support/outside-broker.ts';
import { hasProgram } from '../support/programs.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { skipUnless } from '../support/skip.ts';

const serials = Array.from({ length: 12 }, (_, index) => `out${index}`);
const leaseSeconds = 2;

describe('clients/outside-broker', function () {
	this.timeout(60_000);

	let broker: OutsideBroker;
	let store: DocumentStore;
	const services: ServiceUnderTest[] = [];
	before(async function () {
		skipUnless(hasProgram('mosquitto') && hasProgram('mosquitto_passwd'), 'mosquitto is not installed').call(this);
		broker = await startOutsideBroker(serials);
		store = await openSqliteStore({ directory: ':memory:', now: Date.now });
	});
	after(async () => {
		for (const service of services.splice(0)) await service.close();
		await store?.close();
		await broker?.stop();
	});

	it('carries messages and operations', async () => {
		const service = await start();
		const device = await broker.connect('out0');
		await device.send(['100,Outside,c8y_Linux', '114,c8y_Restart', '140,a,1,apt,']);
		await eventually(
			'the package is there',
			() => service.operator.namesOf('out0').catch(() => []),
			(names) => names.length === 1,
		);
		const operation = await service.operator.createOperation('out0', { c8y_Restart: {} });
		expect(await device.nextLine()).to.equal('510,out0');
		await device.send(['501,c8y_Restart', '503,c8y_Restart']);
		await service.operator.reaches(operation.id, 'SUCCESSFUL');
	});

	async function start(settings: Readonly<Record<string, string>> = {}): Promise<ServiceUnderTest> {
		const shared: DocumentStore = { ...store, close: async () => {} };
		const service = await startService(
			{
				MQTT_PORT: 'off',
				MQTT_BRIDGE_URL: broker.url,
				MQTT_BRIDGE_LEASE_SECONDS: String(leaseSeconds),
				MQTT_BRIDGE_RECONNECT_MAX_SECONDS: '1',
				...settings,
			},
			shared,
		);
		services.push(service);
		await eventually(
			'the service is ready',
			async () => (await fetch(`${service.urls.http}/ready`)).status,
			(status) => status === 200,
		);
		return service;
	}
});
