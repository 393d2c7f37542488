import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { generate, type IConnectPacket } from 'mqtt-packet';
import { type CertificateFiles, createCertificateFiles } from '../support/certificates.ts';
import { basic } from '../support/checked-http-client.ts';
import { eventually, within } from '../support/eventually.ts';
import { multipartBody, multipartType } from '../support/multipart.ts';
import { upstream } from '../support/raw-client.ts';
import { adminPassword, type ServiceUnderTest, startService } from '../support/service-fixture.ts';

const strict = {
	HTTP_HEADERS_TIMEOUT_SECONDS: '1',
	HTTP_REQUEST_TIMEOUT_SECONDS: '1',
	HTTP_KEEP_ALIVE_TIMEOUT_SECONDS: '1',
	HTTP_READ_TIMEOUT_SECONDS: '1',
	HTTP_HEADERS_MAX_BYTES: '4096',
	// As many as the parser hands over in three goes: what comes after them is easily lost.
	HTTP_HEADERS_MAX_COUNT: '93',
	HTTP_URL_MAX_CHARACTERS: '2000',
	TLS_HANDSHAKE_TIMEOUT_SECONDS: '1',
	MQTT_CONNECT_TIMEOUT_SECONDS: '1',
	MQTT_KEEP_ALIVE_MAX_SECONDS: '1',
	MQTT_MESSAGES_PER_SECOND: '100',
	MQTT_JSON_MAX_DEPTH: '8',
	HTTPS_PORT: '0',
	MQTTS_PORT: '0',
};
const trickleMilliseconds = 100;
const authorization = `Authorization: ${basic(`t1/admin:${adminPassword}`)}\r\n`;
const upgrade =
	'GET /mqtt HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n';
// A record of a handshake that announces more than follows.
const halfHello = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]);

function connectPacket(clientId: string, keepalive: number): Buffer {
	const packet: IConnectPacket = {
		cmd: 'connect',
		protocolId: 'MQTT',
		protocolVersion: 4,
		clean: true,
		keepalive,
		clientId,
		username: 't1/admin',
		password: Buffer.from(adminPassword),
	};
	return generate(packet);
}

const connected = (clientId: string, keepalive = 0) => connectPacket(clientId, keepalive);
const publish = generate(upstream(1, '110,half'));
const halfPublish = publish.subarray(0, 8);

interface Slow {
	readonly to: 'http' | 'https' | 'mqtt' | 'mqtts';
	/** Whether the TLS handshake is made before anything is sent. */
	readonly secure?: true;
	/** What is sent at once. */
	readonly begin?: string | Buffer;
	/** What goes on coming, a bit at a time. */
	readonly trickle?: string | Buffer;
	/** What it is answered before the connection is closed. */
	readonly answer?: RegExp;
}

const late = /^HTTP\/1\.1 408 .*"error":"http\/requestTimeout"/s;
const slow: Readonly<Record<string, Slow>> = {
	'HTTP without a request': { to: 'http', answer: late },
	'HTTP whose head trickles in': { to: 'http', begin: 'GET / HTTP/1.1\r\n', trickle: 'X-A: b\r\n', answer: late },
	'HTTP whose first line trickles in': { to: 'http', trickle: 'GET /xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', answer: late },
	'HTTP whose second request trickles in': {
		to: 'http',
		begin: 'GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n',
		trickle: 'X-A: b\r\n',
		answer: /^HTTP\/1\.1 200 .*HTTP\/1\.1 408 /s,
	},
	'HTTP whose body trickles in': {
		to: 'http',
		begin: `POST /inventory/managedObjects HTTP/1.1\r\nHost: a\r\n${authorization}Content-Length: 1000\r\n\r\n`,
		trickle: ' ',
		answer: late,
	},
	'HTTP whose body trickles in by chunks': {
		to: 'http',
		begin: `POST /inventory/managedObjects HTTP/1.1\r\nHost: a\r\n${authorization}Transfer-Encoding: chunked\r\n\r\n`,
		trickle: '1\r\n \r\n',
		answer: late,
	},
	'HTTP whose form trickles in before anybody is known': {
		to: 'http',
		begin:
			'POST /tenant/oauth/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n',
		trickle: 'a',
		answer: late,
	},
	'idle HTTP after an answer': {
		to: 'http',
		begin: 'GET /health HTTP/1.1\r\nHost: a\r\n\r\n',
		answer: /^HTTP\/1\.1 200 .*"UP"/s,
	},
	'HTTPS without a handshake': { to: 'https' },
	'HTTPS with half a handshake': { to: 'https', begin: halfHello },
	'HTTPS without a request': { to: 'https', secure: true, answer: late },
	'a WebSocket without CONNECT': { to: 'http', begin: upgrade, answer: /^HTTP\/1\.1 101 / },
	'MQTT without CONNECT': { to: 'mqtt' },
	'MQTT with half a CONNECT': { to: 'mqtt', begin: connectPacket('half-1', 0).subarray(0, 20) },
	'MQTT whose CONNECT trickles in': { to: 'mqtt', trickle: connectPacket(`trickling-${'x'.repeat(100)}`, 0) },
	'MQTTS without a handshake': { to: 'mqtts' },
	'MQTTS with half a handshake': { to: 'mqtts', begin: halfHello },
	'MQTTS without CONNECT': { to: 'mqtts', secure: true },
	'MQTT without a ping': { to: 'mqtt', begin: connected('silent-1', 1) },
	'MQTT without a keep-alive': { to: 'mqtt', begin: connected('silent-2', 0) },
	'MQTT with a keep-alive that is too long': { to: 'mqtt', begin: connected('silent-3', 600) },
	'MQTT with half a PUBLISH': { to: 'mqtt', begin: Buffer.concat([connected('half-2'), halfPublish]) },
	'MQTT whose PUBLISH trickles in': {
		to: 'mqtt',
		begin: Buffer.concat([connected('trickling-2'), generate(upstream(1, 'x'.repeat(1000))).subarray(0, 8)]),
		trickle: 'x',
	},
};

