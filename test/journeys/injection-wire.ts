import { expect } from 'chai';
import type { StoredDocument } from '../../store/index.ts';
import { createBinaryClient, sha256Of } from '../support/binary-client.ts';
import { createAuthority } from '../support/certificate-chain.ts';
import { expectUnharmed, type InjectionFixture, openInjectionFixture } from '../support/injection/injection-fixture.ts';
import { answerFault, type RawAnswer } from '../support/injection/raw-http.ts';
import { exchange, packedZeros, zippedZeros } from '../support/injection/wire.ts';

const objects = '/inventory/managedObjects';
const json = { 'Content-Type': 'application/json' };

describe('journeys/injection-wire', function () {
	this.timeout(60_000);
	let fixture: InjectionFixture;
	let authorization = '';
	let stored: Record<string, StoredDocument> = {};
	before(async () => {
		fixture = await openInjectionFixture({ HTTP_REQUEST_TIMEOUT_SECONDS: '1' });
		authorization = `Basic ${Buffer.from(fixture.users.admin).toString('base64')}`;
		stored = await fixture.recorded.dump();
	});
	afterEach(() => expectUnharmed(fixture));
	after(() => fixture.close());

	const post = (headers: Readonly<Record<string, string | readonly string[]>>, body: string | Buffer, path = objects) =>
		fixture.http.call({ method: 'POST', path, user: fixture.users.admin, headers, body });
	const head = (lines: readonly string[]) =>
		[`POST ${objects} HTTP/1.1`, `Authorization: ${authorization}`, 'Content-Type: application/json', ...lines, '', ''].join(
			'\r\n',
		);
	const smuggled = `DELETE ${objects}/1000 HTTP/1.1\r\nHost: x\r\n\r\n`;

	/** Requests on which two programs could disagree where they end, or which no client writes. */
	const requests: readonly (readonly [what: string, bytes: () => string, statuses: readonly number[]])[] = [
		[
			'Content-Length and Transfer-Encoding',
			() => `${head(['Host: x', 'Content-Length: 4', 'Transfer-Encoding: chunked'])}0\r\n\r\n${smuggled}`,
			[400],
		],
		[
			'Transfer-Encoding, then Content-Length',
			() => `${head(['Host: x', 'Transfer-Encoding: chunked', 'Content-Length: 4'])}0\r\n\r\n${smuggled}`,
			[400],
		],
		['two lengths', () => `${head(['Host: x', 'Content-Length: 2', 'Content-Length: 40'])}{}${smuggled}`, [400]],
		['two lengths in one field', () => `${head(['Host: x', 'Content-Length: 2, 40'])}{}${smuggled}`, [400]],
		['a negative length', () => `${head(['Host: x', 'Content-Length: -1'])}{}`, [400]],
		['a length with a plus', () => `${head(['Host: x', 'Content-Length: +2'])}{}`, [400]],
		['a length of many digits', () => `${head(['Host: x', `Content-Length: ${'9'.repeat(40)}`])}{}`, [400]],
		['an unknown coding', () => `${head(['Host: x', 'Transfer-Encoding: xchunked'])}{}${smuggled}`, [400]],
		['chunked twice', () => `${head(['Host: x', 'Transfer-Encoding: chunked, identity'])}0\r\n\r\n${smuggled}`, [400]],
		['a chunk without a length', () => `${head(['Host: x', 'Transfer-Encoding: chunked'])}zz\r\n{}\r\n0\r\n\r\n`, [400]],
		[
			'a chunk of more than there is',
			() => `${head(['Host: x', 'Transfer-Encoding: chunked'])}ffffffffffffffffff\r\n{}\r\n`,
			[400],
		],
		['a space before the colon', () => `${head(['Host: x', 'Content-Length : 2'])}{}`, [400]],
		['a folded line', () => `${head(['Host: x', 'X-A: b', ' Content-Length: 2'])}{}`, [400]],
		['a NUL in a field', () => `${head(['Host: x', 'X-A: a\0b', 'Content-Length: 2'])}{}`, [400]],
		['a line feed in a field', () => `${head(['Host: x', 'X-A: a\nX-B: c', 'Content-Length: 2'])}{}`, [400]],
		['a carriage return in a field', () => `${head(['Host: x', 'X-A: a\rX-B: c', 'Content-Length: 2'])}{}`, [400]],
		['no host', () => `${head(['Content-Length: 2'])}{}`, [400]],
		['two hosts', () => `${head(['Host: x', 'Host: y', 'Content-Length: 2', 'Connection: close'])}{}`, [400]],
		['an unknown method', () => `BREW ${objects} HTTP/1.1\r\nHost: x\r\n\r\n`, [400]],
		['another version', () => `GET ${objects} HTTP/9.9\r\nHost: x\r\n\r\n`, [400]],
		['a space in the path', () => `GET ${objects} x HTTP/1.1\r\nHost: x\r\n\r\n`, [400]],
		['a NUL in the path', () => `GET ${objects}\0 HTTP/1.1\r\nHost: x\r\n\r\n`, [400]],
		['a length of less than there is', () => `${head(['Host: x', 'Content-Length: 2'])}{"name":"a"}`, [400]],
		['a field of 100 KB', () => `${head(['Host: x', `X-A: ${'a'.repeat(100_000)}`])}`, [431]],
		['10,000 fields', () => head(['Host: x', ...Array.from({ length: 10_000 }, (_, n) => `X-${n}: a`)]), [431]],
	];
	for (const [what, bytes, statuses] of requests) {
		it(`refuses a request with ${what}`, async () => {
			const answer = await exchange(fixture.service.urls.http, bytes());
			expect(answer.statuses, answer.text).to.deep.equal(statuses);
			expect(await fixture.recorded.dump()).to.deep.equal(stored);
		});
	}

	it('gives up on a body that does not come, and stores nothing of it', async () => {
		const answer = await exchange(fixture.service.urls.http, `${head(['Host: x', 'Content-Length: 100'])}{"name":"half`);
		expect(answer.statuses).to.deep.equal([408]);
		expect(await fixture.recorded.dump()).to.deep.equal(stored);
	});

	const names = [
		'__proto__',
		'constructor',
		'$where',
		'a/b/c/d',
		't1/admin/x',
		'a\u0000b',
		'../t1/admin',
		'',
		'/',
		"' OR 1=1 --",
		'\u202ea',
		'a\r\nb',
	];
	it('lets nobody in by a hostile name, password or token, and writes one line about each', async () => {
		for (const name of names) {
			const answer = await fixture.http.call({ method: 'GET', path: objects, user: `${name}:${name}` });
			expect([answer.status, answerFault(answer)], name).to.deep.equal([401, undefined]);
		}
		for (const value of [
			'Basic',
			'Basic \u00ff',
			'Basic ====',
			'Bearer a.b.c',
			'Bearer __proto__',
			'Digest username="a"',
			'Negotiate',
		]) {
			const answer = await fixture.http.call({ method: 'GET', path: objects, user: '', headers: { authorization: value } });
			expect([answer.status, answerFault(answer)], value).to.deep.equal([401, undefined]);
		}
		fixture.recorded.takeWrites();
		stored = await fixture.recorded.dump();
	});

	const headers: readonly Readonly<Record<string, string>>[] = [
		{ 'X-Forwarded-Host': 'evil.example"><script>' },
		{ 'X-Forwarded-Host': '__proto__/x' },
		{ 'X-Forwarded-Proto': 'javascript' },
		{ 'X-Forwarded-For': '__proto__, 1.2.3.4, \u00ff' },
		{ 'X-Forwarded-For': '999.999.999.999' },
		{ Host: 'a b' },
		{ Host: '$where:99999' },
		{ Cookie: '__proto__=polluted; constructor=polluted' },
		{ Cookie: `authorization=${'a'.repeat(5000)}` },
		{ Cookie: 'authorization="unclosed; XSRF-TOKEN=%00%zz' },
		{ 'X-HTTP-Method-Override': 'DELETE' },
		{ 'X-Method-Override': 'DELETE' },
		{ 'X-HTTP-Method': 'DELETE' },
		{ 'If-Match': '"\u00ff", __proto__' },
		{ Range: `bytes=${'0-1,'.repeat(1000)}5-6` },
		{ Accept: '__proto__;q=a,'.repeat(100) },
		{ 'Accept-Encoding': 'gzip;q=__proto__' },
		{ 'X-SSL-Cert-Chain': '-----BEGIN CERTIFICATE----- __proto__ -----END CERTIFICATE-----' },
		{ __proto__x: 'a', 'X-__proto__': 'a' },
	];
	for (const extra of headers) {
		it(`answers as if there were no ${JSON.stringify(extra).slice(0, 60)}`, async () => {
			const path = `${objects}/${fixture.ids.device}`;
			const answer = await fixture.http.call({ method: 'GET', path, user: fixture.users.admin, headers: extra });
			expect([answer.status, answerFault(answer)]).to.deep.equal([200, undefined]);
			expect(JSON.parse(answer.text).self).to.match(/^http:\/\/(127\.0\.0\.1:\d+|localhost)\/inventory\/managedObjects\/\d+$/);
			expect(await fixture.recorded.dump()).to.deep.equal(stored);
		});
	}

	it('reads over parameters that it does not know, and refuses those that come twice', async () => {
		const plain = await ask(`${objects}?type=none`);
		for (const query of [
			'type[$ne]=x',
			'a[b]=c',
			'__proto__[polluted]=1',
			'constructor.prototype.polluted=1',
			'$where=1',
			'%00=1',
			'__proto__=1',
		]) {
			const answer = await ask(`${objects}?type=none&${query}`);
			expect([answer.status, JSON.parse(answer.text).managedObjects], query).to.deep.equal([200, []]);
		}
		expect(plain.status).to.equal(200);
		for (const query of ['type=a&type=b', 'pageSize=1&pageSize=2', 'owner=a&owner=a']) {
			const answer = await ask(`${objects}?${query}`);
			expect(answer.status, query).to.equal(400);
			expect(JSON.parse(answer.text).message).to.match(/^(type|pageSize|owner) must be given once$/);
		}
		expect(await fixture.recorded.dump()).to.deep.equal(stored);
	});

	/** JSON is UTF-8, whatever the type says [RFC 8259, 8.1]: bytes that are another encoding are refused by themselves. */
	const types: readonly (readonly [string, Readonly<Record<string, string | readonly string[]>>, string | Buffer, number])[] = [
		['UTF-16 that says so', { 'Content-Type': 'application/json;charset=utf-16' }, Buffer.from('{"name":"a"}', 'utf16le'), 400],
		['UTF-16 that does not say so', json, Buffer.from('\ufeff{"name":"a"}', 'utf16le'), 400],
		['UTF-7 that says so', { 'Content-Type': 'application/json;charset=utf-7' }, '+AHsAIg-name', 400],
		['two types', { 'Content-Type': ['text/plain', 'application/json'] }, '{"name":"a"}', 415],
		['a type that is two', { 'Content-Type': 'text/plain, application/json' }, '{"name":"a"}', 415],
		['a type with a line end', { 'Content-Type': 'application/json\t' }, '{', 400],
		['a packing that is not there', { ...json, 'Content-Encoding': 'gzip' }, '{"name":"a"}', 400],
		['a packing of a packing', { ...json, 'Content-Encoding': 'gzip, gzip' }, '{"name":"a"}', 415],
		['an unknown packing', { ...json, 'Content-Encoding': '__proto__' }, '{"name":"a"}', 415],
		['a name twice, the second of which is forbidden', json, '{"a":1,"__proto__":{"polluted":true}}', 400],
	];
	for (const [what, extra, body, status] of types) {
		it(`refuses a body of ${what}`, async () => {
			const answer = await post(extra, body);
			expect([answer.status, answerFault(answer)], answer.text).to.deep.equal([status, undefined]);
			expect(await fixture.recorded.dump()).to.deep.equal(stored);
		});
	}

	it('takes the last of fields that come twice, as JSON.parse does everywhere', async () => {
		const answer = await post(json, '{"name":"first","name":"second"}');
		expect([answer.status, JSON.parse(answer.text).name]).to.deep.equal([201, 'second']);
		stored = await fixture.recorded.dump();
	});

	it('unpacks no more of a packed body than it may have, whatever it would become', async () => {
		const before = process.memoryUsage().rss;
		for (const [encoding, body] of Object.entries(packedZeros())) {
			const answer = await post({ ...json, 'Content-Encoding': encoding }, body);
			expect([answer.status, answerFault(answer)], encoding).to.deep.equal([413, undefined]);
		}
		// Making them takes 64 MiB here; unpacking one would take a gibibyte.
		expect(process.memoryUsage().rss - before).to.be.below(500 * 1024 * 1024);
		expect(await fixture.recorded.dump()).to.deep.equal(stored);
	});

	it('keeps a zip file of a gibibyte of zeros as the bytes that it is', async () => {
		const zip = zippedZeros();
		const binaries = createBinaryClient(fixture.service.urls.http, fixture.service.admin);
		const { id } = await binaries.upload(zip, 'zeros.zip');
		expect(sha256Of(await binaries.download(id))).to.equal(sha256Of(zip));
		await binaries.remove(id);
		stored = await fixture.recorded.dump();
	});

	const boundary = 'x-boundary';
	const form = (text: string, type = `multipart/form-data; boundary=${boundary}`, path = '/inventory/binaries') =>
		post({ 'Content-Type': type }, text, path);
	const filePart = (disposition: string, content = 'bytes') =>
		`--${boundary}\r\nContent-Disposition: ${disposition}\r\n\r\n${content}\r\n`;
	const end = `--${boundary}--\r\n`;

	/** Names are the client's own, and go out quoted: what they are made of harms neither the header nor a folder. */
	const fileNames: readonly (readonly [sent: string, name: string | RegExp])[] = [
		['../../etc/passwd', 'passwd'],
		['..\\..\\windows\\system32\\a.dll', 'a.dll'],
		['CON', 'CON'],
		['a\\"; filename=\\"b', 'a"; filename="b'],
		["'; DROP TABLE documents --", "'; DROP TABLE documents --"],
		['\u202egpj.exe', '\u202egpj.exe'],
		['', 'binary'],
		['=cmd|calc', '=cmd|calc'],
		['__proto__', '__proto__'],
		['%0d%0aX-Injected: 1', '%0d%0aX-Injected: 1'],
		['a\u0000b.exe', /^a/],
	];
	for (const [sent, name] of fileNames) {
		it(`takes a file of the name ${JSON.stringify(sent)} for a name`, async () => {
			const answer = await form(filePart(`form-data; name="file"; filename="${sent}"`) + end);
			expect([answer.status, answerFault(answer)], answer.text).to.deep.equal([201, undefined]);
			const { id, name: kept } = JSON.parse(answer.text);
			if (typeof name === 'string') expect(kept).to.equal(name);
			else expect(kept).to.match(name);
			const read = await ask(`/inventory/binaries/${id}`);
			expect([read.status, read.text, answerFault(read)]).to.deep.equal([200, 'bytes', undefined]);
			expect(read.headers['content-disposition']).to.match(/^attachment; filename=[^\r\n/]+$/);
			stored = await fixture.recorded.dump();
		});
	}

	const forms: readonly (readonly [what: string, text: string, type?: string])[] = [
		['a file name of 10,000 characters', filePart(`form-data; name="file"; filename="${'x'.repeat(10_000)}"`) + end],
		['a line end in a name', filePart('form-data; name="fi\r\nX-Injected: 1\r\nle"') + end],
		['a part without a name', filePart('form-data') + end],
		['a part of no disposition', `--${boundary}\r\n\r\nbytes\r\n${end}`],
		['a part of a prototype', filePart('form-data; name="__proto__"') + end],
		['two files', filePart('form-data; name="file"; filename="a"').repeat(2) + end],
		[
			'a description that is deep',
			filePart('form-data; name="file"; filename="a"') +
				filePart('form-data; name="object"', '['.repeat(10_000) + ']'.repeat(10_000)) +
				end,
		],
		[
			'a description of a prototype',
			filePart('form-data; name="file"; filename="a"') +
				filePart('form-data; name="object"', '{"__proto__":{"polluted":true}}') +
				end,
		],
		[
			'a description of a number that is too large',
			filePart('form-data; name="file"; filename="a"') + filePart('form-data; name="object"', '{"a":1e999}') + end,
		],
		['1,000 parts', filePart('form-data; name="a"').repeat(1000) + end],
		['another boundary', filePart('form-data; name="file"; filename="a"') + end, 'multipart/form-data; boundary=other'],
		['no boundary', filePart('form-data; name="file"; filename="a"') + end, 'multipart/form-data'],
		['an empty boundary', '----\r\n', 'multipart/form-data; boundary='],
		['a boundary of 1,000 characters', end, `multipart/form-data; boundary=${'x'.repeat(1000)}`],
		['no end', filePart('form-data; name="file"; filename="a"')],
		['nothing', ''],
		['100 KB of fields of a part', `--${boundary}\r\nX-A: ${'a'.repeat(100_000)}\r\n\r\nbytes\r\n${end}`],
	];
	for (const [what, text, type] of forms) {
		it(`refuses a form of ${what}`, async () => {
			const answer = await form(text, type);
			expect(answerFault(answer)).to.equal(undefined);
			expect(answer.status, answer.text).to.be.within(400, 422);
			expect(await fixture.recorded.dump()).to.deep.equal(stored);
		});
	}

	const files: readonly (readonly [what: string, csv: string, found: RegExp])[] = [
		['a quote that is never closed', 'ID,CREDENTIALS\n"a,b\n', /not CSV/],
		['100,001 columns', `${'ID,'.repeat(100_000)}ID\na\n`, /not CSV|column/],
		['a column twice', 'ID,ID,CREDENTIALS\na,b,long-enough\n', /'ID' .*twice/],
		['a prototype as a column', 'ID,__proto__\na,b\n', /'__proto__' is not known/],
		['a prototype as a column twice', 'ID,__proto__,__proto__\na,b,c\n', /'__proto__'/],
		['another delimiter', 'ID|CREDENTIALS\na|b\n', /must name the columns/],
		['a NUL as a delimiter', 'ID\0CREDENTIALS\na\0b\n', /must name the columns/],
		['bytes that are no UTF-8', Buffer.from('ID,NAME\na,\xff\xc0\xaf\n', 'latin1').toString('latin1'), /UTF-8/],
	];
	for (const [what, csv, found] of files) {
		it(`refuses a file of registrations of ${what}`, async () => {
			const answer = await register(Buffer.from(csv, what.includes('UTF-8') ? 'latin1' : 'utf8'));
			expect([answer.status, answerFault(answer)], answer.text).to.deep.equal([422, undefined]);
			expect(JSON.parse(answer.text).message).to.match(found);
			expect(await fixture.recorded.dump()).to.deep.equal(stored);
		});
	}

	it('refuses lines of registrations with hostile serials, and formulas, each by itself', async () => {
		const serials = ['a/b', 'a\u0000b', 'a+b', 'a#b', '', ' ', 'a:b', '../a', 'x'.repeat(300)];
		const lines = serials.map((serial) => `"${serial}",long-enough,"x"`);
		const refused = JSON.parse((await register(Buffer.from(`ID,CREDENTIALS,NAME\n${lines.join('\n')}\n`))).text);
		expect([refused.numberOfFailed, refused.numberOfCreated]).to.deep.equal([serials.length, 0]);
		expect(await fixture.recorded.dump()).to.deep.equal(stored);
		const formulas = ['=1+1', '@SUM(1)', '-1+1', '=cmd|calc', '+1', '\t=1'];
		for (const column of ['NAME', 'TYPE', 'PATH', 'IDTYPE', 'ICCID']) {
			const cells = formulas.map((formula, index) => `csv-${index},long-enough,"${formula}"`);
			const answer = JSON.parse((await register(Buffer.from(`ID,CREDENTIALS,${column}\n${cells.join('\n')}\n`))).text);
			expect([answer.numberOfFailed, answer.numberOfCreated], column).to.deep.equal([formulas.length, 0]);
			expect(answer.failedCreationList[0].failureReason).to.match(new RegExp(`${column} begins with .* formula`));
		}
		const ids = formulas.map((formula) => `"${formula}",long-enough`);
		expect(JSON.parse((await register(Buffer.from(`ID,CREDENTIALS\n${ids.join('\n')}\n`))).text).numberOfCreated).to.equal(0);
		expect(await fixture.recorded.dump()).to.deep.equal(stored);
		// Nobody sees a password again, and these are names.
		const names = ['__proto__', '$where', 'a=b', '1-2'];
		const good = names.map((name, index) => `csv-${index},=long-enough,"${name}"`);
		const taken = JSON.parse((await register(Buffer.from(`\ufeffID,CREDENTIALS,NAME\r\n${good.join('\r\n')}`))).text);
		expect(taken).to.include({ numberOfFailed: 0, numberOfCreated: names.length });
		for (const [index, name] of names.entries())
			expect((await fixture.service.operator.objectOf(`csv-${index}`)).name).to.equal(name);
		stored = await fixture.recorded.dump();
	});

	it('gives no CSV out, in which a formula could begin to live', async () => {
		const description = JSON.parse((await ask('/service/advanced-software-mgmt/openapi.json')).text);
		const answers = JSON.stringify(description).match(
			/"(text\/csv|text\/tab-separated-values|application\/vnd\.[^"]*sheet[^"]*)"/g,
		);
		expect(answers, 'quote what begins with = + - @ tab or return before a file of this kind is given out').to.equal(null);
	});

	const enrolments = [
		'',
		'a',
		'-----BEGIN CERTIFICATE REQUEST-----\n__proto__\n-----END CERTIFICATE REQUEST-----',
		'\0'.repeat(1000),
		'A'.repeat(60_000),
		'{"__proto__":1}',
	];
	it('signs nothing that is no request, for no hostile name', async () => {
		for (const user of [...names, 'serial-1'])
			for (const body of enrolments) {
				const answer = await fixture.http.call({
					method: 'POST',
					path: '/.well-known/est/simpleenroll',
					user: `${user}:x`,
					headers: { 'Content-Type': 'application/pkcs10' },
					body,
				});
				expect([answer.status === 401 || answer.status === 429, answerFault(answer)], answer.text).to.deep.equal([
					true,
					undefined,
				]);
			}
		// Who was refused is on record.
		const isRecord = (key: string) => key.startsWith('auditRecords ');
		const left = Object.entries(await fixture.recorded.dump()).filter(([key]) => !isRecord(key));
		expect(Object.fromEntries(left)).to.deep.equal(Object.fromEntries(Object.entries(stored).filter(([key]) => !isRecord(key))));
		stored = await fixture.recorded.dump();
	});

	it('keeps hostile names of certificates, and hostile subjects, as what they are', async () => {
		const root = '/tenant/tenants/t1/trusted-certificates';
		for (const name of ['a\r\nX-Injected: 1', 'a\0b', '../t1/admin', '__proto__', '\u202ea', '\u001b[2J', "' OR 1=1 --"]) {
			const bytes = Buffer.from(name);
			const subject = `CN=#0c${Buffer.from([bytes.length]).toString('hex')}${bytes.toString('hex')}`;
			const { pem } = await createAuthority('hostile', { subject });
			const answer = await post(json, JSON.stringify({ name, certInPemFormat: pem }), root);
			expect(answerFault(answer), answer.text).to.equal(undefined);
			const kept = JSON.parse(answer.text);
			expect([answer.status, kept.name], name).to.deep.equal([201, name]);
			const again = await post(json, JSON.stringify({ name, certInPemFormat: pem }), root);
			expect([again.status, answerFault(again)], again.text).to.deep.equal([409, undefined]);
		}
		stored = await fixture.recorded.dump();
	});

	it('still answers', async () => {
		expect((await ask('/ready')).status).to.equal(200);
	});

	function ask(path: string): Promise<RawAnswer> {
		return fixture.http.call({ method: 'GET', path, user: fixture.users.admin });
	}

	function register(csv: Buffer): Promise<RawAnswer> {
		const [start = '', rest = ''] = filePart('form-data; name="file"; filename="a.csv"', 'SPLIT').split('SPLIT');
		const body = Buffer.concat([Buffer.from(start), csv, Buffer.from(rest + end)]);
		return post({ 'Content-Type': `multipart/form-data; boundary=${boundary}` }, body, '/devicecontrol/bulkNewDeviceRequests');
	}
});
