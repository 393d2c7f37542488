import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { createLedger } from '../support/ledger.ts';
import { sized } from '../support/named-stores.ts';
import { createInstaller, createOperations, noteOperations } from '../support/operation-stream.ts';
import { createPackageStream } from '../support/package-stream.ts';
import { operatorOf, processLogin, processPassword, useServiceProcess } from '../support/service-process.ts';

const settings = { ADMIN_PASSWORD: processPassword };
/** How many are acknowledged, and delivered, before each kill. */
const packages = sized(600, 60);
const deliveries = sized(60, 6);
const rounds = sized(3, 2);

describe('journeys/killed-process', function () {
	this.timeout(180_000);
	const { start } = useServiceProcess();

	it('loses nothing that was acknowledged when it is killed in the middle of a stream', async () => {
		const ledger = createLedger();
		const streams = ['stream-1', 'stream-2', 'stream-3'].map((serial) =>
			createPackageStream({ serial, login: processLogin, ledger }),
		);
		const [first] = streams;
		for (let round = 1; round <= rounds; round++) {
			const service = await start(settings);
			const operator = operatorOf(service);
			const clients = await Promise.all(streams.map(({ connect }) => connect(service.mqtt)));
			await eventually(
				'the device is known',
				() => operator.findId('stream-1'),
				(id) => id !== undefined,
			);
			const creating = createOperations(operator, 'stream-1', ledger).catch(wasKilled);
			// In the middle: when this many are acknowledged, wherever the rest is.
			await eventually(
				'the streams flow',
				() => first?.countAcknowledged() ?? 0,
				(count) => count >= round * packages,
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
			.to.be.above(rounds * packages)
			.and.below(sent);
		expect(ledger.stream('operations').countAcknowledged()).to.be.above(0);
		expect(await service.end()).to.equal(0);
	});

	it('delivers every operation it has answered for when it is killed in the middle of deliveries', async () => {
		const ledger = createLedger();
		const entries = ledger.stream('operations');
		const installer = createInstaller('delivered-1', ledger);
		for (let round = 1; round <= rounds; round++) {
			const service = await start(settings);
			const device = await installer.connect(service);
			const creating = createOperations(operatorOf(service), 'delivered-1', ledger).catch(wasKilled);
			await eventually('deliveries flow', entries.countDelivered, (count) => count >= round * deliveries, 30_000);
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

// Whoever asks for operations sees their connection break.
function wasKilled(): void {}
