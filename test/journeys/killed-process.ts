import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { createLedger, type Ledger } from '../support/ledger.ts';
import type { Operator } from '../support/operator.ts';
import { createPackageStream } from '../support/package-stream.ts';
import { openRawClient, upstream } from '../support/raw-client.ts';
import { operatorOf, processLogin, processPassword, type ServiceProcess, useServiceProcess } from '../support/service-process.ts';

const settings = { ADMIN_PASSWORD: processPassword };

describe('journeys/killed-process', function () {
	this.timeout(180_000);
	const { start } = useServiceProcess();

	it('loses nothing that was acknowledged when it is killed in the middle of a stream', async () => {
		const ledger = createLedger();
		const streams = ['stream-1', 'stream-2', 'stream-3'].map((serial) =>
			createPackageStream({ serial, login: processLogin, ledger }),
		);
		const [first] = streams;
		for (let round = 1; round <= 3; round++) {
			const service = await start(settings);
			const operator = operatorOf(service);
			const clients = await Promise.all(streams.map(({ connect }) => connect(service.mqtt)));
			await eventually(
				'the device is known',
				() => operator.findId('stream-1'),
				(id) => id !== undefined,
			);
			const creating = createUntilKilled(operator, 'stream-1', ledger);
			// In the middle: when this many are acknowledged, wherever the rest is.
			await eventually(
				'the streams flow',
				() => first?.countAcknowledged() ?? 0,
				(count) => count >= round * 600,
				30_000,
			);
			await service.kill();
			for (const { client } of clients) client.close();
			await creating;
		}
		const service = await start(settings);
		const operator = operatorOf(service);
		for (const { noteStored } of streams) await noteStored(operator);
		await noteOperations(operator, 'stream-1', ledger);
		const { sent, acknowledged, lost, doubled, strangers } = ledger.balance();
		expect({ lost, doubled, strangers }).to.deep.equal({ lost: [], doubled: [], strangers: [] });
		expect(acknowledged)
			.to.be.above(3 * 600)
			.and.below(sent);
		expect(ledger.stream('operations').countAcknowledged()).to.be.above(0);
		expect(await service.end()).to.equal(0);
	});

	it('delivers every operation it has answered for when it is killed in the middle of deliveries', async () => {
		const ledger = createLedger();
		const entries = ledger.stream('operations');
		const installer = createInstaller('delivered-1', ledger);
		for (let round = 1; round <= 3; round++) {
			const service = await start(settings);
			const device = await installer.connect(service);
			const creating = createUntilKilled(operatorOf(service), 'delivered-1', ledger);
			await eventually('deliveries flow', entries.countDelivered, (count) => count >= round * 60, 30_000);
			await service.kill();
			device.close();
			await creating;
		}
		const service = await start(settings);
		const operator = operatorOf(service);
		const device = await installer.connect(service);
		await eventually(
			'everything is delivered',
			() => ledger.balance().undelivered,
			(undelivered) => undelivered.length === 0,
			30_000,
		);
		await noteOperations(operator, 'delivered-1', ledger);
		const { lost, doubled, strangers, undelivered, stored } = ledger.balance();
		expect({ lost, doubled, strangers, undelivered }).to.deep.equal({ lost: [], doubled: [], strangers: [], undelivered: [] });
		expect(installer.again, 'delivered after their end was acknowledged').to.deep.equal([]);
		const path = `/devicecontrol/operations?deviceId=${await operator.idOf('delivered-1')}&status=SUCCESSFUL&pageSize=2000`;
		await eventually(
			'everything is done',
			async () => (await operator.http.get<{ operations: unknown[] }>(path)).operations.length,
			(count) => count === stored,
			30_000,
		);
		device.close();
		expect(await service.end()).to.equal(0);
	});
});

/**
 * A device that does what it gets, one after the other, with one report under way. What was not acknowledged it sends once more
 * on its next connection, marked as a duplicate; what it gets once more although its report was acknowledged is in `again`.
 */
function createInstaller(serial: string, ledger: Ledger) {
	const entries = ledger.stream('operations');
	const again: number[] = [];
	const reported = new Set<number>();
	let underWay: { readonly messageId: number; readonly number: number } | undefined;

	async function connect({ mqtt }: ServiceProcess) {
		const waiting: number[] = [];
		const client = await openRawClient(mqtt, (packet) => {
			if (packet.cmd === 'publish') {
				const number = numberIn(packet.payload.toString());
				entries.delivered(number);
				if (reported.has(number)) again.push(number);
				client.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
				if (number !== underWay?.number) waiting.push(number);
				report();
			} else if (packet.cmd === 'puback' && underWay && packet.messageId === underWay.messageId) {
				reported.add(underWay.number);
				underWay = undefined;
				report();
			}
		});
		const send = ({ messageId }: { readonly messageId: number }, dup: boolean) =>
			client.send(upstream(messageId, '501,c8y_Command\n503,c8y_Command', { dup }));
		const report = (): void => {
			const number = underWay ? undefined : waiting.shift();
			if (number === undefined) return;
			underWay = { messageId: number + 1, number };
			send(underWay, false);
		};
		await client.logIn({ clientId: serial, ...processLogin });
		if (underWay) send(underWay, true);
		client.send(upstream(60_001, '114,c8y_Command'));
		// The device is known from here on.
		await client.next('puback', ({ messageId }) => messageId === 60_001);
		await client.subscribe('s/ds');
		return client;
	}

	return { connect, again };
}

/** Operations one after the other, numbered in their texts. */
async function createUntilKilled(operator: Operator, serial: string, ledger: Ledger): Promise<void> {
	const entries = ledger.stream('operations');
	const deviceId = await operator.idOf(serial);
	try {
		for (;;) {
			const number = entries.next();
			await operator.http.post('/devicecontrol/operations', { deviceId, c8y_Command: { text: `number ${number}` } });
			entries.acknowledged(number);
		}
	} catch {
		// The process was killed.
	}
}

async function noteOperations(operator: Operator, serial: string, ledger: Ledger): Promise<void> {
	const entries = ledger.stream('operations');
	const deviceId = await operator.idOf(serial);
	for (let page = 1; ; page++) {
		const { operations } = await operator.http.get<{ operations: { c8y_Command: { text: string } }[] }>(
			`/devicecontrol/operations?deviceId=${deviceId}&pageSize=2000&currentPage=${page}`,
		);
		for (const { c8y_Command } of operations) entries.stored(numberIn(c8y_Command.text));
		if (operations.length < 2000) return;
	}
}

function numberIn(text: string): number {
	return Number(/number (\d+)/.exec(text)?.[1]);
}
