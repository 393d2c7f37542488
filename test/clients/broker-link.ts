import { expect } from 'chai';
import { connectAsync, type MqttClient } from 'mqtt';
import { pino } from 'pino';
import { createMetrics } from '../../service/metrics.ts';
import { readBrokerAddress } from '../../service/mqtt/broker-address.ts';
import { type ArrivedMessage, type BrokerAddress, type BrokerLink, openBrokerLink } from '../../service/mqtt/broker-link.ts';
import { createBrokerOutages } from '../../service/mqtt/broker-outages.ts';
import { createCertificateFiles } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { type OutsideBroker, startOutsideBroker } from '../support/outside-broker.ts';
import { hasProgram } from '../support/programs.ts';
import { skipUnless } from '../support/skip.ts';

const window = 5;
const log = pino({ level: 'silent' });

describe('clients/broker-link', function () {
	this.timeout(30_000);

	let broker: OutsideBroker;
	let publisher: MqttClient;
	const links: BrokerLink[] = [];
	before(skipUnless(hasProgram('mosquitto') && hasProgram('mosquitto_passwd'), 'mosquitto is not installed'));
	beforeEach(async () => {
		broker = await startOutsideBroker([]);
		publisher = await connectAsync(broker.url, { reconnectPeriod: 0 });
	});
	afterEach(async () => {
		for (const link of links.splice(0)) link.cutOff();
		await publisher.endAsync(true);
		await broker.stop();
	});

	async function open(clientId: string, arrived: ArrivedMessage[], onArrival?: () => void): Promise<BrokerLink> {
		const link = create(await readBrokerAddress(broker.url, {}), clientId, arrived, onArrival);
		await eventually('it is connected', link.fault, (fault) => fault === undefined);
		return link;
	}

	function create(address: BrokerAddress, clientId: string, arrived: ArrivedMessage[], onArrival = () => {}): BrokerLink {
		const link = openBrokerLink({
			address,
			clientId,
			subscribe: ['$share/g/c8y/t'],
			unsubscribe: ['$share/h/c8y/t'],
			onMessage(message) {
				arrived.push(message);
				onArrival();
			},
			outages: createBrokerOutages(log),
			log,
			metrics: createMetrics(),
			elapsed: () => performance.now(),
			limits: {
				unacknowledgedMaxMessages: window,
				packetMaxBytes: 1024,
				sessionExpirySeconds: 60,
				reconnectMaxSeconds: 1,
				connectTimeoutSeconds: 5,
				downlinkBufferMaxBytes: 1000,
			},
		});
		links.push(link);
		return link;
	}

	async function publish(...payloads: readonly string[]): Promise<void> {
		await Promise.all(payloads.map((payload) => publisher.publishAsync('c8y/t', payload, { qos: 1 })));
	}

	async function arrive(arrived: readonly ArrivedMessage[], count: number): Promise<string[]> {
		const seen = await eventually(
			'they arrive',
			() => texts(arrived),
			({ length }) => length >= count,
		);
		expect(seen).to.have.length(count);
		return seen;
	}

	it('has many messages in work, no more than its window, and gets the next when the first is done', async () => {
		const arrived: ArrivedMessage[] = [];
		const link = await open('window', arrived);
		await publish('1', '2', '3', '4', '5', '6', '7');
		expect(await arrive(arrived, window)).to.deep.equal(['1', '2', '3', '4', '5']);
		// Not the first one: nothing can be acknowledged, so nothing more comes.
		arrived[1]?.done();
		await publish('8');
		expect(texts(arrived)).to.have.length(window);
		arrived[0]?.done();
		arrived[2]?.done();
		expect(await arrive(arrived, 8)).to.deep.equal(['1', '2', '3', '4', '5', '6', '7', '8']);
		expect(link.inWork()).to.equal(5);
	});

	it('gets again, marked and in order, what was not acknowledged when it went away, and nothing else', async () => {
		const before: ArrivedMessage[] = [];
		const killed = await open('again', before);
		await publish('1', '2', '3', '4', '5', '6');
		await arrive(before, window);
		before[0]?.done();
		await arrive(before, 6);
		// Done, but behind one that is not: not acknowledged.
		before[2]?.done();
		killed.cutOff();
		await publish('7');
		const after: ArrivedMessage[] = [];
		await open('again', after);
		expect(await arrive(after, window)).to.deep.equal(['2', '3', '4', '5', '6']);
		expect(after.map(({ redelivered }) => redelivered)).to.deep.equal([true, true, true, true, true]);
		expect(after.map(({ messageId }) => messageId)).to.deep.equal(before.slice(1).map(({ messageId }) => messageId));
		for (const { done } of after.slice(0, window)) done();
		await arrive(after, 6);
		expect(after.at(-1)).to.include({ redelivered: false });
	});

	it('makes the broker send again what could not be done', async () => {
		const arrived: ArrivedMessage[] = [];
		await open('failed', arrived);
		await publish('1', '2');
		await arrive(arrived, 2);
		arrived[0]?.done();
		arrived[1]?.done(new Error('the disk is full'));
		await arrive(arrived, 3);
		expect(texts(arrived).at(-1)).to.equal('2');
		expect(arrived.at(-1)).to.include({ redelivered: true });
	});

	it('ends what is in work, and takes nothing new up, when it is closed', async () => {
		const arrived: ArrivedMessage[] = [];
		const link = await open('closed', arrived);
		await publish('1', '2');
		await arrive(arrived, 2);
		const closing = link.close(5000);
		await publish('3');
		for (const { done } of arrived) done();
		await closing;
		const after: ArrivedMessage[] = [];
		await open('closed', after);
		expect(await arrive(after, 1)).to.deep.equal(['3']);
	});

	it('waits for what is in work when the connection is lost, too, and tells whether it has ended', async () => {
		const arrived: ArrivedMessage[] = [];
		const link = await open('lost', arrived);
		await publish('1', '2');
		await arrive(arrived, 2);
		await broker.restart(async () => {
			await eventually('it is not connected', link.fault, (fault) => fault !== undefined);
			let hasClosed = false;
			const closing = link.close(5000).finally(() => {
				hasClosed = true;
			});
			arrived[0]?.done();
			await new Promise(setImmediate);
			expect(hasClosed).to.equal(false);
			arrived[1]?.done();
			expect(await closing).to.equal(true);
		});
		publisher = await connectAsync(broker.url, { reconnectPeriod: 0 });
		const slow = await open('lost', arrived);
		await arrive(arrived, 4);
		expect(await slow.close(1)).to.equal(false);
		const idle = slow.idle();
		for (const { done } of arrived.slice(2)) done();
		await idle;
	});

	it('has no more in work than two windows, however often it connects again', async () => {
		const arrived: ArrivedMessage[] = [];
		let most = 0;
		const link = await open('bounded', arrived, () => {
			most = Math.max(most, link.inWork());
		});
		await publish('1', '2', '3', '4', '5', '6', '7');
		await arrive(arrived, window);
		for (let round = 1; round <= 3; round++) {
			await broker.restart(async () => {
				await eventually('it is not connected', link.fault, (fault) => fault !== undefined);
			});
			await eventually(
				'it is connected again',
				() => broker.lines().join('\n'),
				(log) => log.includes(' as bounded '),
			);
			if (round === 1) await arrive(arrived, 2 * window);
		}
		while (!texts(arrived).includes('7')) {
			arrived.shift()?.done();
			await new Promise(setImmediate);
		}
		expect(most).to.equal(2 * window);
		publisher = await connectAsync(broker.url, { reconnectPeriod: 0 });
	});

	it('tells what was heard from what nobody listens to, and sends what waited when the broker is back', async () => {
		const link = await open('down', []);
		const heard: string[] = [];
		publisher.on('message', (topic, payload) => heard.push(`${topic} ${payload}`));
		await publisher.subscribeAsync('c8y/heard', { qos: 1 });
		const send = (topic: string) => new Promise<boolean>((resolve) => link.publish(topic, 'x', 1, resolve));
		expect(await send('c8y/heard')).to.equal(true);
		expect(await send('c8y/unheard')).to.equal(false);
		await eventually(
			'it is heard',
			() => heard.join(),
			(seen) => seen === 'c8y/heard x',
		);
		let late: Promise<boolean> | undefined;
		await broker.restart(async () => {
			await eventually('it is not connected', link.fault, (fault) => fault !== undefined);
			late = send('c8y/unheard');
		});
		expect(await late).to.equal(false);
	});

	it('connects over TLS, trusts the given authority only, and shows its own certificate', async () => {
		const certificates = await createCertificateFiles();
		const secure = await startOutsideBroker([], certificates);
		try {
			const { caFile, certFile, keyFile } = certificates;
			const known = create(await readBrokerAddress(secure.secureUrl, { caFile, certFile, keyFile }), 'known', []);
			await eventually('it is connected', known.fault, (fault) => fault === undefined);
			const distrusting = create(await readBrokerAddress(secure.secureUrl, { certFile, keyFile }), 'distrusting', []);
			const unknown = create(await readBrokerAddress(secure.secureUrl, { caFile }), 'unknown', []);
			await eventually('it distrusts', distrusting.fault, (fault) => /certificate|issuer/.test(fault ?? ''));
			await eventually('it is refused', unknown.fault, (fault) => fault !== undefined && fault !== 'not connected yet');
			for (const link of links.splice(0)) link.cutOff();
		} finally {
			await secure.stop();
			certificates.remove();
		}
	});

	it('says why the broker lets it not in, and goes on trying', async () => {
		const link = create({ ...(await readBrokerAddress(broker.url, {})), password: 'wrong' }, 'refused', []);
		const fault = await eventually('the refusal is told', link.fault, (told) => told !== 'not connected yet');
		expect(fault)
			.to.match(/not authori[sz]ed|bad user name/i)
			.and.not.include('wrong');
	});
});

function texts(arrived: readonly ArrivedMessage[]): string[] {
	return arrived.map(({ payload }) => payload.toString());
}
