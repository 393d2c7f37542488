import { expect } from 'chai';
import type { DocumentStore } from '../../store/index.ts';
import { eventually } from '../support/eventually.ts';
import type { FakeDevice } from '../support/fake-device.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { type DeafStore, deafTo, openSharedStore } from '../support/shared-store.ts';

const command = (text: string | number) => ({ c8y_Command: { text: String(text) } });
const lines = (serial: string, from: number, to: number) =>
	Array.from({ length: to - from + 1 }, (_, index) => `511,${serial},${from + index}`);

describe('journeys/many-processes', () => {
	let store: DocumentStore;
	let one: ServiceUnderTest;
	let two: ServiceUnderTest;
	const others: ServiceUnderTest[] = [];
	before(async () => {
		store = await openSharedStore();
		one = await startService({}, { store });
		two = await startService({}, { store });
	});
	after(async () => {
		await Promise.all([one, two, ...others].map((service) => service.close()));
		await store.close();
	});

	async function startAnother(
		settings: Readonly<Record<string, string>>,
		given: DocumentStore = store,
	): Promise<ServiceUnderTest> {
		const service = await startService(settings, { store: given });
		others.push(service);
		return service;
	}

	async function knownDevice(serial: string): Promise<void> {
		const device = await one.connect(serial, { topics: [] });
		await device.send('114,c8y_Command,c8y_Restart');
		await device.close();
	}

	async function takeLines(device: FakeDevice, count: number): Promise<string[]> {
		const taken: string[] = [];
		while (taken.length < count) taken.push(await device.nextLine());
		return taken;
	}

	/** Resolves when the device has so many operations, in no other order than that of their numbers; returns these. */
	async function takeNotifications(device: FakeDevice, count: number): Promise<number[]> {
		const numbers: number[] = [];
		while (numbers.length < count) numbers.push(Number(JSON.parse(await device.nextLine('devicecontrol/notifications')).id));
		return numbers;
	}

	it('delivers what one process creates to a device that is connected to the other', async () => {
		await knownDevice('across-1');
		const device = await two.connect('across-1');
		for (let text = 1; text <= 5; text++) await one.operator.createOperation('across-1', command(text));
		expect(await takeLines(device, 5)).to.deep.equal(lines('across-1', 1, 5));
		await device.send(['501,c8y_Command', '503,c8y_Command']);
	});

	it('delivers in the order of the numbers, once, what both create for one device at the same time', async () => {
		await knownDevice('order-1');
		const device = await two.connect('order-1');
		const creating = Array.from({ length: 60 }, (_, i) => [one, two][i % 2]?.operator.createOperation('order-1', command(i)));
		const created = (await Promise.all(creating)).map((operation) => Number(operation?.id)).sort((a, b) => a - b);
		expect(await takeNotifications(device, 60)).to.deep.equal(created);
		expect(new Set(created).size).to.equal(60);
		// What 501 takes is what came first.
		const [first] = await takeLines(device, 1);
		await device.send('501,c8y_Command');
		expect(await one.operator.operation(String(created[0]))).to.deep.include({ status: 'EXECUTING' });
		expect(first).to.include('511,order-1,');
		expect(await device.untaken('devicecontrol/notifications')).to.deep.equal([]);
	});

	describe('where no change is heard of', () => {
		let deaf: DeafStore;
		let service: ServiceUnderTest;
		before(async () => {
			deaf = deafTo(store);
			service = await startAnother({ MQTT_DELIVERY_SWEEP_SECONDS: '1', LEASE_SECONDS: '2' }, deaf);
		});

		it('delivers every operation later, in order, once', async () => {
			await knownDevice('deaf-1');
			const device = await service.connect('deaf-1');
			const created: number[] = [];
			for (let text = 1; text <= 60; text++) {
				const from = text % 2 === 0 ? one : service;
				created.push(Number((await from.operator.createOperation('deaf-1', command(text))).id));
			}
			expect(await takeNotifications(device, 60)).to.deep.equal(created);
			expect(await device.untaken('devicecontrol/notifications')).to.deep.equal([]);
		});

		it('looks at once after a gap, and at the users of its connections', async () => {
			const slow = deafTo(store);
			const gap = await startAnother({ MQTT_DELIVERY_SWEEP_SECONDS: '3600' }, slow);
			const credentials = await one.register('gap-1');
			await knownDevice('gap-2');
			const [device, removed] = [await gap.connect('gap-2'), await gap.connect('gap-1', credentials)];
			await removed.send('114,c8y_Command');
			const id = await one.operator.findId('gap-1');
			await one.operator.http.call('DELETE', `/inventory/managedObjects/${id}?withDeviceUser=true`);
			for (let text = 1; text <= 3; text++) await one.operator.createOperation('gap-2', command(text));
			expect(await device.untaken('s/ds')).to.deep.equal([]);
			slow.tellGap();
			expect(await takeLines(device, 3)).to.deep.equal(lines('gap-2', 1, 3));
			await removed.closed;
		});

		it('takes a device over all the same', async () => {
			const before = await service.connect('deaf-3');
			await before.send('114,c8y_Command');
			const now = await one.connect('deaf-3');
			await now.send('110,one');
			await before.closed;
			const again = await service.connect('deaf-3');
			await again.send('110,two');
			await now.closed;
			expect(await two.operator.objectOf('deaf-3')).to.deep.include({ c8y_Hardware: { serialNumber: 'two' } });
		});
	});

	it('cuts off the connection to another process when its user is removed', async () => {
		const credentials = await one.register('removed-1');
		const device = await two.connect('removed-1', credentials);
		await device.send('114,c8y_Command');
		const id = await one.operator.findId('removed-1');
		await one.operator.http.call('DELETE', `/inventory/managedObjects/${id}?withDeviceUser=true`);
		await device.closed;
	});

	it('speaks for the object that has the serial now, whichever process gave it', async () => {
		const device = await two.connect('moved-1');
		await device.send('110,old');
		const id = await one.operator.findId('moved-1');
		const { http } = one.operator;
		await http.call('DELETE', '/identity/externalIds/c8y_Serial/moved-1');
		const { id: other } = await http.post<{ readonly id: string }>('/inventory/managedObjects', {
			name: 'other',
			c8y_IsDevice: {},
		});
		await http.post(`/identity/globalIds/${other}/externalIds`, { type: 'c8y_Serial', externalId: 'moved-1' });
		await device.send('110,new');
		expect(await http.get(`/inventory/managedObjects/${other}`)).to.deep.include({ c8y_Hardware: { serialNumber: 'new' } });
		expect(await http.get(`/inventory/managedObjects/${id}`)).to.deep.include({ c8y_Hardware: { serialNumber: 'old' } });
	});

	it('counts the processes', async () => {
		const text = await eventually(
			'the other one is seen',
			async () => (await fetch(`${two.urls.http}/metrics`)).text(),
			(found) => /^processes [2-9]/m.test(found),
			30_000,
		);
		expect(text).to.match(/^processes /m);
	}).timeout(30_000);
});
