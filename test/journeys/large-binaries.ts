import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect } from 'chai';
import { basic } from '../support/checked-http-client.ts';
import { eventually } from '../support/eventually.ts';
import { createHttpClient } from '../support/http-client.ts';
import { multipartBody, multipartType } from '../support/multipart.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';

const password = 'password-of-large-binaries';
const user = 't1/admin';
const authorization = basic(`${user}:${password}`);
const mebibyte = 1024 * 1024;
const path = '/inventory/binaries';

interface BinaryJson {
	readonly id: string;
	readonly length: number;
	readonly c8y_Digest: { readonly sha256: string };
}

describe('journeys/large-binaries', function () {
	this.timeout(300_000);
	let folder: string;
	let running: ServiceProcess | undefined;
	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), 'large-binaries-'));
	});
	afterEach(async () => {
		await running?.kill();
		running = undefined;
		rmSync(folder, { recursive: true, force: true });
	});

	async function start(nodeOptions: readonly string[] = []): Promise<ServiceProcess> {
		running = await startServiceProcess({ DATA_DIR: folder, ADMIN_PASSWORD: password }, nodeOptions);
		return running;
	}

	/** Pieces that differ, made while they are sent. */
	function* pieces(count: number): Generator<Buffer> {
		const piece = Buffer.alloc(mebibyte, 'content');
		for (let index = 0; index < count; index++) {
			piece.writeUInt32BE(index);
			yield Buffer.from(piece);
		}
	}

	async function upload(http: string, count: number): Promise<BinaryJson> {
		const form = multipartBody([{ name: 'file', fileName: 'image.bin', content: '' }]);
		const head = form.subarray(0, form.indexOf('\r\n\r\n') + 4);
		const tail = form.subarray(head.length);
		const sent = request(`${http}${path}`, {
			method: 'POST',
			headers: { authorization, 'content-type': multipartType, 'content-length': head.length + count * mebibyte + tail.length },
		});
		const answered = new Promise<BinaryJson>((resolve, reject) => {
			sent.on('error', reject).on('response', async (response) => {
				const text = (await response.toArray()).join('');
				if (response.statusCode === 201) resolve(JSON.parse(text));
				else reject(new Error(`${response.statusCode} ${text}`));
			});
		});
		async function* body() {
			yield head;
			yield* pieces(count);
			yield tail;
		}
		const [answer] = await Promise.all([answered, pipeline(body, sent)]);
		return answer;
	}

	it('takes and gives a gibibyte with a heap of a quarter of it', async () => {
		const count = 1024;
		const expected = createHash('sha256');
		for (const piece of pieces(count)) expected.update(piece);
		const sha256 = expected.digest('hex');
		const service = await start(['--max-old-space-size=256']);
		const before = memoryOf(service.pid, 'VmRSS');

		const binary = await upload(service.http, count);
		expect(binary).to.deep.include({ length: count * mebibyte, c8y_Digest: { sha256 } });

		const response = await fetch(`${service.http}${path}/${binary.id}`, { headers: { authorization } });
		const received = createHash('sha256');
		let length = 0;
		for await (const bytes of Readable.fromWeb(response.body as never)) {
			received.update(bytes);
			length += bytes.length;
		}
		expect(length).to.equal(count * mebibyte);
		expect(received.digest('hex')).to.equal(sha256);

		const most = memoryOf(service.pid, 'VmHWM');
		expect(most, `bytes at most, ${before} before`).to.be.below(512 * mebibyte);
	});

	it('removes at the next start what a killed process had begun to take', async () => {
		const first = await start();
		const kept = await upload(first.http, 1);
		const sent = request(`${first.http}${path}`, { method: 'POST', headers: { authorization, 'content-type': multipartType } });
		sent.on('error', () => {});
		const [head = ''] = multipartBody([{ name: 'file', fileName: 'a', content: '' }])
			.toString()
			.split('\r\n\r\n');
		sent.write(`${head}\r\n\r\n`);
		for (const piece of pieces(3)) sent.write(piece);
		const incoming = join(folder, 'binaries/incoming');
		await eventually(
			'the upload has begun',
			() => readdir(incoming),
			({ length }) => length === 1,
		);
		await first.kill();
		expect(await readdir(incoming)).to.have.length(1);

		const second = await start();
		expect(await readdir(incoming)).to.deep.equal([]);
		const http = createHttpClient(second.http, { user, password });
		const { managedObjects } = await http.get<{ managedObjects: BinaryJson[] }>(path);
		expect(managedObjects.map(({ id }) => id)).to.deep.equal([kept.id]);
		const answer = await fetch(`${second.http}${path}/${kept.id}`, { headers: { authorization } });
		expect(
			createHash('sha256')
				.update(Buffer.from(await answer.arrayBuffer()))
				.digest('hex'),
		).to.equal(kept.c8y_Digest.sha256);
	});

	it('says so when the disk is nearly full, and goes on', async () => {
		running = await startServiceProcess({ DATA_DIR: folder, ADMIN_PASSWORD: password, STORE_MIN_FREE_BYTES: '999999999999999' });
		const refusal = await upload(running.http, 1).catch((error: Error) => error.message);
		expect(refusal).to.match(/^507 .*binary\/storeFull.*no room left/);
		expect(await readdir(join(folder, 'binaries/incoming'))).to.deep.equal([]);
		expect((await fetch(`${running.http}/health`)).status).to.equal(200);
	});

	it('asks for the body only of a request that is good so far', async () => {
		const { http } = await start();
		for (const [secret, expected] of [
			[password, 'continue'],
			['wrong', '401'],
		] as const) {
			const body = multipartBody([{ name: 'file', fileName: 'a', content: 'x' }]);
			const headers = { authorization: basic(`${user}:${secret}`), 'content-type': multipartType, 'content-length': body.length };
			const sent = request(`${http}${path}`, { method: 'POST', headers: { ...headers, expect: '100-continue' } });
			sent.flushHeaders();
			const first = await new Promise<string>((resolve, reject) => {
				sent.on('continue', () => resolve('continue'));
				sent.on('response', ({ statusCode }) => resolve(String(statusCode)));
				sent.on('error', reject);
			});
			expect(first).to.equal(expected);
			sent.on('error', () => {});
			sent.destroy();
		}
	});
});

function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
	const [, kibibytes] = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
	return Number(kibibytes) * 1024;
}
