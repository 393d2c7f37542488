import { expect } from 'chai';
import type { DocumentStore } from '../../store/index.ts';
import { eventually } from '../support/eventually.ts';
import type { FakeDevice } from '../support/fake-device.ts';
import { metricOf } from '../support/metric-of.ts';
import { patience } from '../support/named-stores.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { type DeafStore, deafTo, heardBy, openSharedStore, slowTo } from '../support/shared-store.ts';

function command(text: number) {
	return { c8y_Command: { text: `${text}` } };
}

function lines(serial: string, count: number): string[] {
	return [...Array(count).keys()].map((index) => `511,${serial},${index + 1}`);
}

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
		expect(await takeLines(device, 5)).to.deep.equal(lines('across-1', 5));
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
			expect(await takeLines(device, 3)).to.deep.equal(lines('gap-2', 3));
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

	it('handles what a device sent to one process before what it sends to the next', async () => {
		const slow = slowTo(store);
		const busy = await startAnother({}, slow);
		const before = await busy.connect('handed-1');
		await before.send('110,zero');
		const goOn = slow.hold();
		// Not acknowledged any more: its connection ends before.
		before.send('110,first').catch(() => undefined);
		await eventually('it is being written', slow.held, (count) => count === 1);
		const now = await two.connect('handed-1');
		await before.closed;
		let isHandled = false;
		const second = now.send('110,second').then(() => {
			isHandled = true;
		});
		// Everything that the process does for others goes on meanwhile.
		const other = await two.connect('handed-2');
		for (let i = 0; i < 5; i++) await other.send(`110,${i}`);
		expect(isHandled).to.equal(false);
		expect(await one.operator.objectOf('handed-1')).to.deep.include({ c8y_Hardware: { serialNumber: 'zero' } });
		goOn();
		await second;
		expect(await one.operator.objectOf('handed-1')).to.deep.include({ c8y_Hardware: { serialNumber: 'second' } });
	});

	it('ends with one connection, and nothing out of order, when a device bounces between processes', async () => {
		const written: number[] = [];
		const heard = heardBy(store, 'managedObjects', (step) => {
			const fragments = step.kind === 'update' ? step.update.$set?.fragments : undefined;
			const text = /"bounced-(\d+)"/.exec(JSON.stringify(fragments ?? {}))?.[1];
			if (text !== undefined) written.push(Number(text));
		});
		const [a, b] = [await startAnother({}, heard), await startAnother({}, heard)];
		const bounces: FakeDevice[] = [];
		let number = 0;
		for (let i = 0; i < 40; i++) {
			// Refused while too many of its connections wait for each other.
			const device = await eventually(
				'it is let in',
				() => (i % 2 === 0 ? a : b).connect('bounce-1', { topics: [] }).catch(() => undefined),
				(connected) => connected !== undefined,
			);
			if (device) bounces.push(device);
			// Not waited for: what is lost with the connection was not acknowledged.
			for (let line = 0; line < 3; line++) device?.send(`110,bounced-${++number}`).catch(() => undefined);
		}
		const last = bounces.pop();
		await last?.send('110,bounced-1000');
		await Promise.all(bounces.map(({ closed }) => closed));
		expect(written).to.deep.equal([...written].sort((x, y) => x - y));
		expect(written.at(-1)).to.equal(1000);
		expect(last?.client.connected).to.equal(true);
		const connected = await Promise.all(
			[a, b].map(async ({ urls }) => /^mqtt_connections (\d+)/m.exec(await (await fetch(`${urls.http}/metrics`)).text())?.[1]),
		);
		expect(connected.sort()).to.deep.equal(['0', '1']);
	});

	it('hears of the end of a connection that took over in its own process', async () => {
		const own = await startAnother({});
		const first = await own.connect('stays-1');
		const second = await own.connect('stays-1');
		await first.closed;
		await second.close();
		await eventually(
			'none is left',
			() => metricOf(own, 'mqtt_connections'),
			(count) => count === 0,
		);
		// Nothing is waited for that has ended.
		const waitsLong = await startAnother({ TAKEOVER_WAIT_SECONDS: '600' });
		const third = await waitsLong.connect('stays-1');
		await third.send('110,elsewhere');
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
		await eventually(
			'the new object is spoken for',
			async () => {
				await device.send('110,new');
				return http.get<{ readonly c8y_Hardware?: unknown }>(`/inventory/managedObjects/${other}`);
			},
			({ c8y_Hardware }) => c8y_Hardware !== undefined,
		);
		await http.put(`/inventory/managedObjects/${id}`, { c8y_Hardware: { serialNumber: 'at rest' } });
		await device.send('110,newer');
		expect(await http.get(`/inventory/managedObjects/${other}`)).to.deep.include({ c8y_Hardware: { serialNumber: 'newer' } });
		expect(await http.get(`/inventory/managedObjects/${id}`)).to.deep.include({ c8y_Hardware: { serialNumber: 'at rest' } });
	});

	it('lets the devices of a process connect again that was taken for gone', async () => {
		const service = await startAnother({ LEASE_SECONDS: '1' });
		const device = await service.connect('gone-1');
		await device.send('110,before');
		await store.batch([{ kind: 'removeWhere', collection: 'processes', filter: {} }]);
		await device.closed;
		const again = await service.connect('gone-1');
		await again.send('110,after');
		expect(await one.operator.objectOf('gone-1')).to.deep.include({ c8y_Hardware: { serialNumber: 'after' } });
	});

	it('counts the processes', async () => {
		const text = await eventually(
			'the other one is seen',
			async () => (await fetch(`${two.urls.http}/metrics`)).text(),
			(found) => /^processes [2-9]/m.test(found),
			30_000,
		);
		expect(text).to.match(/^processes /m);
	}).timeout(30_000 * patience);
});
