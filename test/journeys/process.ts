import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { createHttpClient } from '../support/http-client.ts';
import { startProgram } from '../support/programs.ts';
import {
	connectDevice,
	failedStart,
	operatorOf,
	processPassword as password,
	useServiceProcess,
} from '../support/service-process.ts';

describe('journeys/process', function () {
	this.timeout(60_000);
	const { store, start } = useServiceProcess();

	it('keeps the passwords for the start that succeeds, and ends when it cannot start', async () => {
		const blocker = createServer().listen(0, '127.0.0.1');
		await once(blocker, 'listening');
		const port = String((blocker.address() as AddressInfo).port);
		const failed = await failedStart({ ...store(), HTTP_PORT: port });
		blocker.close();
		expect(failed)
			.to.match(/the process ended with 1/)
			.and.to.match(new RegExp(`HTTP_PORT: port ${port} .* cannot be opened`));
		const { output } = await start();
		expect(output.join('\n')).to.match(/Generated passwords[\s\S]*t1\/admin +\w{24}/);
	});

	it('ends cleanly when it is told to before it is ready', async () => {
		const port = await freePort();
		const starting = startProgram(process.execPath, ['--import=tsx', 'service/main.ts'], {
			HOST: '127.0.0.1',
			HTTP_PORT: port,
			MQTT_PORT: '0',
			...store(),
			LOG_LEVEL: 'info',
		});
		const alive = () =>
			fetch(`http://127.0.0.1:${port}/health`).then(
				({ ok }) => ok,
				() => false,
			);
		await eventually('the port is open', alive, (ok) => ok, 30_000);
		const text = () => starting.lines.join('\n');
		await starting.stop();
		expect(await starting.ended, text()).to.equal(0);
		expect(text())
			.to.match(/Generated passwords/)
			.and.to.include('"msg":"stopped"');
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
		const device = await connectDevice(service, 'served-1');
		const ending = service.end();
		const { status } = await eventually(
			'it is not ready any more',
			() => fetch(`${service.http}/ready`),
			(answer) => answer.status !== 200,
		);
		expect(status).to.equal(503);
		await device.send('110,served');
		const late = await connectDevice(service, 'served-2');
		await late.send('110,late');
		expect(await operatorOf(service).objectOf('served-1')).to.deep.include({ c8y_Hardware: { serialNumber: 'served' } });
		await Promise.all([device.closed, late.closed]);
		expect(await ending).to.equal(0);
	});

	it('ends cleanly on SIGTERM with devices connected, and finds everything at the next start', async () => {
		const first = await start({ ADMIN_PASSWORD: password });
		const operator = operatorOf(first);
		const device = await connectDevice(first, 'lasting-1');
		await device.send(['100,Lasting,type', '114,c8y_Command', '140,a,1,apt,http://a', '101,lasting-1:child,Child,type']);
		const { id } = await operator.createOperation('lasting-1', { c8y_Command: { text: 'hello' } });
		const { id: second } = await operator.createOperation('lasting-1', { c8y_Command: { text: 'again' } });
		await device.nextLine();
		await device.send('501,c8y_Command');
		const before = await operator.objectOf('lasting-1');
		const will = { topic: 's/us', payload: Buffer.from('110,was cut off'), qos: 1 as const, retain: false };
		const willing = await connectDevice(first, 'willing-1', { mqtt: { will } });
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
		const back = await connectDevice(next, 'lasting-1');
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
});
