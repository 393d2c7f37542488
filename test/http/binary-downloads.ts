import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { bytes, binariesPath as root, useBinaryFixture } from '../support/binary-fixture.ts';
import { expectRefusal } from '../support/http-fixture.ts';
import { fileForm, multipart } from '../support/multipart.ts';

const objects = '/inventory/managedObjects';

describe('http/binary-downloads', () => {
	const { fixture, upload, download } = useBinaryFixture();
	beforeEach(async () => {
		id = await upload(fileForm(bytes, { name: 'tool.deb', type: 't' }));
		tag = `"${sha256.toString('hex')}"`;
	});

	let id: string;
	let tag: string;
	const sha256 = createHash('sha256').update(bytes).digest();
	const repr = `sha-256=:${sha256.toString('base64')}:`;

	it('has all that tells what it is', async () => {
		for (const accept of ['application/json', '*/*', 'image/png']) {
			const answer = await download(id, { accept });
			expect(answer.status).to.equal(200);
			expect(Object.fromEntries(answer.headers)).to.include({
				'content-length': '1000',
				'content-type': 'application/octet-stream',
				'content-disposition': 'attachment; filename="tool.deb"',
				'accept-ranges': 'bytes',
				etag: tag,
				'last-modified': 'Sat, 21 Nov 2026 20:23:30 GMT',
				'repr-digest': repr,
				'content-digest': repr,
				'x-content-type-options': 'nosniff',
			});
		}
	});

	it('answers HEAD with the same head and no body', async () => {
		const answer = await fixture().call('admin', 'head', `${root}/${id}`);
		expect(answer.status).to.equal(200);
		expect(answer.headers).to.include({ 'content-length': '1000', etag: tag, 'repr-digest': repr });
		expect(answer.headers).not.to.have.property('content-digest');
	});

	const ranges: readonly (readonly [string, Readonly<Record<string, string>>, number, number, number])[] = [
		['the first byte', { range: 'bytes=0-0' }, 206, 0, 0],
		['the rest', { range: 'bytes=990-' }, 206, 990, 999],
		['the last ones', { range: 'bytes=-10' }, 206, 990, 999],
		['more last ones than there are', { range: 'bytes=-5000' }, 206, 0, 999],
		['an end behind the end', { range: 'bytes=500-5000' }, 206, 500, 999],
		['another unit', { range: 'lines=1-2' }, 200, 0, 999],
		['several parts', { range: 'bytes=0-1,5-6' }, 200, 0, 999],
		['nonsense', { range: 'bytes=a-b' }, 200, 0, 999],
		['an end before its beginning', { range: 'bytes=7-5' }, 200, 0, 999],
		['an end before its beginning behind a good one', { range: 'bytes=0-1,7-5' }, 200, 0, 999],
		['a dash alone', { range: 'bytes=-' }, 200, 0, 999],
		['two dashes', { range: 'bytes=--5' }, 200, 0, 999],
		['three numbers', { range: 'bytes=1-2-3' }, 200, 0, 999],
		['a space inside', { range: 'bytes=1 -2' }, 200, 0, 999],
		['a space before the equals sign', { range: 'bytes =1-2' }, 200, 0, 999],
		['nothing', { range: 'bytes=' }, 200, 0, 999],
		['a unit in capitals', { range: 'Bytes=5-6' }, 206, 5, 6],
		['spaces around', { range: 'bytes= 5-6 ' }, 206, 5, 6],
		['an end of many digits', { range: `bytes=990-${'9'.repeat(100)}` }, 206, 990, 999],
		['an old version', { range: 'bytes=5-6', 'if-range': '"x"' }, 200, 0, 999],
		['a weak tag', { range: 'bytes=5-6', 'if-range': 'W/"x"' }, 200, 0, 999],
		['an older date', { range: 'bytes=5-6', 'if-range': 'Sat, 21 Nov 2026 20:23:29 GMT' }, 200, 0, 999],
		['this date', { range: 'bytes=5-6', 'if-range': 'Sat, 21 Nov 2026 20:23:30 GMT' }, 206, 5, 6],
	];
	for (const [what, extra, status, start, end] of ranges) {
		it(`answers a range: ${what}`, async () => {
			const answer = await download(id, extra);
			expect(answer.status).to.equal(status);
			expect(answer.body.equals(bytes.subarray(start, end + 1))).to.equal(true);
			expect(answer.headers.get('content-length')).to.equal(String(end - start + 1));
			expect(answer.headers.get('content-range')).to.equal(status === 206 ? `bytes ${start}-${end}/1000` : null);
			expect(answer.headers.get('repr-digest')).to.equal(repr);
			expect(answer.headers.get('content-digest')).to.equal(status === 206 ? null : repr);
		});
	}

	it('answers a range of the version that the client has', async () => {
		expect((await download(id, { range: 'bytes=5-6', 'if-range': tag })).status).to.equal(206);
	});

	it('refuses ranges that begin behind the end', async () => {
		for (const range of ['bytes=1000-', 'bytes=5000-6000', 'bytes=-0', `bytes=${'9'.repeat(100)}-`]) {
			const answer = await fixture().call('admin', 'get', `${root}/${id}`, { headers: { Range: range } });
			expectRefusal(answer, 416, /has 1000 bytes/);
			expect(answer.headers['content-range']).to.equal('bytes */1000');
		}
	});

	it('answers conditions', async () => {
		const date = 'Sat, 21 Nov 2026 20:23:30 GMT';
		const earlier = 'Sat, 21 Nov 2026 20:23:29 GMT';
		const conditions: readonly (readonly [Readonly<Record<string, string>>, number])[] = [
			[{ 'If-None-Match': tag }, 304],
			[{ 'If-None-Match': `"x", W/${tag}` }, 304],
			[{ 'If-None-Match': '*' }, 304],
			[{ 'If-None-Match': tag, 'Cache-Control': 'no-cache' }, 304],
			[{ 'If-None-Match': '"x"' }, 200],
			[{ 'If-None-Match': '"x"', 'If-Modified-Since': date }, 200],
			[{ 'If-Modified-Since': date }, 304],
			[{ 'If-Modified-Since': earlier }, 200],
			[{ 'If-Match': tag }, 200],
			[{ 'If-Match': '*' }, 200],
			[{ 'If-Match': `"x", ${tag}` }, 200],
			[{ 'If-Match': '"x"' }, 412],
			[{ 'If-Match': `W/${tag}` }, 412],
			[{ 'If-Unmodified-Since': date }, 200],
			[{ 'If-Unmodified-Since': earlier }, 412],
			[{ 'If-Unmodified-Since': 'never' }, 200],
		];
		for (const [extra, status] of conditions) {
			const answer = await fixture().call('admin', 'get', `${root}/${id}`, { headers: extra });
			expect(answer.status, JSON.stringify(extra)).to.equal(status);
			if (status === 304) expect(answer.headers.etag).to.equal(tag);
		}
	});

	const names: readonly (readonly [string, string])[] = [
		['a"b\\c.deb', 'attachment; filename="a\\"b_c.deb"'],
		['a\r\nSet-Cookie: x=y', 'attachment; filename="a__Set-Cookie: x=y"'],
		['../../etc/passwd', 'attachment; filename=".._.._etc_passwd"'],
		['grün.deb', 'attachment; filename="gr_n.deb"; filename*=UTF-8\'\'gr%C3%BCn.deb'],
		['', 'attachment; filename="binary"'],
	];
	for (const [name, disposition] of names) {
		it(`quotes the name ${JSON.stringify(name)}`, async () => {
			const answer = await download(await upload(fileForm('x', { name })));
			expect(answer.headers.get('content-disposition')).to.equal(disposition);
		});
	}

	it('answers 404 for what is no binary', async () => {
		const other = await fixture().call('admin', 'post', objects, { body: { c8y_IsBinary: '' } });
		for (const [path, message] of [
			[other.body.id, /has no bytes/],
			['999999', /No managed object/],
			['x', /decimal digits/],
		] as const)
			expectRefusal(await fixture().call('admin', 'get', `${root}/${path}`), 404, message);
	});

	it('takes a content type that is no header value for bytes', async () => {
		const odd = await upload(multipart({ name: 'file', fileName: 'a', type: 'text/ht\u00e4ml', content: 'x' }));
		expect((await download(odd)).headers.get('content-type')).to.equal('application/octet-stream');
	});
});
