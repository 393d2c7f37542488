import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { basic, type CallOptions } from '../support/checked-http-client.ts';
import { credentials, type HttpFixture, openHttpFixture } from '../support/http-fixture.ts';

const path = '/inventory/managedObjects';

describe('http/request-bodies', () => {
	let fixture: HttpFixture;
	before(async () => {
		fixture = await openHttpFixture({ bodyMaxBytes: 10_000, jsonMaxDepth: 10 });
	});
	after(() => fixture.close());

	const types = [
		'application/json',
		'APPLICATION/JSON',
		'application/json;charset=UTF-8',
		'application/json;',
		'application/vnd.com.nsn.cumulocity.managedObject+json',
		'application/vnd.com.nsn.cumulocity.managedobject+json;ver=0.9;charset=UTF-8',
		'Application/Vnd.com.nsn.cumulocity.managedObject+JSON; ',
	];
	for (const type of types) {
		it(`reads '${type}'`, async () => {
			const { status, body } = await fixture.call('admin', 'post', path, { text: '{"name":"ä"}', type });
			expect([status, body.name]).to.deep.equal([201, 'ä']);
		});
	}

	it('reads a packed body, and one with a byte order mark', async () => {
		const packed = { text: gzipSync('{"name":"packed"}'), headers: { 'Content-Encoding': 'gzip' } };
		expect((await fixture.call('admin', 'post', path, packed)).body.name).to.equal('packed');
		expect((await fixture.call('admin', 'post', path, { text: '\uFEFF{"name":"marked"}' })).body.name).to.equal('marked');
	});

	it('reads a body that comes in pieces of unknown length, and does without one where none is needed', async () => {
		const headers = { Authorization: basic(credentials.admin), 'Content-Type': 'application/json' };
		const pieces = new ReadableStream({
			start: (controller) => {
				for (const piece of ['{"na', 'me":"pie', 'ces"}']) controller.enqueue(new TextEncoder().encode(piece));
				controller.close();
			},
		});
		const answer = await fetch(fixture.url + path, { method: 'POST', headers, body: pieces, duplex: 'half' });
		expect([answer.status, await answer.json()]).to.have.nested.property('[1].name', 'pieces');
		const empty = await fetch(`${fixture.url}${path}/1`, { method: 'DELETE', headers: { ...headers, 'Content-Length': '0' } });
		expect(empty.status).to.equal(404);
	});

	it('answers whatever Accept says, and lets GET carry a Content-Type', async () => {
		for (const headers of [
			{ Accept: 'image/png' },
			{ Accept: 'application/vnd.com.nsn.cumulocity.user+json;' },
			{ Accept: ';;q' },
		]) {
			expect((await fixture.call('admin', 'get', path, { headers })).status).to.equal(200);
		}
		for (const type of ['application/json', 'multipart/form-data', 'x']) {
			expect((await fixture.call('admin', 'get', path, { headers: { 'Content-Type': type } })).status).to.equal(200);
		}
		expect((await fixture.call('admin', 'delete', `${path}/1`, { text: '{', type: 'text/plain' })).status).to.equal(404);
	});

	const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
	const bad: readonly (readonly [what: string, options: CallOptions, status: number, message: RegExp])[] = [
		['no body', {}, 400, /empty/],
		['an empty body', { text: '' }, 400, /empty/],
		['white space', { text: ' \n ' }, 400, /line 2, column 2: expected a value, found the end/],
		['no value', { text: '{"a":}' }, 400, /line 1, column 6: expected a value, found '}'/],
		['no colon', { text: '{"a" 1}' }, 400, /column 6: expected a colon, found '1'/],
		['no comma', { text: '{"a":1 "b":2}' }, 400, /column 8: expected a comma or '}', found '"'/],
		['a comma too many', { text: '{"a":1,}' }, 400, /column 8: expected a field name in double quotes, found '}'/],
		['a comma too many in an array', { text: '[1,\n2,]' }, 400, /line 2, column 3: expected a value, found ']'/],
		['a field without quotes', { text: '{a:1}' }, 400, /column 2: expected a field name in double quotes, found 'a'/],
		['single quotes', { text: "{'a':1}" }, 400, /column 2/],
		['an open object', { text: '{"a":1' }, 400, /column 7: expected a comma or '}', found the end/],
		['an open array', { text: '[[1]' }, 400, /column 5: expected a comma or '\]', found the end/],
		['an open text', { text: '{"a":"b' }, 400, /column 8: expected a closing quote, found the end/],
		['a wrong escape', { text: '{"a":"\\x"}' }, 400, /column 8: expected an escape that JSON knows, found 'x'/],
		['a line end in a text', { text: '{"a":"x\ny"}' }, 400, /column 8: expected an escaped control character/],
		['a wrong number', { text: '{"a":01}' }, 400, /column 7: expected a comma or '}', found '1'/],
		['a plus', { text: '{"a":+1}' }, 400, /column 6: expected a value, found '\+'/],
		['a minus alone', { text: '{"a":-}' }, 400, /column 6: expected a value/],
		['NaN', { text: '{"a":NaN}' }, 400, /column 6: expected a value, found 'N'/],
		['a wrong literal', { text: '[tru]' }, 400, /column 2: expected a value/],
		['two values', { text: '{}{}' }, 400, /column 3: expected the end of the body, found '{'/],
		['a comment', { text: '{} // no' }, 400, /column 4: expected the end of the body/],
		['an emoji', { text: '[😀]' }, 400, /column 2: expected a value, found '😀'/],
		['bytes that are not UTF-8', { text: Buffer.from([0x22, 0xc3, 0x28, 0x22]) }, 400, /UTF-8/],
		['a number that no JSON can give back', { text: '{"a":{"b":[1,1e999]}}' }, 400, /at 'a\.b\[1\]' a number that is too large/],
		['half of a character', { text: '{"a":{"b":"\\ud800"}}' }, 400, /at 'a\.b' half of a character/],
		['a name with half of a character', { text: '{"a":{"\\udfff":1}}' }, 400, /at 'a\.\ufffd' a name with half of a character/],
		['too many levels', { text: nested(11) }, 400, /at most 10 levels/],
		['very many levels', { text: '['.repeat(9000) }, 400, /expected a value or|expected a value/],
		['too many bytes', { body: { name: 'x'.repeat(10_000) } }, 413, /at most 10000 bytes/],
		[
			'too many bytes once unpacked',
			{ text: gzipSync(' '.repeat(1_000_000)), headers: { 'Content-Encoding': 'gzip' } },
			413,
			/at most 10000 bytes/,
		],
		['a broken pack', { text: Buffer.from('abc'), headers: { 'Content-Encoding': 'gzip' } }, 400, /packed/],
		['an unknown packing', { text: '{}', headers: { 'Content-Encoding': 'zstd-x' } }, 415, /Content-Encoding/],
		['text', { text: '{}', type: 'text/plain' }, 415, /send application\/json/],
		['a form', { text: 'a=1', type: 'application/x-www-form-urlencoded' }, 415, /application\/x-www-form-urlencoded/],
		['a multipart form', { text: '--x', type: 'multipart/form-data' }, 415, /multipart/],
	];
	for (const [what, options, status, message] of bad) {
		it(`refuses ${what} with ${status}`, async () => {
			const answer = await fixture.call('admin', 'post', path, options);
			expect(answer.status).to.equal(status);
			expect(answer.body.message).to.match(message);
		});
	}

	it('takes as many levels as it says', async () => {
		expect((await fixture.call('admin', 'post', path, { text: nested(10) })).status).to.equal(201);
	});

	it('is not harmed by the names of what every object has', async () => {
		for (const name of ['constructor', 'prototype']) {
			const top = await fixture.call('admin', 'post', path, { text: `{"${name}":{"polluted":true}}` });
			expect(top.status).to.equal(422);
			const inside = await fixture.call('admin', 'post', path, { text: `{"a":{"${name}":{"polluted":true}}}` });
			expect(inside.status).to.equal(201);
			const operation = { text: `{"deviceId":"${inside.body.id}","${name}":{"polluted":true}}` };
			expect((await fixture.call('admin', 'post', '/devicecontrol/operations', operation)).status).to.equal(422);
		}
		for (const text of ['{"__proto__":{"polluted":true}}', '{"a":{"__proto__":{"polluted":true}}}']) {
			const { status, body } = await fixture.call('admin', 'post', path, { text });
			expect([status, body.message]).to.have.property('0', 400);
			expect(body.message).to.match(/__proto__' a name that no field can have/);
			expect((await fixture.call('admin', 'post', '/devicecontrol/operations', { text })).status).to.equal(400);
		}
		for (const name of ['toString', 'hasOwnProperty', '__defineGetter__', 'valueOf']) {
			const { status, body } = await fixture.call('admin', 'post', path, { text: `{"${name}":{"a":1}}` });
			expect([status, body[name]]).to.deep.equal([201, { a: 1 }]);
			const operation = { body: { deviceId: body.id, [name]: { a: 1 } } };
			expect((await fixture.call('admin', 'post', '/devicecontrol/operations', operation)).status).to.equal(201);
		}
		expect({}).not.to.have.property('polluted');
	});

	it('answers in the host of the client, and of a proxy', async () => {
		const { body } = await fixture.call('admin', 'post', path, { body: {} });
		const selfFor = async (headers: Record<string, string>) =>
			(await fixture.call('admin', 'get', `${path}/${body.id}`, { headers })).body.self.replace(`${path}/${body.id}`, '');
		expect(await selfFor({ Host: 'c8y.example.com:8080' })).to.equal('http://c8y.example.com:8080');
		expect(await selfFor({ 'X-Forwarded-Host': 'a.example.com', 'X-Forwarded-Proto': 'https' })).to.equal(
			'https://a.example.com',
		);
		expect(await selfFor({ 'X-Forwarded-Host': 'a.example.com, b', 'X-Forwarded-Proto': 'https,http' })).to.equal(
			'https://a.example.com',
		);
		expect(await selfFor({ 'X-Forwarded-Host': '[::1]:8443' })).to.equal('http://[::1]:8443');
		expect(await selfFor({ 'X-Forwarded-Host': 'evil"/><script>', 'X-Forwarded-Proto': 'javascript' })).to.equal(fixture.url);
	});
});
