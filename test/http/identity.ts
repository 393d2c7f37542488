import { expect } from 'chai';
import { expectRefusal, type HttpFixture, openHttpFixture } from '../support/http-fixture.ts';
import { fileForm } from '../support/multipart.ts';

describe('http/identity', () => {
	let fixture: HttpFixture;
	let id: string;
	let path: string;
	before(async () => {
		fixture = await openHttpFixture();
	});
	after(() => fixture.close());
	beforeEach(async () => {
		id = (await fixture.call('admin', 'post', '/inventory/managedObjects', { body: {} })).body.id;
		path = `/identity/globalIds/${id}/externalIds`;
	});

	const bind = (type: string, externalId: string) => fixture.call('admin', 'post', path, { body: { type, externalId } });

	/** External ids, and the ways in which clients write them in a path. */
	const rows: readonly (readonly [externalId: string, inPath: readonly string[]])[] = [
		['plain', ['plain', 'pl%61in', 'plain/']],
		['main:device:child:service:x', ['main:device:child:service:x', 'main%3Adevice%3Achild%3Aservice%3Ax']],
		['a b', ['a%20b']],
		['a+b', ['a+b', 'a%2Bb']],
		['a/b', ['a%2Fb', 'a%2fb']],
		['100%', ['100%25']],
		['ä☃', ['%C3%A4%E2%98%83']],
		['a?b#c&d=e', ['a%3Fb%23c%26d%3De']],
		["it's (x) [y]*~!$,;@", ["it's%20(x)%20%5By%5D*~!$,;@"]],
	];
	for (const [externalId, inPath] of rows) {
		it(`finds '${externalId}' however it is written, and removes it`, async () => {
			const made = await bind('c8y_Serial', externalId);
			expect(made.status).to.equal(201);
			const self = `${fixture.url}/identity/externalIds/c8y_Serial/${encodeURIComponent(externalId)}`;
			const object = { id, self: `${fixture.url}/inventory/managedObjects/${id}` };
			expect(made.body).to.deep.equal({ type: 'c8y_Serial', externalId, managedObject: object, self });
			expect((await fixture.call('admin', 'get', path)).body).to.deep.equal({
				externalIds: [made.body],
				self: fixture.url + path,
			});
			for (const written of [...inPath, encodeURIComponent(externalId)]) {
				const found = await fixture.call('admin', 'get', `/identity/externalIds/c8y_Serial/${written}`);
				expect(found.body, written).to.deep.equal(made.body);
			}
			const written = `/identity/externalIds/c8y_Serial/${inPath[0]}`;
			expect((await fixture.call('admin', 'delete', written)).status).to.equal(204);
			expect((await fixture.call('admin', 'get', written)).status).to.equal(404);
			expect((await fixture.call('admin', 'delete', written)).status).to.equal(404);
		});
	}

	it('keeps several external ids of one object, and one object for each', async () => {
		expect((await bind('c8y_Serial', 'one')).status).to.equal(201);
		expect((await bind('other/type', 'one')).status).to.equal(201);
		expect((await bind('c8y_Serial', 'one')).status).to.equal(409);
		expect((await fixture.call('admin', 'get', path)).body.externalIds).to.have.length(2);
		expect((await fixture.call('admin', 'get', '/identity/externalIds/other%2Ftype/one')).body.managedObject.id).to.equal(id);
	});

	it('refuses more external ids of one object than it may have, from a file of devices, too', async () => {
		expect((await bind('c8y_Serial', `serial-${id}`)).status).to.equal(201);
		const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => bind('t', `${id}-${index}`)));
		expect(answers.map(({ status }) => status).sort()).to.deep.equal([...Array(9).fill(201), ...Array(3).fill(422)]);
		const refusal = new RegExp(`'${id}' has 10 external ids already, and at most 10 are allowed \\(EXTERNAL_IDS_MAX\\)`);
		expectRefusal(await bind('t', 'one more'), 422, refusal);
		const file = fileForm(`ID,CREDENTIALS,IDTYPE\nserial-${id},password-1,imei\n`);
		const { body } = await fixture.call('admin', 'post', '/devicecontrol/bulkNewDeviceRequests', file);
		expect(body.lines[0].failureReason).to.match(refusal);
		expect((await fixture.call('admin', 'get', path)).body.externalIds).to.have.length(10);
	});

	const bad: readonly (readonly [body: unknown, message: RegExp])[] = [
		[{}, /type must be text, found nothing; externalId must be text, found nothing/],
		[{ type: 'x' }, /externalId must be text/],
		[{ type: 1, externalId: 'x' }, /type must be text, found the number 1/],
		[{ type: 'x', externalId: null }, /externalId must be text, found null/],
		[{ type: '', externalId: 'x' }, /type must have 1 to/],
		[{ type: 'x', externalId: 'x'.repeat(2000) }, /externalId must have 1 to/],
		[{ type: 'x', externalId: 'a\nb' }, /control character/],
		[[], /The body must be an object, found an array/],
		['x', /The body must be an object/],
	];
	for (const [body, message] of bad) {
		it(`refuses ${JSON.stringify(body).slice(0, 60)}`, async () => {
			const answer = await fixture.call('admin', 'post', path, { body });
			expectRefusal(answer, 422, message);
			expect((await fixture.call('admin', 'get', path)).body.externalIds).to.deep.equal([]);
		});
	}

	it('knows nothing of objects that are not there', async () => {
		const body = { type: 'x', externalId: 'y' };
		for (const unknown of ['1', 'abc']) {
			expect((await fixture.call('admin', 'post', `/identity/globalIds/${unknown}/externalIds`, { body })).status).to.equal(404);
			expect((await fixture.call('admin', 'get', `/identity/globalIds/${unknown}/externalIds`)).status).to.equal(404);
		}
		expect((await fixture.call('otherAdmin', 'post', path, { body })).status).to.equal(404);
	});
});
