import { expect } from 'chai';
import { eventually, within } from '../support/eventually.ts';
import { keptMemory } from '../support/kept-memory.ts';
import { metricOf } from '../support/metric-of.ts';
import { patience, sized } from '../support/named-stores.ts';
import { upstream } from '../support/raw-client.ts';
import { adminPassword, type ServiceUnderTest, startService } from '../support/service-fixture.ts';

describe('journeys/overload', () => {
	let service: ServiceUnderTest;
	before(async () => {
		// Each floods as fast as it can be read; what a pace does is in journeys/slow-clients.
		service = await startService({ MQTT_MESSAGES_PER_SECOND: '0' });
	});
	after(() => service.close());

	it('lets no device starve while another one floods', async () => {
		const flood = sized(20_000, 5000);
		const quiet = await service.connect('quiet-1');
		await quiet.send('110,a');
		let acknowledged = 0;
		const client = await service.openRaw('flooding-1', ({ cmd }) => {
			if (cmd === 'puback') acknowledged++;
		});
		client.send(
			...Array.from({ length: flood }, (_, index) => upstream((index % 65_535) + 1, `141,p${index},1,apt,http://h/${index}`)),
		);
		// The flood is under way.
		await service.operator.http.get('/inventory/managedObjects');
		for (let number = 0; number < 20; number++) await quiet.send([`110,${number}`, '600']);
		expect(acknowledged).to.be.below(flood);
		await eventually(
			'the flood is stored',
			() => acknowledged,
			(count) => count === flood,
			50_000,
		);
		const { statistics } = await service.operator.softwarePage(
			await service.operator.idOf('flooding-1'),
			'withTotalElements=true',
		);
		expect(statistics.totalElements).to.equal(flood);
	}).timeout(60_000 * patience);

	for (const [what, header, login] of [
		['a publish', 0x30, true],
		['a subscription', 0x82, true],
		['a CONNECT', 0x10, false],
	] as const) {
		it(`closes a connection as soon as ${what} announces more than is read`, async () => {
			const client = await service.openRaw();
			if (login) await client.logIn({ clientId: `large-${header}`, username: 't1/admin', password: adminPassword });
			// 268,435,455 bytes are announced, and none of them is sent.
			for (const byte of [header, 0xff, 0xff, 0xff, 0x7f]) client.socket.write(Buffer.from([byte]));
			await within('the connection is closed', client.closed);
		});
	}

	it('reads no more of a stranger than a CONNECT can hold', async () => {
		const client = await service.openRaw();
		// 128 KiB are announced.
		client.socket.write(Buffer.from([0x10, 0x80, 0x80, 0x08]));
		await within('the connection is closed', client.closed);
	});

	it('keeps no payload of QoS 2 messages that are never released', async () => {
		const client = await service.openRaw('keeping-1');
		const before = keptMemory();
		const payload = ','.repeat(900_000);
		for (let messageId = 1; messageId <= 300; messageId++) {
			client.send(upstream(messageId, payload, { qos: 2 }));
			await client.next('pubrec');
		}
		expect(keptMemory() - before).to.be.below(150 * 1024 * 1024);
	}).timeout(40_000 * patience);

	it('reads a packet of the largest size, and answers that its payload is too large', async () => {
		const device = await service.connect('large-1');
		await device.send(`110,${'x'.repeat(1024 * 1024 - 20)}`);
		expect(await device.nextLine('s/e')).to.match(/^42,110,/);
	});

	it('bounds what a client that does not read can make it keep, and gives the others what is theirs', async () => {
		const deaf = await service.openRaw('deaf-1');
		await deaf.subscribe('s/e', 's/ds', 'devicecontrol/notifications');
		deaf.socket.pause();
		const dropped = () => metricOf(service, 'mqtt_answers_dropped_total');
		const before = keptMemory();
		const bad = Array.from({ length: 4000 }, () => '999').join('\n');
		const rounds = 400;
		// Six megabytes of bad lines, and questions with long answers.
		for (let round = 0; round < rounds; round++) {
			deaf.send(upstream(round + 1, bad, { qos: 0 }), upstream(round + 1, '602\n'.repeat(1000), { qos: 0 }));
		}
		await eventually('answers are dropped', dropped, (count) => count > 100_000, 30_000);
		expect(keptMemory() - before).to.be.below(128 * 1024 * 1024);
		const reading = await service.connect('reading-1');
		await reading.send('999');
		expect(await reading.nextLine('s/e')).to.match(/^50,999,/);
	}).timeout(40_000 * patience);

	it('cuts off a device that never reads when its time is up, and delivers to the others meanwhile', async () => {
		const strict = await startService({ MQTT_DRAIN_TIMEOUT_SECONDS: '1' });
		try {
			const { operator } = strict;
			const reading = await strict.connect('reading-1');
			await reading.send('114,c8y_Command');
			const deaf = await strict.openRaw('deaf-1');
			deaf.send(upstream(1, '114,c8y_Command'));
			await deaf.next('puback');
			await deaf.subscribe('s/e', 's/ds');
			deaf.socket.pause();
			const connections = async () => metricOf(strict, 'mqtt_connections');
			expect(await connections()).to.equal(2);
			const { id } = await operator.createOperation('deaf-1', { c8y_Command: { text: 'waits' } });
			let asked = 0;
			do {
				asked++;
				// Questions with long answers, until the system's own buffers are full, too.
				if (deaf.socket.writableLength === 0) deaf.send(upstream(1, '602\n'.repeat(1000), { qos: 0 }));
				await operator.createOperation('reading-1', { c8y_Command: { text: `number ${asked}` } });
				expect(await within('others are delivered to', reading.nextLine(), 1000)).to.equal(`511,reading-1,number ${asked}`);
			} while ((await connections()) > 1);
			expect((await operator.operation(id)).status).to.equal('PENDING');
			const back = await strict.connect('deaf-1');
			expect(await back.nextLine()).to.equal('511,deaf-1,waits');
		} finally {
			await strict.close();
		}
	}).timeout(20_000 * patience);

	const count = sized(2000, 500);
	it(`takes up ${count} devices that come back at once, no more a second than it is told to`, async () => {
		const perSecond = sized(200, 50);
		const storm = await startService({ MQTT_CONNECTIONS_PER_SECOND: String(perSecond) });
		try {
			await storm.openRaw('known-1');
			const before = keptMemory();
			const began = performance.now();
			const acceptedInSecond: number[] = [];
			let refusals = 0;
			await Promise.all(
				Array.from({ length: count }, async (_, index) => {
					for (;;) {
						const client = await storm.openRaw();
						const code = await client.logIn({ clientId: `back-${index}`, username: 't1/admin', password: adminPassword });
						if (code === 0) break;
						expect(code).to.equal(3);
						refusals++;
						client.close();
					}
					const second = Math.floor((performance.now() - began) / 1000);
					acceptedInSecond[second] = (acceptedInSecond[second] ?? 0) + 1;
				}),
			);
			expect(await metricOf(storm, 'mqtt_connections')).to.equal(count + 1);
			expect(refusals).to.be.above(perSecond);
			// A second of the clock may see the end of one second of the limit and the beginning of the next.
			for (const accepted of acceptedInSecond) expect(accepted ?? 0).to.be.at.most(2 * perSecond);
			expect(performance.now() - began).to.be.above((count / perSecond - 1) * 1000);
			// Both ends of all connections.
			expect(keptMemory() - before).to.be.below(400 * 1024 * 1024);
		} finally {
			await storm.close();
		}
	}).timeout(60_000 * patience);

	it('closes a connection that keeps QoS 2 messages half open, and goes on for others', async () => {
		const client = await service.openRaw('half-open-1');
		for (let messageId = 1; messageId <= 65_000; messageId += 1000) {
			client.send(...Array.from({ length: 1000 }, (_, index) => upstream(messageId + index, '125', { qos: 2 })));
		}
		await within('the connection is closed', client.closed, 30_000);
		const device = await service.connect('half-open-2');
		await device.send('125');
	}).timeout(40_000 * patience);

	for (const [what, bytes] of [
		['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
		['random bytes', Buffer.from([0xf7, 0x13, 0x37, 0xff, 0xff, 0xff, 0xff, 0xff])],
		['a publish before CONNECT', Buffer.from([0x30, 0x03, 0x00, 0x01, 0x61])],
	] as const) {
		it(`closes a connection that begins with ${what}`, async () => {
			const client = await service.openRaw();
			client.socket.write(bytes);
			await within('the connection is closed', client.closed);
		});
	}
});
