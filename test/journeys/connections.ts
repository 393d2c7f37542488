import { expect } from 'chai';
import type { IConnectPacket } from 'mqtt-packet';
import { eventually, within } from '../support/eventually.ts';
import { metricOf } from '../support/metric-of.ts';
import { adminPassword, bootstrap, type ServiceUnderTest, startService } from '../support/service-fixture.ts';

const admin = { username: 't1/admin', password: adminPassword };
type LogIn = Partial<Omit<IConnectPacket, 'password'>> & { readonly password?: string };

describe('journeys/connections', () => {
	let service: ServiceUnderTest;
	before(async () => {
		service = await startService();
	});
	after(() => service.close());

	const logins: readonly (readonly [who: string, login: LogIn, code: number])[] = [
		['a bare serial', { ...admin, clientId: 'c-1' }, 0],
		['a connection type and a serial', { ...admin, clientId: 'd:c-1' }, 0],
		['a connection type, a serial and templates', { ...admin, clientId: 'd:c-1:templates' }, 0],
		['a user without a tenant', { ...admin, username: 'admin', clientId: 'c-1' }, 0],
		['MQTT 3.1', { ...admin, clientId: 'c-1', protocolId: 'MQIsdp', protocolVersion: 3 }, 0],
		['a session that is to be kept', { ...admin, clientId: 'c-1', clean: false }, 0],
		['the bootstrap user', { username: bootstrap.user, password: bootstrap.password, clientId: 'c-1' }, 0],
		['MQTT 5', { ...admin, clientId: 'c-1', protocolVersion: 5 }, 1],
		['no client id', { ...admin, clientId: '' }, 2],
		['a client id without a serial', { ...admin, clientId: 'd::t' }, 2],
		['a client id with four parts', { ...admin, clientId: 'a:b:c:d' }, 2],
		['a client id with a wildcard', { ...admin, clientId: 'a+b' }, 2],
		['a wrong password', { ...admin, password: 'wrong', clientId: 'c-1' }, 4],
		['an unknown user', { ...admin, username: 't1/nobody', clientId: 'c-1' }, 4],
		['an unknown tenant', { ...admin, username: 't9/admin', clientId: 'c-1' }, 4],
		['nobody', { clientId: 'c-1' }, 4],
		['a user without a password', { username: 't1/admin', clientId: 'c-1' }, 4],
	];

	for (const [who, login, code] of logins) {
		it(`answers ${who} with ${code}`, async () => {
			const client = await service.openRaw();
			expect(await client.logIn(login)).to.equal(code);
			if (code > 0) await within('the connection is closed', client.closed);
		});
	}

	it('answers a device user that connects as another device with 5', async () => {
		const { user, password } = await service.register('own-1');
		const client = await service.openRaw();
		expect(await client.logIn({ clientId: 'd:own-1', username: user, password })).to.equal(0);
		const other = await service.openRaw();
		expect(await other.logIn({ clientId: 'other-1', username: user, password })).to.equal(5);
	});

	it('answers more connections than it takes with 3', async () => {
		const small = await startService({ MQTT_CONNECTIONS_MAX: '2' });
		try {
			await small.connect('a');
			await small.connect('b');
			const client = await small.openRaw();
			expect(await client.logIn({ ...admin, clientId: 'c' })).to.equal(3);
		} finally {
			await small.close();
		}
	});

	it('answers too many wrong passwords with 3 and stays open for others', async () => {
		const strict = await startService({ AUTH_WRONG_PASSWORDS_PER_MINUTE: '2' });
		try {
			const codes: number[] = [];
			for (const password of ['wrong-1', 'wrong-2', adminPassword]) {
				codes.push(await (await strict.openRaw()).logIn({ ...admin, password, clientId: 'a' }));
			}
			expect(codes).to.deep.equal([4, 4, 3]);
			const other = { username: bootstrap.user, password: bootstrap.password, clientId: 'b' };
			expect(await (await strict.openRaw()).logIn(other)).to.equal(0);
		} finally {
			await strict.close();
		}
	});

	it('grants what devices subscribe to, also with a wildcard for a template collection', async () => {
		const device = await service.connect('subscribing-1', { topics: [] });
		const granted = [
			's/dt',
			's/ds',
			's/e',
			'devicecontrol/notifications',
			'error',
			's/dat',
			's/dc/#',
			's/dc/x',
			's/dd',
			's/dl/x',
			's/ol',
		];
		expect(await device.subscribe(granted)).to.deep.equal(granted.map(() => 1));
	});

	it('refuses subscriptions to what devices publish, to wildcards and to inner topics', async () => {
		const device = await service.connect('subscribing-2', { topics: [] });
		const refused = [
			's/us',
			's/us/x',
			't/us',
			's/uc/x',
			's/uat',
			'#',
			'+',
			'+/ds',
			's/+',
			's/#',
			'$SYS/#',
			'x',
			's/ds/x',
			'event/events/create',
		];
		expect(await device.subscribe(refused)).to.deep.equal(refused.map(() => 128));
		await device.send('110,a');
	});

	it('grants a bootstrap user the topic of its credentials only', async () => {
		const device = await service.connect('subscribing-3', { ...bootstrap, topics: [] });
		expect(await device.subscribe(['s/dcr', 's/ds', 's/e', 'devicecontrol/notifications'])).to.deep.equal([1, 128, 128, 128]);
		await device.send('110,a');
		expect(await service.operator.findId('subscribing-3')).to.equal(undefined);
	});

	it('lets the newer connection of a device take over, whatever the form of its client id', async () => {
		const first = await service.connect('taken-1');
		await first.send('114,c8y_Restart');
		const second = await service.connect('taken-1', { clientId: 'd:taken-1:x' });
		await within('the older connection is closed', first.closed);
		await service.operator.createOperation('taken-1', { c8y_Restart: {} });
		expect(await second.nextLine()).to.equal('510,taken-1');
		await second.send('110,second');
		expect(await service.operator.objectOf('taken-1')).to.deep.include({ c8y_Hardware: { serialNumber: 'second' } });
	});

	it('hears of the end of each connection, also where the next one comes in at that moment', async () => {
		const own = await startService();
		try {
			const clients = await Promise.all(Array.from({ length: 60 }, () => own.openRaw()));
			const codes: number[] = [];
			for (const [n, client] of clients.entries()) {
				const older = clients[n - 1];
				const coming = client.logIn({ ...admin, clientId: 'meeting' });
				// A little later in each round, from before the CONNECT is read until after its answer.
				setTimeout(() => older?.close(), n / 10);
				codes.push(await coming);
				await client.subscribe('s/ds', 's/e', 's/dat');
			}
			expect(codes).to.deep.equal(clients.map(() => 0));
			expect(await metricOf(own, 'mqtt_connections')).to.equal(1);
			clients.at(-1)?.close();
			await eventually(
				'none is left',
				() => metricOf(own, 'mqtt_connections'),
				(count) => count === 0,
			);
		} finally {
			await own.close();
		}
	});

	it('processes a will on s/us, line by line, when a device breaks off', async () => {
		const lines = ['102,will-1:x,service,x,down', '102,will-1:x,service,y,down'];
		const will = { topic: 's/us', payload: Buffer.from(lines.join('\n')), qos: 1 as const, retain: false };
		const device = await service.connect('will-1', { mqtt: { will } });
		await device.send('102,will-1:x,service,x,up');
		device.drop();
		const status = async () => (await service.operator.objectOf('will-1:x')).status;
		await eventually('the service is down', status, (found) => found === 'down');
		expect((await service.operator.objectOf('will-1:x')).name).to.equal('y');
		const polite = await service.connect('will-1', { mqtt: { will } });
		await polite.send('102,will-1:x,service,x,up');
		await polite.close();
		const next = await service.connect('will-1');
		await next.untaken('s/e');
		expect(await status()).to.equal('up');
	});

	it('takes a device that has gone silent for dead, and processes its will', async () => {
		const will = { topic: 's/us', payload: Buffer.from('110,dead'), qos: 1 as const, retain: false };
		const client = await service.openRaw();
		await client.logIn({ ...admin, clientId: 'silent-1', keepalive: 1, will });
		await within('the connection is closed', client.closed);
		await eventually(
			'the will is stored',
			() => service.operator.findId('silent-1'),
			(id) => id !== undefined,
		);
	});

	it('processes what a client sent that has already gone away', async () => {
		for (const [serial, qos] of [
			['quick-0', 0],
			['quick-1', 1],
		] as const) {
			const client = await service.openRaw(serial);
			const publish = {
				cmd: 'publish',
				topic: 's/us',
				payload: '110,quick',
				qos,
				messageId: 1,
				dup: false,
				retain: false,
			} as const;
			client.send(publish, { cmd: 'disconnect' });
			client.socket.end();
			await eventually(
				'the message is stored',
				() => service.operator.findId(serial),
				(id) => id !== undefined,
			);
		}
	});

	it('speaks MQTT over WebSocket at /mqtt, and nowhere else', async () => {
		const device = await service.connect('browser-1', { url: service.urls.webSocket });
		await device.send('123');
		expect(await device.nextLine()).to.equal(`124,${await service.operator.idOf('browser-1')}`);
		const elsewhere = service.urls.webSocket.replace('/mqtt', '/other');
		const refused = await service.connect('browser-2', { url: elsewhere }).catch((error: unknown) => error);
		expect(refused).to.be.an('error');
	});
});
