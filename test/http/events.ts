import { expect } from 'chai';
import { parseManagedObjectId } from '../../inventory/index.ts';
import { basic } from '../support/checked-http-client.ts';
import { type Caller, credentials, expectRefusal, type HttpFixture, openHttpFixture, tenant } from '../support/http-fixture.ts';
import { fileForm, multipart } from '../support/multipart.ts';

const path = '/event/events';
const log = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 256));

describe('http/events', () => {
	let fixture: HttpFixture;
	let device: string;

	async function open(options: Parameters<typeof openHttpFixture>[1] = {}): Promise<void> {
		fixture = await openHttpFixture({}, options);
		device = await fixture.createDevice({ name: 'pump' });
	}
	function useOneFixture(): void {
		before(() => open());
		after(() => fixture.close());
	}
	function useFixtureEach(): void {
		beforeEach(() => open());
		afterEach(() => fixture.close());
	}

	async function reopen(options: Parameters<typeof openHttpFixture>[1]): Promise<void> {
		await fixture.close();
		await open(options);
	}

	const bodyOf = (more: object = {}) => ({
		source: { id: device },
		type: 'software_update_op_log',
		time: '2026-11-21T10:00:00.5+02:00',
		text: 'c8y_SoftwareUpdate operation log',
		...more,
	});
	const post = (more?: object, caller: Caller = 'admin') => fixture.call(caller, 'post', path, { body: bodyOf(more) });
	const get = (query: string, caller: Caller = 'admin') => fixture.call(caller, 'get', `${path}${query}`);

	async function create(more?: object): Promise<string> {
		const { status, body, text } = await post(more);
		expect(status, text).to.equal(201);
		return body.id;
	}

	async function createWithFile(content: string | Buffer = log): Promise<string> {
		const id = await create();
		expect((await fixture.call('admin', 'post', `${path}/${id}/binaries`, fileForm(content))).status).to.equal(201);
		return id;
	}

	const textsOf = async (query: string) => (await get(query)).body.events.map(({ text }: { readonly text: string }) => text);

	/** Bodies are read as they are, whatever their type says. */
	async function download(id: string, headers: Readonly<Record<string, string>> = {}) {
		const answer = await fetch(`${fixture.url}${path}/${id}/binaries`, {
			headers: { authorization: basic(credentials.admin), ...headers },
		});
		return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
	}

	/** How many contents there are when nothing is kept without need. */
	async function kept(): Promise<number> {
		const { binaries } = fixture.services;
		// It looks for none, and the sweep after it does not rely on having heard of what went.
		await binaries.sweepLeftovers(0);
		await binaries.sweep();
		let count = 0;
		for await (const _ of fixture.contents.list()) count++;
		return count;
	}

	describe('an event', () => {
		useOneFixture();

		it('is created with its fragments, and read again', async () => {
			const { status, body, headers } = await post({ x_Fragment: { a: [1] }, nothing: null });
			expect(status).to.equal(201);
			expect(body).to.deep.equal({
				id: body.id,
				self: `${fixture.url}${path}/${body.id}`,
				source: { id: device, self: `${fixture.url}/inventory/managedObjects/${device}` },
				type: 'software_update_op_log',
				time: '2026-11-21T08:00:00.500Z',
				text: 'c8y_SoftwareUpdate operation log',
				creationTime: '2026-11-21T20:23:30.412Z',
				lastUpdated: '2026-11-21T20:23:30.412Z',
				x_Fragment: { a: [1] },
			});
			expect(body.id).to.match(/^[0-9]+$/);
			expect(headers.location).to.equal(body.self);
			expect((await get(`/${body.id}`)).body).to.deep.equal(body);
		});

		it('is created with a slash behind the path, and by a source that is a number', async () => {
			const body = bodyOf({ source: { id: Number(device) } });
			const answer = await fixture.call('admin', 'post', `${path}/`, { body });
			expect([answer.status, answer.body.source.id]).to.deep.equal([201, device]);
		});

		it('says of itself only what is the client’s to say', async () => {
			const sent = { id: '77', self: 'x', creationTime: 'x', lastUpdated: 'x', c8y_IsBinary: { name: 'x', length: 1 } };
			const { body } = await post(sent);
			expect(body).not.to.have.property('c8y_IsBinary');
			expect([body.id, body.self, body.creationTime]).not.to.include.members(['77', 'x']);
		});

		const refused: readonly (readonly [what: string, more: object, status: number, message: RegExp])[] = [
			['no source', { source: undefined }, 422, /^source must be an object, found nothing/],
			['a source that is no object', { source: '1' }, 422, /^source must be an object, found '1'/],
			['a source without id', { source: {} }, 422, /^source\.id must be a text of digits/],
			['an unknown source', { source: { id: '999999' } }, 422, /^source\.id '999999' names no managed object/],
			['a source that is no id', { source: { id: 'a/b' } }, 422, /^source\.id 'a\/b' names no managed object/],
			['no type', { type: undefined }, 422, /^type must be text, found nothing/],
			['an empty type', { type: '' }, 422, /^type is empty/],
			['a long type', { type: 'x'.repeat(1025) }, 422, /^type is too long/],
			['no text', { text: undefined }, 422, /^text must be text, found nothing/],
			['a text that is a number', { text: 5 }, 422, /^text must be text, found the number 5/],
			['no time', { time: undefined }, 422, /^time must be text, found nothing/],
			['a time that is none', { time: 'yesterday' }, 422, /^time must be a time such as 2026/],
			['a fragment with a dot', { 'a.b': 1 }, 422, /'a\.b' cannot be the name of a fragment/],
			['a name of objects', JSON.parse('{"constructor":{}}'), 422, /'constructor' cannot be the name of a fragment/],
			['many fragments', Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`f${n}`, 1])), 422, /201 fragments: at most/],
			['too much', { f: 'x'.repeat(1024 * 1024) }, 422, /The event has \d+ bytes: at most/],
		];
		for (const [what, more, status, message] of refused) {
			it(`is refused with ${what}`, async () => expectRefusal(await post(more), status, message));
		}

		it('is refused that is no object', async () =>
			expectRefusal(
				await fixture.call('admin', 'post', path, { body: [] }),
				422,
				/An event must be a JSON object, found an array/,
			));

		it('is not found under an id that there is not', async () => {
			for (const id of ['999', 'x', '9'.repeat(20)]) expectRefusal(await get(`/${id}`), 404, /No event for id/);
			expectRefusal(await get('/999/binaries'), 404, /No event for id '999'/);
			expectRefusal(await fixture.call('admin', 'delete', `${path}/999`), 404, /No event/);
		});

		it('goes when it is removed, which is on record', async () => {
			const id = await createWithFile();
			expect((await fixture.call('admin', 'delete', `${path}/${id}`)).status).to.equal(204);
			expectRefusal(await get(`/${id}`), 404, /No event/);
			expect(await kept()).to.equal(0);
			const [record] = await fixture.audit.list(tenant, { type: 'Event' }, { skip: 0, limit: 5, revert: false });
			expect(record).to.include({ activity: 'Event removed', source: device, user: 'admin' });
		});
	});

	describe('a list', () => {
		useOneFixture();
		before(async () => {
			await create({ text: 'first' });
			fixture.time += 1000;
			await create({ text: 'second', type: 'other', time: '2026-11-22T00:00:00Z' });
			await create({ text: 'of another', source: { id: await fixture.createDevice({}) } });
		});

		const filters: readonly (readonly [query: string, texts: readonly string[]])[] = [
			['', ['of another', 'second', 'first']],
			['revert=true', ['first', 'second', 'of another']],
			['type=software_update_op_log', ['of another', 'first']],
			['source={device}', ['second', 'first']],
			['source={device}&type=software_update_op_log', ['first']],
			['source=1', []],
			['source=a*', []],
			['type=none', []],
			['dateFrom=2026-11-22', ['second']],
			['dateTo=2026-11-21T08:00:00.500Z', ['of another', 'first']],
			['dateTo=2026-11-21T08:00:00.499Z', []],
			['source={device}&dateFrom=2026-11-21&dateTo=2026-11-22', ['second', 'first']],
			['pageSize=1&currentPage=2', ['second']],
		];
		for (const [query, texts] of filters) {
			it(`has what matches ${query || 'nothing in particular'}`, async () =>
				expect(await textsOf(`/?${query.replace('{device}', device)}`)).to.deep.equal(texts));
		}

		it('counts what matches', async () => {
			const { body } = await get(`?source=${device}&pageSize=1&withTotalPages=true&withTotalElements=true`);
			expect(body.statistics).to.deep.equal({ currentPage: 1, pageSize: 1, totalPages: 2, totalElements: 2 });
		});

		for (const [query, message] of [
			['dateFrom=x', /dateFrom must be a time/],
			['fragmentType=c8y_IsBinary', /fragmentType is not understood/],
			['createdFrom=2026-11-22', /createdFrom is not understood/],
		] as const) {
			it(`refuses ${query}`, async () => expectRefusal(await get(`?${query}`), 400, message));
		}

		it('is removed by filters, of which one is needed', async () => {
			expectRefusal(await fixture.call('admin', 'delete', path), 400, /Name at least one filter: source, type, dateFrom, dateTo/);
			expect((await fixture.call('admin', 'delete', `${path}?source=${device}&type=other`)).status).to.equal(204);
			expect(await textsOf('')).to.deep.equal(['of another', 'first']);
		});
	});

	describe('a file', () => {
		useFixtureEach();

		it('is given to an event, which shows it, and read byte for byte', async () => {
			const id = await create();
			const answer = await fixture.call('admin', 'post', `${path}/${id}/binaries`, fileForm(log, undefined, 'update.log'));
			expect([answer.status, answer.body]).to.deep.equal([
				201,
				{
					self: `${fixture.url}${path}/${id}/binaries`,
					source: id,
					name: 'update.log',
					type: 'application/octet-stream',
					contentType: 'application/octet-stream',
					length: 1000,
				},
			]);
			const shown = { name: 'update.log', type: 'application/octet-stream', length: 1000 };
			expect((await get(`/${id}`)).body.c8y_IsBinary).to.deep.equal(shown);
			expect((await get('')).body.events[0].c8y_IsBinary).to.deep.equal(shown);
			const { status, body, headers } = await download(id);
			expect([status, body.equals(log)]).to.deep.equal([200, true]);
			expect(headers.get('content-type')).to.equal('application/octet-stream');
			expect(headers.get('content-disposition')).to.equal('attachment; filename="update.log"');
			expect(headers.get('content-length')).to.equal('1000');
		});

		it('has the name of its description, and is read in parts', async () => {
			const id = await create();
			await fixture.call('admin', 'post', `${path}/${id}/binaries`, fileForm(log, { name: 'own "name"' }));
			const { status, body, headers } = await download(id, { range: 'bytes=10-19' });
			expect([status, body.equals(log.subarray(10, 20))]).to.deep.equal([206, true]);
			expect(headers.get('content-disposition')).to.equal('attachment; filename="own \\"name\\""');
		});

		it('is taken as a body, with the name that a header gives', async () => {
			const id = await create();
			const headers = { 'Content-Disposition': 'attachment; filename="a b.log"' };
			const sent = { text: log, type: 'text/plain', headers };
			const { status, body } = await fixture.call('admin', 'post', `${path}/${id}/binaries`, sent);
			expect([status, body.name, body.contentType, body.length]).to.deep.equal([201, 'a b.log', 'text/plain', 1000]);
			expect((await download(id)).body.equals(log)).to.equal(true);
		});

		it('has a name also where nobody gives it one', async () => {
			const id = await create();
			const { body } = await fixture.call('admin', 'post', `${path}/${id}/binaries`, { text: '', type: 'text/plain' });
			expect([body.name, body.length]).to.deep.equal(['file', 0]);
		});

		it('is the only one of an event, until it is removed', async () => {
			const id = await createWithFile('first');
			const second = await fixture.call('admin', 'post', `${path}/${id}/binaries`, fileForm('second'));
			expectRefusal(second, 409, /has a file already: remove it first/);
			expect((await download(id)).body.toString()).to.equal('first');
			expect((await fixture.call('admin', 'delete', `${path}/${id}/binaries`)).status).to.equal(204);
			expectRefusal(await get(`/${id}/binaries`), 404, /has no file/);
			expectRefusal(await fixture.call('admin', 'delete', `${path}/${id}/binaries`), 404, /has no file/);
			expect((await get(`/${id}`)).body).not.to.have.property('c8y_IsBinary');
			expect(await kept()).to.equal(0);
			expect((await fixture.call('admin', 'post', `${path}/${id}/binaries`, fileForm('second'))).status).to.equal(201);
		});

		it('is the only one also where several come at a time', async () => {
			const id = await create();
			const answers = await Promise.all(
				['a', 'b', 'c'].map((content) => fixture.call('admin', 'post', `${path}/${id}/binaries`, fileForm(content))),
			);
			expect(answers.map(({ status }) => status).sort()).to.deep.equal([201, 409, 409]);
			expect(await kept()).to.equal(1);
		});

		it('is kept once with equal ones, until nothing has it any more', async () => {
			const ids = [await createWithFile(), await createWithFile()];
			const { body: binary } = await fixture.call('admin', 'post', '/inventory/binaries', fileForm(log));
			expect(await kept()).to.equal(1);
			await fixture.call('admin', 'delete', `${path}/${ids[0]}`);
			await fixture.call('admin', 'delete', `/inventory/binaries/${binary.id}`);
			expect(await kept()).to.equal(1);
			expect((await download(ids[1] ?? '')).body.equals(log)).to.equal(true);
			await fixture.call('admin', 'delete', `${path}/${ids[1]}`);
			expect(await kept()).to.equal(0);
		});

		it('counts for what the tenant may have, and is no larger than any file', async () => {
			await reopen({ binaries: { maxBytes: 2000, tenantMaxBytes: async () => 1500 } });
			await createWithFile();
			const id = await create();
			const large = await fixture.call('admin', 'post', `${path}/${id}/binaries`, fileForm(Buffer.alloc(2001)));
			expectRefusal(large, 413, /too large: at most 2000 bytes/);
			const more = await fixture.call('admin', 'post', `${path}/${id}/binaries`, fileForm(Buffer.alloc(501)));
			expectRefusal(more, 413, /no room/);
			expect(await kept()).to.equal(1);
		});

		const refused: readonly (readonly [string, Parameters<HttpFixture['call']>[3], number, RegExp])[] = [
			['a form without a file', multipart({ name: 'x', content: 'y' }), 422, /no part 'file'/],
			['a description that is no JSON', multipart({ name: 'file', content: 'x' }, { name: 'object', content: '{' }), 400, /JSON/],
			['a description whose name is none', fileForm('x', { name: 1 }), 422, /^name must be text/],
			['a name that is too long', fileForm('x', { name: 'x'.repeat(1025) }), 422, /^name is too long/],
			[
				'a header that cannot be read',
				{ text: 'x', type: 'text/plain', headers: { 'Content-Disposition': '"' } },
				400,
				/^Content-Disposition/,
			],
			[
				'a part of a body',
				{ text: 'x', type: 'text/plain', headers: { 'Content-Range': 'bytes 0-0/2' } },
				400,
				/without Content-Range/,
			],
		];
		for (const [what, options, status, message] of refused) {
			it(`is refused as ${what}, and leaves nothing`, async () => {
				const id = await create();
				expectRefusal(await fixture.call('admin', 'post', `${path}/${id}/binaries`, options), status, message);
				expect(await kept()).to.equal(0);
				expect((await get(`/${id}`)).body).not.to.have.property('c8y_IsBinary');
			});
		}

		it('goes with the event to which it comes at the same time', async () => {
			const id = await create();
			const upload = fixture.call('admin', 'post', `${path}/${id}/binaries`, fileForm(log));
			await fixture.call('admin', 'delete', `${path}/${id}`);
			expect((await upload).status).to.be.oneOf([201, 404]);
			expect(await kept()).to.equal(0);
		});
	});

	describe('what goes', () => {
		useFixtureEach();

		it('is all of a managed object that goes', async () => {
			const child = await fixture.call('admin', 'post', `/inventory/managedObjects/${device}/childDevices`, { body: {} });
			await createWithFile();
			await create({ source: { id: child.body.id } });
			const others = await create({ source: { id: await fixture.createDevice({}) } });
			expect((await fixture.call('admin', 'delete', `/inventory/managedObjects/${device}?cascade=true`)).status).to.equal(204);
			const left = (await get('?pageSize=100')).body.events;
			expect(left.map(({ id }: { readonly id: string }) => id)).to.deep.equal([others]);
			expect(await kept()).to.equal(0);
		});

		it('is what came longer ago than events are kept, with its files, whatever time it says', async () => {
			await reopen({ events: { retentionMilliseconds: 60_000 } });
			const { events } = fixture.services;
			await createWithFile('old');
			await create({ time: '2036-01-01' });
			fixture.time += 30_000;
			await create({ text: 'young', time: '2016-01-01' });
			fixture.time += 30_001;
			expect(await events.removeOld()).to.equal(2);
			expect(await textsOf('')).to.deep.equal(['young']);
			expect(await kept()).to.equal(0);
			expect(await events.removeOld()).to.equal(0);
		});

		it('is nothing where events are kept for ever', async () => {
			await reopen({ events: { retentionMilliseconds: 0 } });
			await create();
			fixture.time += 100 * 365 * 86_400_000;
			expect(await fixture.services.events.removeOld()).to.equal(0);
		});

		it('is what came first, with its file, when an object has more than it may have', async () => {
			await reopen({ events: { maxPerDevice: 2 } });
			await createWithFile();
			await create({ source: { id: await fixture.createDevice({}) }, text: 'of another' });
			// Its clock is far behind: nevertheless it is not the one that goes.
			for (const text of ['a', 'b']) await create({ text, time: '1970-01-01' });
			expect(await textsOf('')).to.deep.equal(['b', 'a', 'of another']);
			expect(await kept()).to.equal(0);
		});

		it('is all of them, however many pages they are', async () => {
			const { events } = fixture.services;
			const { time } = fixture;
			const source = parseManagedObjectId(device);
			await createWithFile();
			for (let index = 0; index < 400; index++)
				await events.create(tenant, { source, type: 't', text: String(index), time, fragments: {} });
			expect(await events.removeMatching(tenant, { source })).to.equal(401);
			expect([await events.count(tenant, {}), await kept()]).to.deep.equal([0, 0]);
		});
	});

	describe('devices', () => {
		useFixtureEach();

		it('create and read events of themselves and of what is below them, and remove none', async () => {
			const { inventory } = fixture.services;
			const make = async (serial: string) =>
				(
					await inventory.devices.ensure(tenant, serial, () => ({
						owner: `device_${serial}`,
						name: serial,
						type: 't',
						fragments: { c8y_IsDevice: {}, com_cumulocity_model_Agent: {} },
					}))
				).id;
			const [own, foreign] = [await make('dev1'), await make('dev2')];
			const parent = { id: own, kind: 'childDevices' } as const;
			const child = await inventory.objects.create(tenant, { owner: 'admin', patch: { fragments: {} }, parent });
			const as = async (source: string | undefined) => {
				const answer = await post({ source: { id: source } }, 'device');
				return answer.status === 201 ? answer.body.id : answer.status;
			};
			const [mine, ofChild] = [await as(own), await as(child?.id)];
			expect([mine, ofChild]).to.satisfy((ids: unknown[]) => ids.every((id) => typeof id === 'string'));
			expect(await as(foreign)).to.equal(403);
			const theirs = await create({ source: { id: foreign } });
			const ids = async (query: string) => (await get(query, 'device')).body.events?.map(({ id }: { readonly id: string }) => id);
			expect(await ids('')).to.deep.equal([mine]);
			expect(await ids(`?source=${child?.id}`)).to.deep.equal([ofChild]);
			expect((await get(`?source=${foreign}`, 'device')).status).to.equal(403);
			for (const method of ['get', 'delete'] as const)
				expect((await fixture.call('device', method, `${path}/${theirs}`)).status).to.equal(403);
			expect((await fixture.call('device', 'post', `${path}/${theirs}/binaries`, fileForm('x'))).status).to.equal(403);
			expect((await fixture.call('device', 'post', `${path}/${ofChild}/binaries`, fileForm('x'))).status).to.equal(201);
			expect((await fixture.call('device', 'delete', `${path}/${mine}`)).status).to.equal(403);
		});

		it('are shown to users by the groups that these may see', async () => {
			const { directory } = fixture.services.access;
			const group = await fixture.createDevice({ c8y_IsDeviceGroup: {} });
			const reference = { managedObject: { id: device } };
			await fixture.call('admin', 'post', `/inventory/managedObjects/${group}/childAssets`, { body: reference });
			const by = { tenant, userName: 'admin', role: 'admin' } as const;
			await directory.setInventoryRoles(by, 'manager', group, ['Reader']);
			await create({ text: 'in the group' });
			const other = await fixture.createDevice({});
			await create({ text: 'elsewhere', source: { id: other } });
			const { body } = await get('?withTotalElements=true', 'manager');
			expect(body.events.map(({ text }: { readonly text: string }) => text)).to.deep.equal(['in the group']);
			expect(body.statistics.totalElements).to.equal(1);
			expect((await get(`?source=${other}`, 'manager')).status).to.equal(403);
			expect((await post({}, 'manager')).status, 'only to read').to.equal(403);
		});

		it('that are not in the inventory yet see none', async () => {
			await create();
			const { body } = await get('?withTotalElements=true', 'device');
			expect([body.events, body.statistics.totalElements]).to.deep.equal([[], 0]);
		});
	});
});
