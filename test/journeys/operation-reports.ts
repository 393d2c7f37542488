import { expect } from 'chai';
import type { FakeDevice } from '../support/fake-device.ts';
import { upstream } from '../support/raw-client.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';

const command = (text: string) => ({ c8y_Command: { text } });

describe('journeys/operation-reports', () => {
	let service: ServiceUnderTest;
	before(async () => {
		service = await startService();
	});
	after(() => service.close());

	/** A device with so many commands that it was sent; the ids, oldest first. */
	async function deviceWithCommands(serial: string, count: number): Promise<{ device: FakeDevice; ids: string[] }> {
		const device = await service.connect(serial);
		await device.send('114,c8y_Command,c8y_Restart');
		const ids: string[] = [];
		for (let number = 1; number <= count; number++) {
			ids.push((await service.operator.createOperation(serial, command(`${number}`))).id);
			await device.nextLine();
		}
		return { device, ids };
	}

	async function statusesOf(ids: readonly string[]): Promise<string[]> {
		return Promise.all(ids.map(async (id) => (await service.operator.operation(id)).status));
	}

	it('takes the oldest operation in the state before, one a line [SR-501] [SR-502] [SR-503]', async () => {
		const { device, ids } = await deviceWithCommands('order-1', 3);
		await device.send(['501,c8y_Command', '501,c8y_Command']);
		expect(await statusesOf(ids)).to.deep.equal(['EXECUTING', 'EXECUTING', 'PENDING']);
		await device.send(['503,c8y_Command,done, "all, of it"', '502,c8y_Command,no', '501,c8y_Command']);
		expect(await statusesOf(ids)).to.deep.equal(['SUCCESSFUL', 'FAILED', 'EXECUTING']);
		const first = await service.operator.operation(ids[0] ?? '');
		expect(first.c8y_Command).to.deep.equal({ text: '1', result: 'done,all, of it' });
	});

	it('moves an operation by its id, whatever the order of creation [SR-504] [SR-505] [SR-506]', async () => {
		const { device, ids } = await deviceWithCommands('by-id-1', 3);
		await device.send([`504,${ids[2]}`, `506,${ids[2]},result`, `505,${ids[1]},Cancelled operation`]);
		expect(await statusesOf(ids)).to.deep.equal(['PENDING', 'FAILED', 'SUCCESSFUL']);
		expect((await service.operator.operation(ids[1] ?? '')).failureReason).to.equal('Cancelled operation');
		expect(await device.untaken('s/e')).to.deep.equal([]);
	});

	it('fails what is executing, by fragment or all of it [SR-507]', async () => {
		const { device, ids } = await deviceWithCommands('crash-1', 2);
		ids.push((await service.operator.createOperation(device.serial, { c8y_Restart: {} })).id);
		await device.send(['501,c8y_Command', '501,c8y_Restart', '507,c8y_Restart,power cut']);
		expect(await statusesOf(ids)).to.deep.equal(['EXECUTING', 'PENDING', 'FAILED']);
		await device.send('507,,power cut');
		expect(await statusesOf(ids)).to.deep.equal(['FAILED', 'PENDING', 'FAILED']);
		expect((await service.operator.operation(ids[0] ?? '')).failureReason).to.equal('power cut');
	});

	it('reports for a child on its topic, and leaves the operations of the device alone', async () => {
		const { device, ids } = await deviceWithCommands('family-1', 1);
		await device.send('101,family-child,Child,c8y_Child');
		await device.send('114,c8y_Command', 's/us/family-child');
		for (const text of ['a', 'b', 'c', 'd']) ids.push((await service.operator.createOperation('family-child', command(text))).id);
		await device.send(
			[
				'501,c8y_Command',
				'503,c8y_Command',
				'501,c8y_Command',
				'502,c8y_Command,no',
				`504,${ids[3]}`,
				`506,${ids[3]}`,
				`505,${ids[4]},no`,
			],
			's/us/family-child',
		);
		expect(await statusesOf(ids)).to.deep.equal(['PENDING', 'SUCCESSFUL', 'FAILED', 'SUCCESSFUL', 'FAILED']);
	});

	it('answers a report that matches nothing on s/e and changes nothing', async () => {
		const { device, ids } = await deviceWithCommands('nothing-1', 2);
		await device.send(['501,c8y_Command', '503,c8y_Command']);
		await device.send([
			'502,c8y_SoftwareList,no attribute',
			'502,c8y_Command,too late',
			'503,c8y_Restart',
			`505,${ids[0]},too late`,
		]);
		expect(await statusesOf(ids)).to.deep.equal(['SUCCESSFUL', 'PENDING']);
		const errors = await device.untaken('s/e');
		expect(errors.map((line) => line.slice(0, 7))).to.deep.equal(['41,502,', '41,502,', '41,503,', '41,505,']);
	});

	it('refuses the id of an operation that is for another device', async () => {
		const { ids } = await deviceWithCommands('victim-1', 1);
		const attacker = await service.connect('attacker-1');
		await attacker.send([`504,${ids[0]}`, `505,${ids[0]},mine`, `506,${ids[0]}`, '506,999999', '506,x']);
		expect(await statusesOf(ids)).to.deep.equal(['PENDING']);
		expect(await attacker.untaken('s/e')).to.have.length(5);
	});

	for (const [qos, answer] of [
		[1, 'puback'],
		[2, 'pubrec'],
	] as const) {
		it(`does not start the next operation when a 501 at QoS ${qos} comes again with the DUP flag`, async () => {
			const { device, ids } = await deviceWithCommands(`again-qos-${qos}`, 3);
			await device.close();
			const client = await service.openRaw(device.serial);
			client.send(upstream(7, '501,c8y_Command', { qos }));
			await client.next(answer);
			// The acknowledgement was lost on its way: the same packet on a new connection.
			client.close();
			await client.closed;
			const again = await service.openRaw(device.serial);
			const redelivered = upstream(7, '501,c8y_Command', { qos, dup: true });
			again.send(redelivered, redelivered);
			await again.next(answer);
			await again.next(answer);
			expect(await statusesOf(ids)).to.deep.equal(['EXECUTING', 'PENDING', 'PENDING']);
			// Never seen before, because the connection broke before it was handled.
			again.send(upstream(8, '501,c8y_Command', { qos, dup: true }));
			await again.next(answer);
			expect(await statusesOf(ids)).to.deep.equal(['EXECUTING', 'EXECUTING', 'PENDING']);
		});
	}

	it('does not end the next operation when a 502, 503 or 507 comes again with the DUP flag', async () => {
		const { device, ids } = await deviceWithCommands('again-2', 4);
		await device.send(['501,c8y_Command', '501,c8y_Command', '501,c8y_Command']);
		await device.close();
		const client = await service.openRaw('again-2');
		const expected = [
			['503,c8y_Command', ['SUCCESSFUL', 'EXECUTING', 'EXECUTING', 'PENDING']],
			['502,c8y_Command,no', ['SUCCESSFUL', 'FAILED', 'EXECUTING', 'PENDING']],
			['507,c8y_Command,no', ['SUCCESSFUL', 'FAILED', 'FAILED', 'PENDING']],
		] as const;
		for (const [index, [line, statuses]] of expected.entries()) {
			client.send(upstream(20 + index, line), upstream(20 + index, line, { dup: true }));
			await client.next('puback');
			await client.next('puback');
			expect(await statusesOf(ids), line).to.deep.equal(statuses);
		}
		client.send(upstream(30, '501,c8y_Command'), upstream(22, expected[2][0], { dup: true }));
		await client.next('puback');
		await client.next('puback');
		expect(await statusesOf(ids)).to.deep.equal(['SUCCESSFUL', 'FAILED', 'FAILED', 'EXECUTING']);
	});

	it('takes a new publish for new work, though its packet id was used before', async () => {
		const { device, ids } = await deviceWithCommands('reuse-1', 2);
		await device.close();
		const client = await service.openRaw('reuse-1');
		client.send(upstream(5, '501,c8y_Command'));
		await client.next('puback');
		client.send(upstream(5, '501,c8y_Command'));
		await client.next('puback');
		expect(await statusesOf(ids)).to.deep.equal(['EXECUTING', 'EXECUTING']);
	});

	it('tells lines of one redelivered payload apart: what was done is not done again, the rest is', async () => {
		const { device, ids } = await deviceWithCommands('lines-1', 3);
		await device.close();
		const client = await service.openRaw('lines-1');
		const payload = '501,c8y_Command\n503,c8y_Command\n501,c8y_Command';
		client.send(upstream(9, payload), upstream(9, payload, { dup: true }));
		await client.next('puback');
		await client.next('puback');
		expect(await statusesOf(ids)).to.deep.equal(['SUCCESSFUL', 'EXECUTING', 'PENDING']);
	});

	for (const qos of [0, 2] as const) {
		it(`handles reports at QoS ${qos} in order`, async () => {
			const { device, ids } = await deviceWithCommands(`reports-qos-${qos}`, 2);
			for (const line of ['501,c8y_Command', '503,c8y_Command', '501,c8y_Command', '502,c8y_Command,x'])
				void device.send(line, 's/us', qos);
			expect(await device.untaken('s/e')).to.deep.equal([]);
			expect(await statusesOf(ids)).to.deep.equal(['SUCCESSFUL', 'FAILED']);
		});
	}
});
