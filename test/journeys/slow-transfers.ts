import { mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { basic } from '../support/checked-http-client.ts';
import { eventually, within } from '../support/eventually.ts';
import { multipartBody, multipartType } from '../support/multipart.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';

const path = '/inventory/binaries';

describe('journeys/slow-transfers', () => {
	let folder: string;
	let service: ServiceUnderTest;
	const sockets: Socket[] = [];
	before(async () => {
		folder = mkdtempSync(join(tmpdir(), 'slow-transfers-'));
		service = await startService({
			DATA_DIR: folder,
			HTTP_REQUEST_TIMEOUT_SECONDS: '1',
			HTTP_HEADERS_TIMEOUT_SECONDS: '1',
			BINARY_STANDSTILL_SECONDS: '1',
		});
	});
	after(async () => {
		for (const socket of sockets) socket.destroy();
		await service?.close();
		rmSync(folder, { recursive: true, force: true });
	});

	function send(request: string, headers: string, begin: string | Buffer = ''): Socket {
		const { hostname, port } = new URL(service.urls.http);
		const socket = connect(Number(port), hostname);
		sockets.push(socket);
		socket.on('error', () => {});
		const authorization = basic(`${service.admin.user}:${service.admin.password}`);
		socket.write(`${request} HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n${headers}\r\n`);
		socket.write(begin);
		return socket;
	}
	const ended = (socket: Socket) =>
		within(
			'the connection is closed',
			text(socket).catch(() => 'cut off'),
		);

	it('answers 408 to a body that does not come', async () => {
		const socket = send('POST /inventory/managedObjects', 'Content-Length: 10\r\n', '{');
		expect(await ended(socket)).to.match(/^HTTP\/1\.1 408 /);
	});

	it('cuts off who goes on sending after the answer', async () => {
		const socket = send('GET /nowhere', 'Content-Length: 1000000\r\n', '{');
		expect(await ended(socket)).to.match(/^HTTP\/1\.1 404 /);
	});

	it('cuts off an upload that stands still, and keeps nothing of it', async () => {
		const form = multipartBody([{ name: 'file', fileName: 'a', content: 'x'.repeat(100_000) }]);
		const socket = send(
			`POST ${path}`,
			`Content-Type: ${multipartType}\r\nContent-Length: ${form.length}\r\n`,
			form.subarray(0, 90_000),
		);
		await ended(socket);
		const incoming = () => readdir(join(folder, 'binaries/incoming'));
		await eventually('nothing is kept', incoming, ({ length }) => length === 0);
	});

	it('cuts off a download that nobody reads', async () => {
		const { user, password } = service.admin;
		const answer = await fetch(service.urls.http + path, {
			method: 'POST',
			headers: { authorization: basic(`${user}:${password}`), 'content-type': multipartType },
			body: new Uint8Array(multipartBody([{ name: 'file', fileName: 'a', content: Buffer.alloc(50_000_000) }])),
		});
		const { id } = (await answer.json()) as { readonly id: string };
		const socket = send(`GET ${path}/${id}`, '');
		socket.pause();
		// What is in the buffers of the system can still be read; all of it does not fit there.
		const connections = async () => {
			const figures = await (await fetch(`${service.urls.http}/metrics`)).text();
			return /^http_request_seconds_count\{method="get",route="\/inventory\/binaries\/\{id\}",status="200"\} 1$/m.test(figures);
		};
		await eventually('the service has given up', connections, (isOver) => isOver);
		expect((await ended(socket)).length).to.be.below(50_000_000);
	});
});
