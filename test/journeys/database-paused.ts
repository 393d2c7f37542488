import { expect } from 'chai';
import { createMemoryRecord } from '../soak/memory-record.ts';
import {
	ask,
	becomesReady,
	canFailDatabase,
	databaseFaultReason,
	startLoad,
	useFaultyService,
} from '../support/database-faults.ts';
import { eventually } from '../support/eventually.ts';
import { openRawClient, upstream } from '../support/raw-client.ts';
import { connectDevice, operatorOf, processLogin } from '../support/service-process.ts';
import { describeWhere } from '../support/skip.ts';

const pausedMilliseconds = 20_000;
// What the settings of these processes add up to: a look at the server, a connection, a server to select; and a busy machine.
const answerSeconds = 20;

/**
 * Far more than the service may hold: messages of 16 kB, sent without waiting for an answer. What is held of a device are those of
 * one read of its connection, 64 KiB; the rest stays with it.
 */
const flooding = { devices: 20, messages: 200, bytes: 16_000, heldMost: 8, memoryMaxBytes: 64 * 1024 * 1024 };

describeWhere(canFailDatabase, 'journeys/database-paused', databaseFaultReason, function () {
	this.timeout(180_000);
	const start = useFaultyService();

	it('loses nothing, cuts nobody off, answers every request in time and goes on when the database does nothing for 20 s', async () => {
		const [database, service] = await start();
		const load = await startLoad(service);
		await load.flows();
		const pausedAt = performance.now();
		database.pause();
		await becomesReady(service, 503, 10_000);
		const credentials = Buffer.from(`${processLogin.username}:${processLogin.password}`).toString('base64');
		do {
			const began = performance.now();
			const response = await fetch(new URL('/inventory/managedObjects', service.http), {
				headers: { authorization: `Basic ${credentials}` },
				signal: AbortSignal.timeout(answerSeconds * 1000),
			});
			expect([response.status, response.headers.get('retry-after')]).to.deep.equal([503, '5']);
			expect(await response.json()).to.include({ error: 'http/unavailable' });
			expect((performance.now() - began) / 1000).to.be.below(answerSeconds);
			const health = await ask(service, '/health');
			expect(health.status).to.equal(200);
			expect(health.seconds).to.be.below(2);
			expect((await ask(service, '/ready')).status).to.equal(503);
		} while (performance.now() - pausedAt < pausedMilliseconds);
		const stranger = await openRawClient(service.mqtt);
		const began = performance.now();
		stranger.send({
			cmd: 'connect',
			protocolId: 'MQTT',
			protocolVersion: 4,
			clean: true,
			keepalive: 0,
			clientId: 'stranger',
			username: processLogin.username,
			password: Buffer.from(processLogin.password),
		});
		const { text } = await ask(service, '/metrics');
		expect(text).to.contain('service_ready{part="store"} 0');
		expect(Number(/^mqtt_queued_messages (\d+)$/m.exec(text)?.[1])).to.be.within(1, 3 * 50);
		await eventually(
			'the connection is refused',
			() => stranger.untaken('connack').length,
			(count) => count === 1,
			answerSeconds * 1000,
		);
		expect((await stranger.next('connack')).returnCode).to.equal(3);
		expect((performance.now() - began) / 1000).to.be.below(answerSeconds);
		expect((await ask(service, '/metrics')).text).to.contain('mqtt_connects_total{code="3"} 1');
		database.resume();
		await becomesReady(service, 200, 20_000);
		await load.flows();
		await load.settle();
		expect(load.refusals.length).to.be.above(0);
	});

	it('delivers what was created before to a device that listens meanwhile, without a new connection', async () => {
		const [database, service] = await start();
		const operator = operatorOf(service);
		const device = await connectDevice(service, 'listener', { topics: ['s/e'] });
		await device.send('114,c8y_Restart');
		const created = [await operator.createOperation('listener', { c8y_Restart: {} })];
		database.pause();
		await becomesReady(service, 503, 10_000);
		expect(await device.subscribe(['s/ds'])).to.deep.equal([1]);
		const refused = await operator.http.call('POST', '/devicecontrol/operations', {
			deviceId: created[0]?.deviceId,
			c8y_Restart: {},
		});
		expect(refused.status).to.equal(503);
		database.resume();
		expect(await device.nextLine()).to.equal('510,listener');
		await becomesReady(service, 200, 20_000);
		await device.send('501,c8y_Restart\n503,c8y_Restart');
		await operator.reaches(created[0]?.id ?? '', 'SUCCESSFUL');
		await device.close();
		expect(await service.end()).to.equal(0);
	});

	it('holds no more than so many messages of each device, whatever they send, when the database does nothing', async () => {
		const [database, service] = await start();
		// One package again and again: as large as a message may be, and little work afterwards.
		const payload = '141,package,1,apt,\n'.repeat(Math.floor(flooding.bytes / 19));
		const clients = await Promise.all(
			Array.from({ length: flooding.devices }, async (_, number) => {
				const client = await openRawClient(service.mqtt);
				await client.logIn({ clientId: `flooding-${number}`, ...processLogin });
				return client;
			}),
		);
		const memory = createMemoryRecord('the service', service.pid);
		database.pause();
		await becomesReady(service, 503, 10_000);
		memory.note();
		const before = memory.read().last;
		for (let messageId = 1; messageId <= flooding.messages; messageId++)
			for (const client of clients) client.send(upstream(messageId, payload));
		const queued = async () => Number(/^mqtt_queued_messages (\d+)$/m.exec((await ask(service, '/metrics')).text)?.[1]);
		// Nothing more is read when the figure stays the same.
		let last = -1;
		let same = 0;
		const held = await eventually(
			'the service reads no further',
			queued,
			(count) => {
				memory.note();
				same = count === last && count > 0 ? same + 1 : 0;
				last = count;
				return same === 3;
			},
			20_000,
		);
		expect(clients.flatMap((client) => client.untaken('puback'))).to.deep.equal([]);
		expect(held).to.be.at.most(flooding.devices * flooding.heldMost);
		expect(memory.read().peak - before).to.be.below(flooding.memoryMaxBytes);
		for (const client of clients) client.close();
		database.resume();
		await becomesReady(service, 200, 20_000);
	});

	it('ends within its time when it is asked to while the database does nothing', async () => {
		const [database, service] = await start({ SHUTDOWN_GRACE_SECONDS: '5' });
		const client = await openRawClient(service.mqtt);
		await client.logIn({ clientId: 'left', ...processLogin });
		database.pause();
		client.send(upstream(1, '141,package,1,,'));
		await service.end();
		expect(client.untaken('puback')).to.deep.equal([]);
		database.resume();
	});
});
