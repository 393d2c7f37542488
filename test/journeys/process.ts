import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { IClientOptions } from 'mqtt';
import { eventually } from '../support/eventually.ts';
import { connectFakeDevice, type FakeDevice } from '../support/fake-device.ts';
import { createHttpClient } from '../support/http-client.ts';
import { createOperator, type Operator } from '../support/operator.ts';
import { openRawClient, upstream } from '../support/raw-client.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';

const password = 'password-of-process-tests';

describe('journeys/process', function () {
	this.timeout(60_000);
	let folder: string;
	let running: ServiceProcess | undefined;
	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), 'process-'));
	});
	afterEach(async () => {
		await running?.kill();
		running = undefined;
		rmSync(folder, { recursive: true, force: true });
	});

	async function start(settings: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
		running = await startServiceProcess({ DATA_DIR: folder, ...settings });
		return running;
	}

	const operatorOf = ({ http }: ServiceProcess, user = 't1/admin', secret = password) =>
		createOperator(createHttpClient(http, { user, password: secret }));

	async function connect({ mqtt }: ServiceProcess, serial: string, options: IClientOptions = {}): Promise<FakeDevice> {
		return connectFakeDevice({ url: mqtt, serial, user: 't1/admin', password, mqtt: options });
	}

	it('keeps the passwords for the start that succeeds, and ends when it cannot start', async () => {
		const blocker = createServer().listen(0, '127.0.0.1');
		await once(blocker, 'listening');
		const port = String((blocker.address() as AddressInfo).port);
		const failed = await startServiceProcess({ DATA_DIR: folder, HTTP_PORT: port }).catch((error: Error) => error.message);
		blocker.close();
		expect(failed)
			.to.match(/the process ended with 1/)
			.and.to.match(new RegExp(`HTTP_PORT: port ${port} .* cannot be opened`));
		const { output } = await start();
		expect(output.join('\n')).to.match(/Generated passwords[\s\S]*t1\/admin +\w{24}/);
	});

	it('ends soon although clients go on asking over connections that stay open', async () => {
		const service = await start({ ADMIN_PASSWORD: password, SHUTDOWN_GRACE_SECONDS: '60' });
		const http = createHttpClient(service.http, { user: 't1/admin', password });
		let asking = true;
		const clients = Array.from({ length: 5 }, async () => {
			while (asking) await http.call('GET', '/tenant/currentTenant').catch(() => (asking = false));
		});
		await http.get('/tenant/currentTenant');
		expect(await service.end()).to.equal(0);
		await Promise.all(clients);
	});

	it('says at once that it stops, and serves on until load balancers have seen it', async () => {
		const service = await start({ ADMIN_PASSWORD: password, DRAIN_DELAY_SECONDS: '2' });
		const device = await connect(service, 'served-1');
		const ending = service.end();
		const { status } = await eventually(
			'it is not ready any more',
			() => fetch(`${service.http}/ready`),
			(answer) => answer.status !== 200,
		);
		expect(status).to.equal(503);
		await device.send('110,served');
		const late = await connect(service, 'served-2');
		await late.send('110,late');
		expect(await operatorOf(service).objectOf('served-1')).to.deep.include({ c8y_Hardware: { serialNumber: 'served' } });
		await Promise.all([device.closed, late.closed]);
		expect(await ending).to.equal(0);
	});

	it('ends cleanly on SIGTERM with devices connected, and finds everything at the next start', async () => {
		const first = await start({ ADMIN_PASSWORD: password });
		const operator = operatorOf(first);
		const device = await connect(first, 'lasting-1');
		await device.send(['100,Lasting,type', '114,c8y_Command', '140,a,1,apt,http://a', '101,lasting-1:child,Child,type']);
		const { id } = await operator.createOperation('lasting-1', { c8y_Command: { text: 'hello' } });
		const { id: second } = await operator.createOperation('lasting-1', { c8y_Command: { text: 'again' } });
		await device.nextLine();
		await device.send('501,c8y_Command');
		const before = await operator.objectOf('lasting-1');
		const will = { topic: 's/us', payload: Buffer.from('110,was cut off'), qos: 1 as const, retain: false };
		const willing = await connect(first, 'willing-1', { will });
		expect(await first.end()).to.equal(0);
		await Promise.all([device.closed, willing.closed]);
		expect(first.output.filter((line) => /"level":[456]0/.test(line))).to.deep.equal([]);

		const next = await start();
		const later = operatorOf(next);
		const withoutLinks = (text: unknown) => JSON.stringify(text).replaceAll(/http:\/\/127[^"]*/g, '');
		expect(withoutLinks(await later.objectOf('lasting-1'))).to.equal(withoutLinks(before));
		expect(await later.softwareOf('lasting-1')).to.deep.equal([
			{ name: 'a', version: '1', softwareType: 'apt', url: 'http://a' },
		]);
		expect((await later.operation(id)).status).to.equal('EXECUTING');
		expect(await later.objectOf('willing-1')).to.deep.include({ c8y_Hardware: { serialNumber: 'was cut off' } });
		const back = await connect(next, 'lasting-1');
		expect(await back.nextLine()).to.equal('511,lasting-1,again');
		await back.send(['503,c8y_Command', `505,${second},no`]);
		expect((await later.operation(id)).status).to.equal('SUCCESSFUL');
		// Numbers are not given twice.
		const { id: third } = await later.createOperation('lasting-1', { c8y_Command: { text: 'third' } });
		expect(Number(third)).to.be.above(Number(second));
		await back.close();
		expect(await next.end()).to.equal(0);
	});

	it('shows generated passwords once, and keeps only what lets them in', async () => {
		const first = await start();
		const shown = first.output.join('\n');
		const [, secret = ''] = /t1\/admin +(\S+)/.exec(shown) ?? [];
		expect(secret).to.have.length.above(15);
		expect(shown).to.match(/management\/devicebootstrap +\S+/);
		expect(await operatorOf(first, 't1/admin', secret).findId('x')).to.equal(undefined);
		expect(await first.end('SIGINT')).to.equal(0);
		const second = await start();
		expect(second.output.join('\n')).not.to.include('password');
		expect(
			(await createHttpClient(second.http, { user: 'admin', password: secret }).call('GET', '/inventory/managedObjects')).status,
		).to.equal(200);
		await second.end();
	});

	it('loses nothing that was acknowledged when it is killed in the middle of a stream', async () => {
		const serials = ['stream-1', 'stream-2', 'stream-3'];
		const acknowledged = new Map(serials.map((serial) => [serial, new Set<number>()]));
		const created: string[] = [];
		let nextNumber = 1;
		for (let round = 0; round < 2; round++) {
			const service = await start({ ADMIN_PASSWORD: password });
			const operator = operatorOf(service);
			const from = nextNumber;
			nextNumber += 10_000;
			const open = serials.map((serial) => openStream(service, serial, from, (number) => acknowledged.get(serial)?.add(number)));
			const streams = await Promise.all(open);
			await eventually(
				'the device is known',
				() => operator.findId('stream-1'),
				(id) => id !== undefined,
			);
			const creating = createUntilKilled(operator, (id) => created.push(id));
			// In the middle: when this many are acknowledged, wherever the rest is.
			const goal = (round + 1) * 600;
			await eventually(
				'the streams flow',
				() => acknowledged.get('stream-2')?.size ?? 0,
				(count) => count >= goal,
				30_000,
			);
			await service.kill();
			for (const stream of streams) stream.close();
			await creating;
		}
		const service = await start({ ADMIN_PASSWORD: password });
		const operator = operatorOf(service);
		for (const serial of serials) {
			const stored = new Set((await operator.softwareOf(serial)).map(({ name }) => Number(name.slice('package-'.length))));
			const lost = [...(acknowledged.get(serial) ?? [])].filter((number) => !stored.has(number));
			expect(lost, serial).to.deep.equal([]);
			expect(acknowledged.get(serial)?.size, serial).to.be.above(100);
		}
		expect(created).not.to.have.length(0);
		for (const id of created) expect((await operator.operation(id)).status).to.equal('PENDING');
		expect(await service.end()).to.equal(0);
	});
});

/** A device that keeps sending packages at QoS 1, numbered on, with 50 of them under way. */
async function openStream({ mqtt }: ServiceProcess, serial: string, from: number, onAcknowledged: (number: number) => void) {
	let next = from;
	const underWay = new Map<number, number>();
	const client = await openRawClient(mqtt, (packet) => {
		const number = packet.cmd === 'puback' ? underWay.get(packet.messageId ?? 0) : undefined;
		if (number === undefined) return;
		onAcknowledged(number);
		publishNext();
	});
	function publishNext(): void {
		const number = next++;
		const messageId = (number % 60_000) + 1;
		underWay.set(messageId, number);
		client.send(upstream(messageId, `141,package-${number},1,apt,`));
	}
	await client.logIn({ clientId: serial, username: 't1/admin', password });
	for (let count = 0; count < 50; count++) publishNext();
	return client;
}

async function createUntilKilled(operator: Operator, onCreated: (id: string) => void): Promise<void> {
	try {
		for (;;) onCreated((await operator.createOperation('stream-1', { c8y_Restart: {} })).id);
	} catch {
		// The process was killed.
	}
}
