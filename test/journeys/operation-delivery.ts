import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import type { FakeDevice } from '../support/fake-device.ts';
import { patience } from '../support/named-stores.ts';
import type { OperationJson } from '../support/operator.ts';
import { upstream } from '../support/raw-client.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';

const command = (text: string | number) => ({ c8y_Command: { text: String(text) } });
const lines = (serial: string, from: number, to: number) =>
	Array.from({ length: to - from + 1 }, (_, index) => `511,${serial},${from + index}`);

describe('journeys/operation-delivery', () => {
	let service: ServiceUnderTest;
	before(async () => {
		service = await startService();
	});
	after(() => service.close());

	/** A device that is known and has gone away again. */
	async function knownDevice(serial: string): Promise<void> {
		const device = await service.connect(serial, { topics: [] });
		await device.send('114,c8y_Command,c8y_Restart');
		await device.close();
	}

	async function createCommands(serial: string, from: number, to: number): Promise<OperationJson[]> {
		const created: OperationJson[] = [];
		for (let text = from; text <= to; text++) created.push(await service.operator.createOperation(serial, command(text)));
		return created;
	}

	async function takeLines(device: FakeDevice, count: number, topic?: string): Promise<string[]> {
		const taken: string[] = [];
		while (taken.length < count) taken.push(await device.nextLine(topic));
		return taken;
	}

	it('sends what is pending when the device subscribes: oldest first, one a publish, on both topics', async () => {
		await knownDevice('pending-1');
		// More than may be under way without an acknowledgement, and more than one page of the store.
		const created = await createCommands('pending-1', 1, 60);
		const device = await service.connect('pending-1', { topics: ['s/ds', 'devicecontrol/notifications'] });
		expect(await takeLines(device, 60)).to.deep.equal(lines('pending-1', 1, 60));
		const ids = (await takeLines(device, 60, 'devicecontrol/notifications')).map((text) => JSON.parse(text).id);
		expect(ids).to.deep.equal(created.map(({ id }) => id));
	});

	it('sends an operation at once to a device that is connected, also when it has not said a word', async () => {
		await knownDevice('present-1');
		const device = await service.connect('present-1');
		await createCommands('present-1', 1, 2);
		expect(await takeLines(device, 2)).to.deep.equal(lines('present-1', 1, 2));
	});

	it('sends what is pending again on 500, and nothing that was begun [SR-500]', async () => {
		await knownDevice('asking-1');
		const device = await service.connect('asking-1');
		await createCommands('asking-1', 1, 3);
		await takeLines(device, 3);
		await device.send(['501,c8y_Command', '500']);
		expect(await takeLines(device, 2)).to.deep.equal(lines('asking-1', 2, 3));
		await createCommands('asking-1', 4, 4);
		expect(await device.nextLine()).to.equal('511,asking-1,4');
	});

	it('sends what is pending again after a reconnect, and nothing that was begun', async () => {
		await knownDevice('returning-1');
		const device = await service.connect('returning-1');
		await createCommands('returning-1', 1, 2);
		await takeLines(device, 2);
		await device.send('501,c8y_Command');
		device.drop();
		const again = await service.connect('returning-1');
		expect(await again.nextLine()).to.equal('511,returning-1,2');
		await createCommands('returning-1', 3, 3);
		expect(await again.nextLine()).to.equal('511,returning-1,3');
	});

	it('sends the operation of a child on the connection of its agent, with the external id of the child', async () => {
		const device = await service.connect('parent-1');
		await device.send('101,child-1,Child,c8y_Child');
		await device.send('114,c8y_Command', 's/us/child-1');
		const { agentId, deviceId } = await service.operator.createOperation('child-1', command('hello'));
		expect(agentId).to.equal(await service.operator.idOf('parent-1'));
		expect(deviceId).to.equal(await service.operator.idOf('child-1'));
		expect(await device.nextLine()).to.equal('511,child-1,hello');
		const { externalSource } = JSON.parse(await device.nextLine('devicecontrol/notifications'));
		expect(externalSource).to.deep.equal({ externalId: 'child-1', type: 'c8y_Serial' });
	});

	it('says DELIVERED when the device has acknowledged, and not before', async () => {
		await knownDevice('slow-1');
		const [first, second] = await createCommands('slow-1', 1, 2);
		const client = await service.openRaw('slow-1');
		await client.subscribe('s/ds');
		const one = await client.next('publish');
		const two = await client.next('publish');
		expect([one.payload.toString(), two.payload.toString()]).to.deep.equal(lines('slow-1', 1, 2));
		const deliveryOf = async (operation: OperationJson | undefined) =>
			(await service.operator.operation(operation?.id ?? '')).delivery.status;
		expect([await deliveryOf(first), await deliveryOf(second)]).to.deep.equal(['PENDING', 'PENDING']);
		client.send({ cmd: 'puback', messageId: two.messageId ?? 0 });
		await eventually(
			'the second is delivered',
			() => deliveryOf(second),
			(status) => status === 'DELIVERED',
		);
		expect(await deliveryOf(first)).to.equal('PENDING');
		client.send({ cmd: 'puback', messageId: one.messageId ?? 0 });
		await eventually(
			'the first is delivered',
			() => deliveryOf(first),
			(status) => status === 'DELIVERED',
		);
	});

	it('keeps both topics apart: an acknowledgement counts for its own message', async () => {
		await knownDevice('both-1');
		const client = await service.openRaw('both-1');
		await client.subscribe('s/ds', 'devicecontrol/notifications');
		const [operation] = await createCommands('both-1', 1, 1);
		const packets = [await client.next('publish'), await client.next('publish')];
		expect(packets.map(({ topic }) => topic).sort()).to.deep.equal(['devicecontrol/notifications', 's/ds']);
		expect(new Set(packets.map(({ messageId }) => messageId)).size).to.equal(2);
		client.send({ cmd: 'puback', messageId: packets[0]?.messageId ?? 0 });
		await eventually(
			'the operation is delivered',
			() => service.operator.operation(operation?.id ?? ''),
			({ delivery }) => delivery.status === 'DELIVERED',
		);
	});

	it('pauses at the bound of unacknowledged messages, and leaves out what was called off meanwhile', async () => {
		await knownDevice('window-1');
		const created = await createCommands('window-1', 1, 25);
		const client = await service.openRaw('window-1');
		await client.subscribe('s/ds');
		const first = await Promise.all(Array.from({ length: 20 }, () => client.next('publish')));
		client.send({ cmd: 'pingreq' });
		await client.next('pingresp');
		expect(client.untaken('publish')).to.have.length(0);
		await service.operator.http.put(`/devicecontrol/operations/${created[20]?.id}`, { status: 'FAILED', failureReason: 'off' });
		for (const { messageId } of first) client.send({ cmd: 'puback', messageId: messageId ?? 0 });
		const rest = await Promise.all(Array.from({ length: 4 }, () => client.next('publish')));
		expect(rest.map(({ payload }) => payload.toString())).to.deep.equal(lines('window-1', 22, 25));
	});

	it('gives no message the id of one that still waits for its acknowledgement', async () => {
		const ids: number[] = [];
		const client = await service.openRaw('ids-1', (packet) => {
			if (packet.cmd !== 'publish') return;
			ids.push(packet.messageId ?? 0);
			// The first one is never acknowledged.
			if (ids.length > 1) client.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
		});
		await client.subscribe('s/ds');
		client.send(upstream(1, '600'));
		await eventually(
			'one answer',
			() => ids.length,
			(count) => count === 1,
		);
		const questions = Array(2000).fill('600').join('\n');
		for (let messageId = 2; messageId < 35; messageId++) client.send(upstream(messageId, questions));
		await eventually(
			'more answers than there are ids',
			() => ids.length,
			(count) => count === 66_001,
			30_000,
		);
		expect(ids.lastIndexOf(ids[0] ?? 0)).to.equal(0);
	}).timeout(40_000 * patience);

	it('sends nothing to a subscription that has ended, and all that is pending when it is renewed', async () => {
		await knownDevice('renewing-1');
		const device = await service.connect('renewing-1', { topics: ['s/ds'] });
		await device.client.unsubscribeAsync('s/ds');
		await createCommands('renewing-1', 1, 2);
		expect(await device.subscribe(['s/ds'])).to.deep.equal([1]);
		expect(await takeLines(device, 2)).to.deep.equal(lines('renewing-1', 1, 2));
		expect(await device.untaken('s/ds')).to.deep.equal([]);
	});

	for (const qos of [0, 1, 2] as const) {
		it(`says DELIVERED for a subscription with QoS ${qos}`, async () => {
			await knownDevice(`qos-${qos}`);
			const device = await service.connect(`qos-${qos}`, { qos });
			const [operation] = await createCommands(`qos-${qos}`, 1, 1);
			expect(await device.nextLine()).to.equal(`511,qos-${qos},1`);
			await eventually(
				'the operation is delivered',
				() => service.operator.operation(operation?.id ?? ''),
				({ delivery, status }) => delivery.status === 'DELIVERED' && status === 'PENDING',
			);
		});
	}

	it('sends an operation without a static template as JSON only, and leaves it PENDING', async () => {
		const device = await service.connect('custom-1');
		await device.send('114,c8y_Custom,c8y_Restart');
		const { id } = await service.operator.createOperation(device.serial, { c8y_Custom: { a: 1 } });
		await service.operator.createOperation(device.serial, { c8y_Restart: {} });
		expect(JSON.parse(await device.nextLine('devicecontrol/notifications'))).to.deep.include({ id, c8y_Custom: { a: 1 } });
		expect(await device.nextLine()).to.equal('510,custom-1');
		expect((await service.operator.operation(id)).status).to.equal('PENDING');
	});
});
