import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import type { Response } from 'supertest';
import { bytes, binariesPath as root, useBinaryFixture } from '../support/binary-fixture.ts';
import { basic, type CallOptions } from '../support/checked-http-client.ts';
import { eventually } from '../support/eventually.ts';
import { type Caller, credentials, expectRefusal, tenant } from '../support/http-fixture.ts';
import { fileForm, multipart, multipartBody, multipartType, type Part } from '../support/multipart.ts';

const objects = '/inventory/managedObjects';
const headers = { Host: 'c8y.test' };

function sha256Of(content: string | Buffer): Buffer {
	return createHash('sha256').update(content).digest();
}

describe('http/binaries', () => {
	const { fixture, upload, download, kept, reopen } = useBinaryFixture();

	describe('an upload', () => {
		const file: Part = { name: 'file', fileName: 'a b.deb', type: 'application/x-deb', content: bytes };
		const description: Part = { name: 'object', content: '{"name":"n","type":"t","c8y_Global":{}}' };
		const shapes: readonly (readonly [string, readonly Part[], { name: string; type: string; contentType: string }])[] = [
			['file and description', [file, description], { name: 'n', type: 't', contentType: 'application/x-deb' }],
			['description and file', [description, file], { name: 'n', type: 't', contentType: 'application/x-deb' }],
			[
				'a file without a name',
				[{ name: 'file', type: 'application/octet-stream', content: bytes }, description],
				{ name: 'n', type: 't', contentType: 'application/octet-stream' },
			],
			[
				'a file without a name that says it is text',
				[{ name: 'file', type: 'text/plain', content: bytes }, description],
				{ name: 'n', type: 't', contentType: 'text/plain' },
			],
			[
				'a description with a file name and a type',
				[{ ...description, fileName: 'object.json', type: 'application/json' }, file],
				{ name: 'n', type: 't', contentType: 'application/x-deb' },
			],
			[
				'fields that nobody knows',
				[{ name: 'filesize', content: '1000' }, file, { name: 'x', content: '' }, description],
				{ name: 'n', type: 't', contentType: 'application/x-deb' },
			],
			['a file alone', [file], { name: 'a b.deb', type: 'application/x-deb', contentType: 'application/x-deb' }],
		];
		for (const [what, parts, expected] of shapes) {
			it(`takes ${what}, byte for byte`, async () => {
				const answer = await fixture().call('admin', 'post', root, { ...multipart(...parts), headers });
				expect(answer.status).to.equal(201);
				expect(answer.body).to.include({ ...expected, length: 1000, owner: 'admin', c8y_IsBinary: '' });
				expect(answer.body.self).to.equal(`http://c8y.test${root}/${answer.body.id}`);
				expect(answer.headers.location).to.equal(answer.body.self);
				expect(answer.body.c8y_Digest).to.deep.equal({ sha256: sha256Of(bytes).toString('hex') });
				if (parts.length > 1) expect(answer.body.c8y_Global ?? {}).to.deep.equal({});
				expect((await download(answer.body.id)).body.equals(bytes)).to.equal(true);
			});
		}

		it('takes an empty file', async () => {
			const { status, body, headers: answered } = await download(await upload(fileForm('')));
			expect([status, body.length, answered.get('content-length')]).to.deep.equal([200, 0, '0']);
		});

		const whole = multipartBody([file, description]).toString('latin1');
		const binary = (text: string) => Buffer.from(text, 'latin1');
		const bad: readonly (readonly [string, CallOptions, number, RegExp])[] = [
			['no boundary', { text: whole, type: 'multipart/form-data' }, 400, /[Bb]oundary/],
			['no form', { body: {} }, 415, /multipart\/form-data/],
			['a packed form', { ...fileForm('x'), headers: { 'Content-Encoding': 'gzip' } }, 415, /not packed/],
			['no file', multipart(description), 422, /no part 'file'/],
			['no end', { text: binary(whole.slice(0, -8)), type: multipartType }, 400, /cannot be read/],
			['an end in the file', { text: binary(whole.slice(0, 300)), type: multipartType }, 400, /cannot be read/],
			['an end in a head', { text: binary(whole.slice(0, 80)), type: multipartType }, 400, /cannot be read/],
			['nothing', { text: '', type: multipartType }, 400, /cannot be read/],
			['bytes that are no form', { text: 'hello world', type: multipartType }, 400, /cannot be read/],
			['two files', multipart(file, file), 422, /more than one part 'file'/],
			['too many parts', multipart(file, ...Array.from({ length: 30 }, () => ({ name: 'x', content: 'y' }))), 422, /too many/],
			['a description that is no JSON', multipart(file, { name: 'object', content: '{"a":' }), 400, /not JSON/],
			['a description that is no object', multipart(file, { name: 'object', content: '[]' }), 422, /must be a JSON object/],
			['a description with a bad name', multipart(file, { name: 'object', content: '{"name":1}' }), 422, /name must be text/],
			[
				'a description before a file with a bad fragment',
				multipart({ name: 'object', content: '{"a.b":1}' }, file),
				422,
				/cannot be the name of a fragment/,
			],
			['a software list', multipart(file, { name: 'object', content: '{"c8y_SoftwareList":[]}' }), 422, /leave it out/],
			['a description that is too large', multipart(file, { name: 'object', content: ' '.repeat(1_100_000) }), 422, /too large/],
			['a file name that no object may have', fileForm('x', undefined, 'n'.repeat(1025)), 422, /name has 1025 characters/],
			['a file that is too large', fileForm(Buffer.alloc(100_001)), 413, /at most 100000 bytes/],
		];
		for (const [what, options, status, message] of bad) {
			it(`refuses ${what}, and keeps nothing of it`, async () => {
				expectRefusal(await fixture().call('admin', 'post', root, options), status, message);
				expect(await kept()).to.deep.equal([]);
				expect((await fixture().call('admin', 'get', root)).body.managedObjects).to.deep.equal([]);
			});
		}

		it('refuses by Content-Length what cannot fit, before it is sent', async () => {
			const { port } = new URL(fixture().url);
			const socket = connect(Number(port), '127.0.0.1');
			socket.write(
				`POST ${root} HTTP/1.1\r\nHost: a\r\nAuthorization: ${basic(credentials.admin)}\r\nContent-Type: ${multipartType}\r\nContent-Length: 9000000\r\n\r\n`,
			);
			const [answer] = await once(socket, 'data');
			socket.destroy();
			expect(String(answer)).to.match(/^HTTP\/1.1 413 /);
		});

		it('keeps nothing when the client goes away half-way', async () => {
			const { port } = new URL(fixture().url);
			const socket = connect(Number(port), '127.0.0.1');
			socket.write(
				`POST ${root} HTTP/1.1\r\nHost: a\r\nAuthorization: ${basic(credentials.admin)}\r\nContent-Type: ${multipartType}\r\nContent-Length: ${whole.length}\r\n\r\n`,
			);
			socket.write(binary(whole.slice(0, 400)));
			await eventually('the upload has begun', kept, ({ length }) => length === 1);
			socket.destroy();
			await eventually('nothing is kept', kept, ({ length }) => length === 0);
		});
	});

	it('keeps equal files once, until the last one is gone', async () => {
		const [one, two] = [await upload(fileForm(bytes, { name: 'one' })), await upload(fileForm(bytes, { name: 'two' }))];
		const foreign = await upload(fileForm(bytes), 'otherAdmin');
		expect(await kept()).to.have.length(1);
		for (const [caller, path] of [
			['admin', `${root}/${one}`],
			['otherAdmin', `${objects}/${foreign}`],
		] as const) {
			expect((await fixture().call(caller, 'delete', path)).status).to.equal(204);
			expect(await fixture().services.binaries.sweep()).to.equal(0);
		}
		expect((await download(two)).body.equals(bytes)).to.equal(true);
		expect((await fixture().call('admin', 'delete', `${objects}/${two}`)).status).to.equal(204);
		expectRefusal(await fixture().call('admin', 'get', `${root}/${two}`), 404, /No managed object/);
		expect(await fixture().services.binaries.sweep()).to.equal(1);
		expect(await kept()).to.deep.equal([]);
		expect((await download(await upload(fileForm(bytes)))).body.equals(bytes)).to.equal(true);
	});

	it('takes no software, by whatever door', async () => {
		const id = await upload(fileForm('x'));
		const list = [{ name: 'a', version: '1' }];
		const doors = [
			['put', `${objects}/${id}`, { c8y_SoftwareList: list }],
			['put', `/service/advanced-software-mgmt/software?deviceId=${id}`, list],
			['post', `/service/advanced-software-mgmt/software?deviceId=${id}`, list],
		] as const;
		for (const [method, path, body] of doors)
			expectRefusal(await fixture().call('admin', method, path, { body }), 422, /A binary has no c8y_SoftwareList/);
		const { body } = await fixture().call('admin', 'put', `${objects}/${id}`, { body: { c8y_SoftwareList: null, note: 'kept' } });
		expect(body).to.include({ note: 'kept' }).and.not.to.have.property('c8y_SoftwareList');
		expect(body.childAdditions.references).to.deep.equal([]);
	});

	it('is a managed object whose bytes only an upload changes', async () => {
		const id = await upload(fileForm(bytes, { name: 'n', type: 't' }));
		const read = async () => (await fixture().call('admin', 'get', `${objects}/${id}`)).body;
		const before = await read();
		expect(before.self).to.match(new RegExp(`${objects}/${id}$`));
		const changed = await fixture().call('admin', 'put', `${objects}/${id}`, {
			body: { ...before, length: 5, contentType: 'x/y', c8y_IsBinary: null, c8y_Digest: null, note: 'new', name: 'm' },
		});
		expect(changed.body).to.include({
			length: 1000,
			contentType: 'application/octet-stream',
			c8y_IsBinary: '',
			note: 'new',
			name: 'm',
		});
		expect(changed.body.c8y_Digest).to.deep.equal(before.c8y_Digest);
		const found = (query: string) => fixture().call('admin', 'get', `${objects}?${query}`);
		expect((await found('fragmentType=c8y_IsBinary')).body.managedObjects).to.have.length(1);
		expect((await download(id)).headers.get('content-disposition')).to.equal('attachment; filename="m"');
	});

	it('lists binaries in pages, by type, owner and id', async () => {
		await fixture().call('admin', 'post', objects, { body: { type: 't' } });
		const ids: string[] = [];
		for (const [caller, type] of [
			['admin', 't'],
			['admin', 'u'],
			['device', 't'],
		] as const)
			ids.push(await upload(fileForm(`${type}${ids.length}`, { type }), caller));
		const list = async (query: string, caller: Caller = 'admin') => {
			const { body } = await fixture().call(caller, 'get', `${root}?${query}`, { headers });
			for (const { id, self } of body.managedObjects) expect(self).to.equal(`http://c8y.test${root}/${id}`);
			return body.managedObjects.map(({ id }: { id: string }) => ids.indexOf(id));
		};
		expect(await list('')).to.deep.equal([0, 1, 2]);
		expect(await list('type=t')).to.deep.equal([0, 2]);
		expect(await list('owner=device_dev1')).to.deep.equal([2]);
		expect(await list(`ids=${ids[1]},${ids[2]}`)).to.deep.equal([1, 2]);
		expect(await list('pageSize=2&currentPage=2')).to.deep.equal([2]);
		expect(await list('', 'device')).to.deep.equal([2]);
		expect(await list('', 'otherAdmin')).to.deep.equal([]);
		const { body } = await fixture().call('admin', 'get', `${root}?pageSize=2&withTotalPages=true`);
		expect(body.statistics).to.deep.equal({ currentPage: 1, pageSize: 2, totalPages: 2 });
		expect(body.next).to.match(/currentPage=2/);
		expect((await fixture().call('admin', 'get', `${root}?pageSize=0`)).status).to.equal(400);
	});

	it('lists binaries by a text that they have, and by what is below them', async () => {
		const [one, other] = [await upload(fileForm('1', { note: 'a b' })), await upload(fileForm('2', { note: 'a' }))];
		await fixture().call('admin', 'post', objects, { body: { note: 'a b' } });
		const list = async (query: string) => {
			const { status, body } = await fixture().call('admin', 'get', `${root}?withTotalElements=true&${query}`);
			expect([status, body.statistics?.totalElements], query).to.deep.equal([200, body.managedObjects?.length]);
			return body.managedObjects.map(({ id }: { id: string }) => id);
		};
		expect(await list('text=a%20b')).to.deep.equal([one]);
		for (const [kind, parameter] of [
			['childDevices', 'childDeviceId'],
			['childAssets', 'childAssetId'],
			['childAdditions', 'childAdditionId'],
		]) {
			const { body } = await fixture().call('admin', 'post', `${objects}/${other}/${kind}`, { body: { name: kind } });
			expect(await list(`${parameter}=${body.id}`), kind).to.deep.equal([other]);
			expect(await list(`${parameter}=${body.id}&text=2`), kind).to.deep.equal([]);
		}
	});

	it('goes with what it is below', async () => {
		const id = await upload(fileForm(bytes));
		const { body } = await fixture().call('admin', 'post', objects, { body: { name: 'above' } });
		const below = `${objects}/${body.id}/childAdditions`;
		expect((await fixture().call('admin', 'post', below, { body: { managedObject: { id } } })).status).to.equal(201);
		expect((await fixture().call('admin', 'delete', `${objects}/${body.id}?forceCascade=true`)).status).to.equal(204);
		expect((await download(id)).status).to.equal(404);
		expect(await fixture().services.binaries.sweep()).to.equal(1);
		expect(await kept()).to.deep.equal([]);
	});

	describe('a replacement', () => {
		let id: string;
		beforeEach(async () => {
			id = await upload(fileForm(bytes, { name: 'tool.deb', type: 't', note: 'kept' }));
		});
		const put = (text: string, options: CallOptions = {}): Promise<Response> =>
			fixture().call('admin', 'put', `${root}/${id}`, { text, type: 'text/plain', ...options });

		it('has other bytes under the same id', async () => {
			fixture().time += 5000;
			const answer = await put('new bytes', { headers });
			expect(answer.status).to.equal(201);
			expect(answer.body).to.include({ id, name: 'tool.deb', type: 't', note: 'kept', length: 9, contentType: 'text/plain' });
			expect(answer.body.self).to.equal(`http://c8y.test${root}/${id}`);
			const { body, headers: read } = await download(id);
			expect(body.toString()).to.equal('new bytes');
			expect(read.get('etag')).to.equal(answer.headers.etag);
			expect(read.get('last-modified')).to.equal('Sat, 21 Nov 2026 20:23:35 GMT');
			expect(await kept()).to.have.length(2);
			expect(await fixture().services.binaries.sweep()).to.equal(1);
			expect((await download(id)).body.toString()).to.equal('new bytes');
		});

		it('may be of the same bytes, JSON, or nothing', async () => {
			for (const text of ['{"a":1}', '{"a":1}', '']) {
				const answer = await put(text, { type: 'application/json' });
				expect(answer.status).to.equal(201);
				expect((await download(id)).body.toString()).to.equal(text);
			}
			await fixture().services.binaries.sweep();
			expect(await kept()).to.have.length(1);
		});

		const digest = `:${sha256Of('new').toString('base64')}:`;
		const bad: readonly (readonly [string, CallOptions, number, RegExp])[] = [
			['of a version that is gone', { headers: { 'If-Match': '"x"' } }, 412, /other bytes than/],
			['that must not replace any', { headers: { 'If-None-Match': '*' } }, 412, /If-None-Match/],
			['that is a part', { headers: { 'Content-Range': 'bytes 0-2/1000' } }, 400, /Content-Range/],
			['with a wrong digest', { headers: { 'Content-Digest': `sha-256=:${sha256Of('b').toString('base64')}:` } }, 422, /SHA-256/],
			['with a digest in capitals', { headers: { 'Content-Digest': `SHA-256=${digest}` } }, 400, /'SHA-256=.*lower case/],
			['with a digest that is no base64', { headers: { 'Repr-Digest': 'sha-256=:a$b:' } }, 400, /repr-digest cannot be read/],
			['with half a digest', { headers: { 'Content-Digest': 'sha-256=:YWJj:' } }, 400, /32 bytes/],
			['with a digest in quotes', { headers: { 'Content-Digest': 'sha-256="YWJj"' } }, 400, /cannot be read/],
			['with an empty digest', { headers: { 'Content-Digest': '' } }, 400, /cannot be read/],
			[
				'with a digest that nobody checks',
				{ headers: { 'Content-Digest': 'md5=:YWJj:, crc32c=:YQ==:' } },
				400,
				/md5, crc32c, which/,
			],
			['that is a form', { type: multipartType }, 415, /no form/],
			['that is packed', { headers: { 'Content-Encoding': 'gzip' } }, 415, /not packed/],
			['that is too large', { text: 'x'.repeat(100_001) }, 413, /at most 100000/],
		];
		for (const [what, options, status, message] of bad) {
			it(`is refused: one ${what}`, async () => {
				expectRefusal(await put('new', options), status, message);
				expect((await download(id)).body.equals(bytes)).to.equal(true);
				expect(await kept()).to.have.length(1);
			});
		}

		it('is refused when it grows too large without having said so', async () => {
			const pieces = Readable.toWeb(Readable.from(Array.from({ length: 200 }, () => Buffer.alloc(1000))));
			const headers = { Authorization: basic(credentials.admin) };
			const answer = await fetch(`${fixture().url}${root}/${id}`, { method: 'PUT', headers, body: pieces, duplex: 'half' });
			expect(answer.status).to.equal(413);
			expect(await answer.json()).to.include({ error: 'binary/tooLarge' });
			expect((await download(id)).body.equals(bytes)).to.equal(true);
			expect(await kept()).to.have.length(1);
		});

		it('is taken with the right digest and tag', async () => {
			const extra = {
				'If-Match': `"${sha256Of(bytes).toString('hex')}"`,
				'Content-Digest': `md5=:YWJj:;a=1;b, sha-256=${digest}`,
				'Repr-Digest': `sha-256=${digest}`,
			};
			expect((await put('new', { headers: extra })).status).to.equal(201);
		});

		it('lets one of several that rely on the same version win', async () => {
			const extra = { 'If-Match': `"${sha256Of(bytes).toString('hex')}"` };
			const answers = await Promise.all(['1', '2', '3', '4'].map((text) => put(text, { headers: extra })));
			expect(answers.map(({ status }) => status).sort()).to.deep.equal([201, 412, 412, 412]);
		});

		it('is not for what has no bytes', async () => {
			const { body } = await fixture().call('admin', 'post', objects, { body: {} });
			expectRefusal(await fixture().call('admin', 'put', `${root}/${body.id}`, { text: 'x' }), 404, /has no bytes/);
			expectRefusal(await fixture().call('admin', 'delete', `${root}/${body.id}`), 404, /has no bytes/);
			expect(await kept()).to.have.length(1);
		});
	});

	it('survives uploads and removals of the same bytes at once', async () => {
		const { binaries } = fixture().services;
		for (let round = 0; round < 15; round++) {
			const old = await upload(fileForm(bytes));
			const [, answer] = await Promise.all([
				fixture()
					.call('admin', 'delete', `${root}/${old}`)
					.then(() => binaries.sweep()),
				fixture().call('admin', 'post', root, fileForm(bytes)),
				binaries.sweep(),
			]);
			expect(answer.status).to.equal(201);
			await binaries.sweep();
			expect((await download(answer.body.id)).body.equals(bytes), `round ${round}`).to.equal(true);
			await fixture().call('admin', 'delete', `${root}/${answer.body.id}`);
		}
		await binaries.sweep();
		expect(await kept()).to.deep.equal([]);
	});

	describe('with a limit of each tenant', () => {
		beforeEach(async () => {
			await reopen({ tenantMaxBytes: async () => 2500 });
		});

		it('counts different bytes once', async () => {
			for (const content of [bytes, bytes, Buffer.concat([bytes, bytes.subarray(0, 400)])]) await upload(fileForm(content));
			expectRefusal(await fixture().call('admin', 'post', root, fileForm('x'.repeat(200))), 413, /no room/);
			expect(await kept()).to.have.length(2);
			await upload(fileForm('x'.repeat(100)));
			await upload(fileForm('x'.repeat(2000)), 'otherAdmin');
		});

		it('holds for uploads at once', async () => {
			const forms = ['a', 'b', 'c', 'd', 'e'].map((letter) => fileForm(letter.repeat(1000)));
			const answers = await Promise.all(forms.map((form) => fixture().call('admin', 'post', root, form)));
			expect(answers.map(({ status }) => status).sort()).to.deep.equal([201, 201, 413, 413, 413]);
			expect(await kept()).to.have.length(2);
		});

		it('refuses a replacement by its length', async () => {
			const id = await upload(fileForm(bytes));
			expectRefusal(await fixture().call('admin', 'put', `${root}/${id}`, { text: 'x'.repeat(1501) }), 413, /no room/);
			expect((await fixture().call('admin', 'put', `${root}/${id}`, { text: 'x'.repeat(1500) })).status).to.equal(201);
		});
	});

	it('removes what ended processes left, and nothing else', async () => {
		const { binaries } = fixture().services;
		const id = await upload(fileForm(bytes));
		await binaries.receive(tenant, Readable.from([Buffer.from('left')]));
		fixture().time = Date.now();
		expect(await binaries.sweepLeftovers()).to.equal(0);
		fixture().time = Date.now() + 86_500_000;
		expect(await binaries.sweepLeftovers()).to.equal(1);
		expect((await download(id)).body.equals(bytes)).to.equal(true);
		expect(await kept()).to.have.length(1);
	});

	it('answers 503 and keeps nothing when the database fails', async () => {
		await fixture().call('admin', 'get', root);
		const receiving = fixture().call('admin', 'post', root, fileForm(bytes));
		await fixture().closeStore();
		const { status } = await receiving;
		expect(status).to.equal(503);
	});
});