describe('journeys/slow-clients', () => {
	let certificates: CertificateFiles;
	let service: ServiceUnderTest;
	const closed = new Map<string, Promise<string>>();
	const sockets: Socket[] = [];
	before(async () => {
		certificates = await createCertificateFiles();
		const { certFile, keyFile } = certificates;
		service = await startService({ ...strict, TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile });
		// All at once, so that their times pass together.
		for (const [name, each] of Object.entries(slow)) closed.set(name, begin(each));
	});
	after(async () => {
		for (const socket of sockets) socket.destroy();
		await service.close();
		certificates.remove();
	});

	function open(to: Slow['to'], secure?: true): Socket {
		const { port } = new URL(service.urls[to] ?? '');
		const place = { host: '127.0.0.1', port: Number(port) };
		const socket = secure ? connectTls({ ...place, rejectUnauthorized: false }) : connect(place);
		sockets.push(socket);
		return socket.on('error', () => {});
	}

	/** What comes until the service closes the connection; the client itself never does. */
	function begin({ to, secure, begin: first, trickle }: Slow): Promise<string> {
		const socket = open(to, secure);
		if (first !== undefined) socket.write(first);
		if (trickle !== undefined) drip(socket, Buffer.from(trickle));
		return text(socket).catch(() => 'cut off');
	}

	/** A byte of it, then the next one, and again from the beginning. */
	function drip(socket: Socket, bytes: Buffer): void {
		let at = 0;
		const timer = setInterval(
			() => socket.write(bytes.subarray(at++ % bytes.length, ((at - 1) % bytes.length) + 1)),
			trickleMilliseconds,
		);
		socket.once('close', () => clearInterval(timer));
	}

	for (const [name, { answer }] of Object.entries(slow)) {
		it(`closes ${name}`, async () => {
			const received = await within('the connection is closed', closed.get(name) ?? Promise.resolve(''));
			if (answer) expect(received).to.match(answer);
			// An answer to a CONNECT, at most: nothing that tells more.
			else expect(received.length).to.be.at.most(10);
		});
	}

	it('closes a connection whose answers are never read, while more requests come', async () => {
		const socket = open('http');
		socket.pause();
		const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
		socket.write('GET /service/advanced-software-mgmt/docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(40));
		drip(socket, Buffer.from('\r\n'));
		await within('the connection is closed', ended);
	});

	it('closes an idle connection also after a download', async () => {
		const { user, password } = service.admin;
		const path = '/inventory/binaries';
		const created = await fetch(service.urls.http + path, {
			method: 'POST',
			headers: { authorization: basic(`${user}:${password}`), 'content-type': multipartType },
			body: new Uint8Array(multipartBody([{ name: 'file', fileName: 'a', content: 'the bytes' }])),
		});
		const { id } = (await created.json()) as { readonly id: string };
		const begun = begin({ to: 'http', begin: `GET ${path}/${id} HTTP/1.1\r\nHost: a\r\n${authorization}\r\n` });
		expect(await within('the connection is closed', begun)).to.match(/^HTTP\/1\.1 200 .*the bytes/s);
	});

	it('keeps a client that pings, however little else it says', async () => {
		const client = await service.openRaw();
		await client.logIn({ clientId: 'pinging-1', username: 't1/admin', password: adminPassword, keepalive: 1 });
		const silent = await service.openRaw('silent-4');
		const timer = setInterval(() => client.send({ cmd: 'pingreq' }), trickleMilliseconds);
		await within('the silent one is closed', silent.closed);
		clearInterval(timer);
		client.send(upstream(1, '110,still here'));
		await client.next('puback');
	});

	it('reads a client no faster than it may send, loses nothing of it, and does not take it for silent', async () => {
		let acknowledged = 0;
		const client = await service.openRaw(undefined, ({ cmd }) => {
			if (cmd === 'puback') acknowledged++;
		});
		await client.logIn({ clientId: 'hasty-1', username: 't1/admin', password: adminPassword, keepalive: 1 });
		const begun = performance.now();
		// A second of them goes at once; the others need longer than one and a half keep-alives.
		client.send(...Array.from({ length: 300 }, (_, index) => upstream(index + 1, `141,p${index},1,apt,`)));
		await eventually(
			'all are acknowledged',
			() => acknowledged,
			(count) => count === 300,
		);
		expect(performance.now() - begun).to.be.above(1900);
		const { statistics } = await service.operator.softwarePage(await service.operator.idOf('hasty-1'), 'withTotalElements=true');
		expect(statistics.totalElements).to.equal(300);
	});

	const head = (url: string, headers: string) => `GET ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers}\r\n`;
	for (const [what, request, answer] of [
		['as many headers as it may have', head('/health', 'a: 1\r\n'.repeat(91)), /^HTTP\/1\.1 200 /],
		['one header more', head('/health', 'a: 1\r\n'.repeat(92)), /^HTTP\/1\.1 431 .*too many headers: at most 93 are read/s],
		['very many headers', head('/health', 'a:\r\n'.repeat(900)), /^HTTP\/1\.1 431 .*too many headers: at most 93/s],
		[
			'headers that are too large',
			head('/health', `a: ${'x'.repeat(4096)}\r\n`),
			/^HTTP\/1\.1 431 .*"error":"http\/headersTooLarge".*at most 4096 bytes are read/s,
		],
		['a head that never ends', `GET / HTTP/1.1\r\n${'X-A: b\r\n'.repeat(100_000)}`, /^HTTP\/1\.1 431 /],
		['a long URL', head(`/health?a=${'x'.repeat(1990)}`, ''), /^HTTP\/1\.1 200 /],
		['a URL that is too long', head(`/health?a=${'x'.repeat(1991)}`, ''), /^HTTP\/1\.1 414 .*at most 2000 are read/s],
		['a URL larger than a head', head(`/${'x'.repeat(5000)}`, ''), /^HTTP\/1\.1 431 .*at most 4096 bytes/s],
		['what is no HTTP', 'what?\r\n\r\n', /^HTTP\/1\.1 400 .*"error":"http\/badRequest".*not HTTP\/1\.1/s],
		['two lengths', head('/', 'Content-Length: 1\r\nContent-Length: 2\r\n'), /^HTTP\/1\.1 400 /],
		['a TLS handshake', halfHello, /^HTTP\/1\.1 400 /],
	] as const) {
		it(`answers ${what}, and closes the connection`, async () => {
			expect(await within('the connection is closed', begin({ to: 'http', begin: request }))).to.match(answer);
		});
	}

	it('answers JSON of a device that is nested too deep', async () => {
		const device = await service.connect('deep-1', { mqtt: { keepalive: 1 } });
		const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
		const topic = 'inventory/managedObjects/update/deep-1';
		await device.send(nested(9), topic);
		expect(JSON.parse(await device.nextLine('error')).message).to.contain('nested too deep: at most 8 levels');
		await device.send(nested(8), topic);
		expect(await service.operator.objectOf('deep-1')).to.have.property('a');
	});
});

describe('journeys/slow-clients by number', () => {
	let service: ServiceUnderTest;
	before(async () => {
		service = await startService({ HTTP_CONNECTIONS_MAX: '2', MQTT_CONNECTIONS_PER_SECOND_PER_ADDRESS: '2' });
	});
	after(() => service.close());

	it('answers 3 to more connection attempts of one address in a second than it takes up', async () => {
		const login = { username: 't1/admin', password: adminPassword };
		const clients = await Promise.all(Array.from({ length: 6 }, () => service.openRaw()));
		const codes = await Promise.all(clients.map((client, index) => client.logIn({ ...login, clientId: `many-${index}` })));
		// At most those of two seconds, should one have just begun.
		expect(codes.filter((code) => code === 0).length).to.be.within(2, 4);
		expect(codes.filter((code) => code === 3).length).to.be.within(2, 4);
	});

	it('closes HTTP connections that are too many at once', async () => {
		const { port } = new URL(service.urls.http);
		const sockets = [1, 2].map(() => connect(Number(port), '127.0.0.1'));
		await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
		const third = connect(Number(port), '127.0.0.1').on('error', () => {});
		await within('the third is closed', new Promise((resolve) => third.resume().once('close', resolve)));
		for (const socket of sockets) socket.destroy();
		const answers = () =>
			fetch(`${service.urls.http}/health`).then(
				({ status }) => status,
				() => 0,
			);
		await eventually('there is room again', answers, (status) => status === 200);
	});
});
