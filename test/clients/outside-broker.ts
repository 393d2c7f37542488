import { expect } from 'chai';
import { connectAsync } from 'mqtt';
import { type DocumentStore, StoreError } from '../../store/index.ts';
import { eventually } from '../support/eventually.ts';
import { type OutsideBroker, startOutsideBroker } from '../support/outside-broker.ts';
import {
	bridgeSettings,
	figure,
	hasOnly,
	haveShares,
	isReady,
	partitions,
	readiness,
	sendSequence,
} from '../support/outside-broker-checks.ts';
import { hasProgram } from '../support/programs.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { openSharedStore } from '../support/shared-store.ts';
import { skipUnless } from '../support/skip.ts';

const serials = Array.from({ length: 12 }, (_, index) => `out${index}`);

describe('clients/outside-broker', function () {
	this.timeout(60_000);

	let broker: OutsideBroker;
	let store: DocumentStore;
	const services: ServiceUnderTest[] = [];
	before(skipUnless(hasProgram('mosquitto') && hasProgram('mosquitto_passwd'), 'mosquitto is not installed'));
	beforeEach(async () => {
		broker = await startOutsideBroker(serials);
		store = await openSharedStore();
	});
	afterEach(async () => {
		for (const service of services.splice(0)) await service.close();
		await store.close();
		await broker.stop();
	});

	/** Several of them are like processes beside each other: they share nothing but the store. */
	async function start(settings: Readonly<Record<string, string>> = {}, on = store): Promise<ServiceUnderTest> {
		const service = await startService({ ...bridgeSettings(broker), ...settings }, { store: on });
		services.push(service);
		await isReady(service.urls.http);
		return service;
	}

	async function startTwo(): Promise<readonly [ServiceUnderTest, ServiceUnderTest]> {
		const two = [await start(), await start()] as const;
		await haveShares(
			two.map(({ urls }) => urls.http),
			[partitions / 2, partitions / 2],
		);
		return two;
	}

	async function stop(service: ServiceUnderTest): Promise<void> {
		services.splice(services.indexOf(service), 1);
		await service.close();
	}

	it('divides the devices between two processes, everything in effect once and in the order of its device', async () => {
		const two = await startTwo();
		const devices = await Promise.all(serials.map((serial) => broker.connect(serial)));
		await Promise.all(devices.map((device) => sendSequence(device, 0, 40)));
		for (const serial of serials) await hasOnly(two[0].operator, serial, 'seq 39');
		const handled = await Promise.all(
			two.map(({ urls }) => figure(urls.http, 'mqtt_messages_total{direction="up",template="141"}')),
		);
		expect(Math.min(...handled)).to.be.greaterThan(0);
		expect(handled.reduce((sum, count) => sum + count, 0)).to.equal(serials.length * 40);
	});

	it('does not let a removed device come back, before somebody registers it anew, whatever it made of its object', async () => {
		const { operator } = await start();
		const device = await broker.connect('out0');
		await device.send('100,first,t');
		const id = await eventually(
			'the device is there',
			() => operator.findId('out0'),
			(found) => found !== undefined,
		);
		await device.send('{"com_cumulocity_model_Agent":null}', 'inventory/managedObjects/update/out0');
		await eventually(
			'the object is that of no agent',
			() => operator.objectOf('out0'),
			(found) => !('com_cumulocity_model_Agent' in found),
		);
		await operator.http.delete(`/inventory/managedObjects/${id}`);
		for (const line of ['100,again,t', '141,a,1']) {
			await device.send(line);
			expect(await device.nextLine('s/e')).to.match(/'out0' was removed: it comes back when somebody registers it anew/);
		}
		const neighbour = await broker.connect('out1');
		await neighbour.send('101,out0,child,t,true');
		expect(await neighbour.nextLine('s/e')).to.match(/'out0' was removed/);
		expect(await operator.findId('out0')).to.equal(undefined);
		await operator.http.post('/devicecontrol/newDeviceRequests', { id: 'out0' });
		await device.send('100,anew,t');
		await eventually(
			'the device is there again',
			() => operator.findId('out0'),
			(found) => found !== undefined,
		);
		expect(await operator.objectOf('out0')).to.include({ name: 'anew' });
	});

	it('delivers an operation that is posted at either process, to devices of both', async () => {
		const two = await startTwo();
		const devices = await Promise.all(serials.map((serial) => broker.connect(serial)));
		await Promise.all(devices.map((device) => device.send('114,c8y_Restart')));
		for (const [index, device] of devices.entries()) {
			const { operator } = index % 2 === 0 ? two[0] : two[1];
			await eventually(
				'the device is there',
				() => operator.findId(device.serial),
				(id) => id !== undefined,
			);
			const { id } = await operator.createOperation(device.serial, { c8y_Restart: {} });
			expect(await device.nextLine()).to.equal(`510,${device.serial}`);
			await device.send('501,c8y_Restart');
			await device.send('503,c8y_Restart');
			await operator.reaches(id, 'SUCCESSFUL');
		}
	});

	it('goes on with the other process when one stops', async () => {
		const [first, second] = await startTwo();
		const devices = await Promise.all(serials.map((serial) => broker.connect(serial)));
		await Promise.all(devices.map((device) => sendSequence(device, 0, 20)));
		const sending = Promise.all(devices.map((device) => sendSequence(device, 20, 60)));
		await stop(second);
		await sending;
		await haveShares(
			[first].map(({ urls }) => urls.http),
			[partitions],
		);
		for (const serial of serials) await hasOnly(first.operator, serial, 'seq 59');
	});

	it('reaches devices that have said nothing since it was started', async () => {
		const before = await start();
		const devices = await Promise.all(serials.slice(0, 4).map((serial) => broker.connect(serial)));
		for (const device of devices) await device.send('114,c8y_Restart');
		for (const { serial } of devices)
			await eventually(
				'the device is there',
				() => before.operator.findId(serial),
				(id) => id !== undefined,
			);
		await stop(before);
		const after = await start();
		for (const device of devices) {
			await after.operator.createOperation(device.serial, { c8y_Restart: {} });
			expect(await device.nextLine()).to.equal(`510,${device.serial}`);
		}
	});

	it('handles what devices have reported while it was away before it sends them anything again', async () => {
		const before = await start({ MQTT_BRIDGE_PARTITIONS: '1' });
		const device = await broker.connect('out10');
		await device.send('114,c8y_Restart,c8y_Command,c8y_LogfileRequest');
		await eventually(
			'the device is there',
			() => before.operator.findId('out10'),
			(id) => id !== undefined,
		);
		const done = await before.operator.createOperation('out10', { c8y_Restart: {} });
		const open = await before.operator.createOperation('out10', { c8y_Restart: {} });
		await before.operator.createOperation('out10', { c8y_Command: { text: 'ls' } });
		for (const line of ['510,out10', '510,out10', '511,out10,ls']) expect(await device.nextLine()).to.equal(line);
		await stop(before);
		await sendSequence(device, 0, 400);
		await device.send('501,c8y_Restart');
		await device.send('503,c8y_Restart');
		const after = await start({ MQTT_BRIDGE_PARTITIONS: '1' });
		// One restart is over, the other one was not begun.
		for (const line of ['510,out10', '511,out10,ls']) expect(await device.nextLine()).to.equal(line);
		await after.operator.createOperation('out10', { c8y_Command: { text: 'last' } });
		expect(await device.nextLine()).to.equal('511,out10,last');
		await after.operator.reaches(done.id, 'SUCCESSFUL');
		await after.operator.reaches(open.id, 'PENDING');
		await hasOnly(after.operator, 'out10', 'seq 399');
	});

	it('keeps operations for a device that is gone until it is back', async () => {
		const { operator } = await start();
		const device = await broker.connect('out1', { topic: 'presence', payload: 'disconnected' });
		await device.send('connected', 'presence');
		await device.send('114,c8y_Restart');
		await eventually(
			'the device is there',
			() => operator.findId('out1'),
			(id) => id !== undefined,
		);
		device.drop();
		await isNoted('t1/out1', false);
		const { id } = await operator.createOperation('out1', { c8y_Restart: {} });
		const back = await broker.connect('out1');
		expect((await operator.operation(id)).delivery.status).to.equal('PENDING');
		// Any message is a sign of life, like this one.
		await back.send('connected', 'presence');
		expect(await back.nextLine()).to.equal('510,out1');
		await isNoted('t1/out1', true);
		back.drop();
		await (await broker.connect('out1')).send('disconnected', 'presence');
		await isNoted('t1/out1', false);
		await (await broker.connect('out1')).send('117,60');
		await isNoted('t1/out1', true);
		await eventually(
			'it is delivered',
			() => operator.operation(id),
			({ delivery }) => delivery.status === 'DELIVERED',
		);
	});

	it('takes nothing for delivered that nobody listens to', async () => {
		const { operator } = await start();
		const device = await broker.connect('out2');
		await device.send('114,c8y_Restart');
		await eventually(
			'the device is there',
			() => operator.findId('out2'),
			(id) => id !== undefined,
		);
		device.drop();
		await eventually(
			'the broker knows',
			() => broker.lines().join('\n'),
			(log) => log.includes('out2 closed its connection'),
		);
		const { id } = await operator.createOperation('out2', { c8y_Restart: {} });
		const back = await broker.connect('out2');
		await back.send('500');
		expect(await back.nextLine()).to.equal('510,out2');
		await eventually(
			'it is delivered',
			() => operator.operation(id),
			({ delivery }) => delivery.status === 'DELIVERED',
		);
	});

	it('sends operations as JSON to devices that have used JSON, and answers what is wrong', async () => {
		const { operator } = await start();
		const device = await broker.connect('out3');
		await device.send('{"c8y_SupportedOperations":["c8y_Restart"]}', 'inventory/managedObjects/update');
		await device.send('999,x');
		expect(await device.nextLine('s/e')).to.match(/^50,999,/);
		const { id } = await operator.createOperation('out3', { c8y_Restart: {} });
		expect(JSON.parse(await device.nextLine('devicecontrol/notifications'))).to.include({ id });
		expect(await device.nextLine()).to.equal('510,out3');
	});

	it('knows after a restart, too, which devices use JSON', async () => {
		const before = await start();
		const device = await broker.connect('out3');
		await device.send('{"c8y_SupportedOperations":["c8y_Restart"]}', 'inventory/managedObjects/update');
		await eventually(
			'the device is there',
			() => before.operator.findId('out3'),
			(id) => id !== undefined,
		);
		await stop(before);
		await device.send('117,60');
		const { operator } = await start();
		const { id } = await operator.createOperation('out3', { c8y_Restart: {} });
		expect(JSON.parse(await device.nextLine('devicecontrol/notifications'))).to.include({ id });
	});

	it('keeps so many devices in memory, and finds the others when they say something', async () => {
		const settings = { MQTT_BRIDGE_PARTITIONS: '1', MQTT_BRIDGE_PARTITION_DEVICES_MAX: '2' };
		const { operator, urls } = await start(settings);
		const [silent, ...others] = await Promise.all(['out0', 'out1', 'out2'].map((serial) => broker.connect(serial)));
		for (const device of [silent, ...others]) {
			await device?.send('114,c8y_Restart');
			await eventually(
				'the device is there',
				() => operator.findId(device?.serial ?? ''),
				(id) => id !== undefined,
			);
		}
		expect(await figure(urls.http, 'mqtt_bridge_devices')).to.equal(2);
		const { id } = await operator.createOperation('out0', { c8y_Restart: {} });
		for (const device of others) {
			await operator.createOperation(device.serial, { c8y_Restart: {} });
			expect(await device.nextLine()).to.equal(`510,${device.serial}`);
		}
		expect((await operator.operation(id)).delivery.status).to.equal('PENDING');
		await silent?.send('117,60');
		expect(await silent?.nextLine()).to.equal('510,out0');
		expect(await figure(urls.http, 'mqtt_bridge_devices')).to.equal(2);
	});

	it('takes a device for unavailable from its will on until it is back, where it has promised to be heard of', async () => {
		const { operator } = await start();
		const device = await broker.connect('out1', { topic: 'presence', payload: 'disconnected' });
		await device.send('117,60');
		await device.send('125');
		const availability = async () => (await operator.findId('out1')) && (await operator.objectOf('out1')).c8y_Availability;
		const becomes = (status: string) =>
			eventually(`it is ${status}`, availability, (now) => JSON.stringify(now)?.includes(`"${status}"`) === true);
		const found = async (status: string) => {
			const query = encodeURIComponent(`$filter=(c8y_Availability.status eq '${status}')`);
			const { managedObjects } = await operator.http.get<{ managedObjects: unknown[] }>(
				`/inventory/managedObjects?query=${query}`,
			);
			return managedObjects.length;
		};
		const heard = await becomes('AVAILABLE');
		device.drop();
		expect(await becomes('UNAVAILABLE')).to.deep.equal({ ...Object(heard), status: 'UNAVAILABLE' });
		expect([await found('UNAVAILABLE'), await found('AVAILABLE')]).to.deep.equal([1, 0]);
		await (await broker.connect('out1')).send('connected', 'presence');
		await becomes('AVAILABLE');
		expect(await found('UNAVAILABLE')).to.equal(0);
	});

	it('lets no device take the serial of one that is connected, before that has said a word', async () => {
		const { operator } = await start();
		const [silent, taking] = [await broker.connect('out1'), await broker.connect('out2')];
		await silent.send('connected', 'presence');
		await isNoted('t1/out1', true);
		await taking.send('101,out1,Mine,c8y_Linux');
		expect(await taking.nextLine('s/e')).to.equal("41,101,'out1' is the serial of another device");
		await silent.send('100,Own,c8y_Linux');
		await taking.send('101,out1,Mine,c8y_Linux');
		expect(await taking.nextLine('s/e')).to.match(/^41,101,/);
		await silent.send('disconnected', 'presence');
		await isNoted('t1/out1', false);
		await taking.send('101,out3,Child,c8y_Linux');
		await eventually(
			'the child is there',
			() => operator.findId('out3'),
			(id) => id !== undefined,
		);
		expect(await operator.objectOf('out1')).to.include({ name: 'Own' });
	});

	it('leaves alone what is under no prefix, in no tenant, and no business of devices', async () => {
		const { operator, urls } = await start();
		const stranger = await connectAsync(broker.url, { reconnectPeriod: 0 });
		for (const topic of ['c8y/nobody/out4/s/us', 'c8y/t1/a:b:c:d/s/us', 'c8y/1t/out4/s/us']) {
			await stranger.publishAsync(topic, '100,x,y', { qos: 1 });
		}
		await stranger.endAsync();
		const device = await broker.connect('out4');
		await device.send('100,known,c8y_Linux');
		await eventually(
			'the device is there',
			() => operator.findId('out4'),
			(id) => id !== undefined,
		);
		await eventually(
			'the others are counted',
			async () => [
				await figure(urls.http, 'mqtt_message_errors_total{kind="foreign topic"}'),
				await figure(urls.http, 'mqtt_message_errors_total{kind="unknown tenant"}'),
			],
			([foreign = 0, unknown = 0]) => foreign >= 2 && unknown === 1,
		);
		expect(await operator.http.get('/inventory/managedObjects?withTotalElements=true&pageSize=1')).to.have.nested.property(
			'statistics.totalElements',
			1,
		);
	});

	it('waits for a broker that restarts, and misses nothing of what that has kept', async () => {
		const first = await start();
		const device = await broker.connect('out5');
		await sendSequence(device, 0, 10);
		await hasOnly(first.operator, 'out5', 'seq 9');
		await stop(first);
		await sendSequence(device, 10, 20);
		await broker.restart();
		const service = await start();
		await hasOnly(service.operator, 'out5', 'seq 19');
		await broker.restart(async () => {
			await eventually(
				'it is not ready',
				() => readiness(service.urls.http),
				(status) => status === 503,
			);
		});
		await isReady(service.urls.http);
		const back = await broker.connect('out5');
		await sendSequence(back, 20, 30);
		await hasOnly(service.operator, 'out5', 'seq 29');
	});

	it('handles what the broker has divided wherever it arrives', async () => {
		// mosquitto hands messages round robin: the hardest case, for each next message of a device comes another way.
		const { operator } = await start({ MQTT_BRIDGE_SHARING: 'hashed' });
		const device = await broker.connect('out6');
		for (let i = 0; i < 20; i++) await device.send(`141,package,${i},apt,`);
		await device.send('114,c8y_Restart');
		await eventually(
			'all of it is handled',
			async () => ((await operator.findId('out6')) === undefined ? [] : operator.namesOf('out6')),
			({ length }) => length === 20,
		);
		await operator.createOperation('out6', { c8y_Restart: {} });
		expect(await device.nextLine()).to.equal('510,out6');
	});

	it('gives a message up that always fails, and loses nothing beside it', async () => {
		const failing: DocumentStore = {
			...store,
			batch: async (steps) => {
				if (JSON.stringify(steps).includes('poison')) throw new StoreError('this cannot be written');
				return store.batch(steps);
			},
		};
		const settings = { MQTT_BRIDGE_PARTITIONS: '1', MQTT_STORE_PATIENCE_SECONDS: '1' };
		const { operator, urls } = await start(settings, failing);
		const [ill, well] = [await broker.connect('out7'), await broker.connect('out8')];
		await Promise.all([
			ill.send('141,before,1,apt,'),
			ill.send('141,poison,1,apt,'),
			ill.send('141,after,1,apt,'),
			well.send('141,beside,1,apt,'),
		]);
		await eventually(
			'it is given up',
			() => figure(urls.http, 'mqtt_message_errors_total{kind="given up"}'),
			(count) => count === 1,
			30_000,
		);
		await hasOnly(operator, 'out8', 'beside 1');
		await hasOnly(operator, 'out7', 'after 1,before 1');
	});

	it('refuses another number of partitions than that of the first start', async () => {
		await start();
		const error = await start({ MQTT_BRIDGE_PARTITIONS: '4' }).catch((reason: Error) => reason.message);
		expect(error).to.equal('MQTT_BRIDGE_PARTITIONS: found 4; right is 8, with which this store was begun');
	});

	async function isNoted(id: string, connected: boolean): Promise<void> {
		const devices = await store.collection<{ readonly _id: string; readonly connected: boolean }>({
			name: 'bridgedDevices',
			indexes: [{ name: 'byPartition', keys: ['partition', '_id'] }],
		});
		await eventually(
			`${id} is noted`,
			() => devices.get(id),
			(device) => device?.connected === connected,
		);
	}
});
