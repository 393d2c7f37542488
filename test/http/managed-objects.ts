import { expect } from 'chai';
import type { CallOptions, HttpMethod } from '../support/checked-http-client.ts';
import { expectRefusal, type HttpFixture, openHttpFixture, tenant } from '../support/http-fixture.ts';

const root = '/inventory/managedObjects';
const base = 'http://c8y.test';
const headers = { Host: 'c8y.test' };

describe('http/managed-objects', () => {
	let fixture: HttpFixture;
	before(async () => {
		fixture = await openHttpFixture();
	});
	after(() => fixture.close());

	const call = (method: HttpMethod, path: string, options: CallOptions = {}) =>
		fixture.call('admin', method, root + path, { headers, ...options });

	async function create(body: unknown): Promise<string> {
		const answer = await call('post', '', { body });
		expect(answer.status).to.equal(201);
		return answer.body.id;
	}

	async function link(parent: string, child: string, kind: 'childDevices' | 'childAssets' | 'childAdditions'): Promise<string> {
		const { objects } = fixture.services.inventory;
		const above = (await objects.list(tenant, { ids: [parent] }, { skip: 0, limit: 1 }))[0];
		if (!above) throw new Error(`${parent} is missing`);
		const made = await objects.create(tenant, {
			owner: 'admin',
			patch: { name: child, fragments: {} },
			parent: { id: above.id, kind },
		});
		return made?.id ?? '';
	}

	it('shows every field of a new object', async () => {
		const { body } = await call('post', '', { body: { name: 'n', type: 't', c8y_IsDevice: {}, a: [1, null, 'x'], b: null } });
		const empty = (kind: string) => ({ self: `${base}${root}/${body.id}/${kind}`, references: [] });
		expect(body).to.deep.equal({
			id: body.id,
			self: `${base}${root}/${body.id}`,
			owner: 'admin',
			creationTime: '2026-11-21T20:23:30.412Z',
			lastUpdated: '2026-11-21T20:23:30.412Z',
			name: 'n',
			type: 't',
			c8y_IsDevice: {},
			a: [1, null, 'x'],
			childDevices: empty('childDevices'),
			childAssets: empty('childAssets'),
			childAdditions: empty('childAdditions'),
		});
		expect(body.id).to.match(/^[0-9]+$/);
		expect((await call('get', `/${body.id}`)).body).to.deep.equal(body);
		expect((await call('get', `/${body.id}/`)).body.id).to.equal(body.id);
	});

	const merges: readonly (readonly [what: string, patch: object, expected: object])[] = [
		['replaces a fragment whole', { a: { z: 1 } }, { name: 'n', type: 't', a: { z: 1 }, b: 2 }],
		['removes by null', { a: null }, { name: 'n', type: 't', b: 2 }],
		['adds', { c: [] }, { name: 'n', type: 't', a: { x: 1, y: 1 }, b: 2, c: [] }],
		['renames', { name: 'm' }, { name: 'm', type: 't', a: { x: 1, y: 1 }, b: 2 }],
		[
			'ignores what only the service sets',
			{ id: '1', owner: 'x', self: 'y', creationTime: 'z', childDevices: 1 },
			{ name: 'n', type: 't', a: { x: 1, y: 1 }, b: 2 },
		],
		['changes nothing for {}', {}, { name: 'n', type: 't', a: { x: 1, y: 1 }, b: 2 }],
	];
	for (const [what, patch, expected] of merges) {
		it(`PUT ${what}`, async () => {
			const id = await create({ name: 'n', type: 't', a: { x: 1, y: 1 }, b: 2 });
			const { status, body } = await call('put', `/${id}`, { body: patch });
			expect(status).to.equal(200);
			const { id: _, self, owner, creationTime, lastUpdated, childDevices, childAssets, childAdditions, ...rest } = body;
			expect(rest).to.deep.equal(expected);
			expect((await call('get', `/${id}`)).body).to.deep.equal(body);
		});
	}

	it('takes back the whole object that it gave', async () => {
		const id = await create({ name: 'n', a: 1 });
		const { body } = await call('get', `/${id}?withParents=true`);
		expect((await call('put', `/${id}`, { body })).body.a).to.equal(1);
	});

	const badBodies: readonly (readonly [what: string, body: unknown, message: RegExp])[] = [
		['an array', [], /must be a JSON object, found an array/],
		['a text', 'x', /must be a JSON object/],
		['null', null, /must be a JSON object, found null$/],
		['a name that is a number', { name: 1 }, /name must be text/],
		['a type that is an object', { type: {} }, /type must be text/],
		['a long name', { name: 'x'.repeat(1025) }, /name has 1025 characters/],
		['a fragment with a dot', { 'a.b': 1 }, /'a\.b' cannot be the name of a fragment/],
		['a fragment with a dollar', { $set: 1 }, /\$set/],
		['a fragment without name', { '': 1 }, /cannot be the name/],
		['too many fragments', Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`f${i}`, i])), /201 fragments are too many/],
		['too many bytes', { a: 'x'.repeat(1_100_000) }, /bytes: at most 1048576/],
		['a list that is none', { c8y_SoftwareList: {} }, /c8y_SoftwareList must be an array/],
		['a package without name', { c8y_SoftwareList: [{ version: '1' }] }, /c8y_SoftwareList\[0\]\.name is empty/],
		[
			'a version that is a number',
			{ c8y_SoftwareList: [{ name: 'a' }, { name: 'b', version: 1 }] },
			/c8y_SoftwareList\[1\]\.version must be text/,
		],
	];
	for (const [what, body, message] of badBodies) {
		it(`refuses ${what}, in POST and PUT, and changes nothing`, async () => {
			const posted = await call('post', '', { body });
			expectRefusal(posted, 422, message);
			const id = await create({ name: 'n', a: 1 });
			const before = (await call('get', `/${id}`)).body;
			expect((await call('put', `/${id}`, { body })).status).to.equal(422);
			expect((await call('get', `/${id}`)).body).to.deep.equal(before);
		});
	}

	for (const id of ['1', '999999999999999', '9999999999999999999', 'abc', '-1', '1%2F2', '1.0', '%00']) {
		it(`answers 404 for the id ${id}`, async () => {
			for (const path of [`/${id}`, `/${id}/availability`, `/${id}/supportedSeries`])
				expect((await call('get', path)).status).to.equal(404);
			expect((await call('put', `/${id}`, { body: {} })).status).to.equal(404);
			expect((await call('delete', `/${id}`)).status).to.equal(404);
		});
	}

	it('refuses a path that is not percent-encoded text', async () => {
		const { status, body } = await fixture.call('admin', 'get', `${root}/count?x=%zz`);
		expect([status, typeof body]).to.deep.equal([200, 'number']);
		const answer = await fetch(`${fixture.url}${root}/%zz`);
		expect([answer.status, await answer.text()]).to.satisfy(
			([code, text]: [number, string]) => code === 400 && text.includes('http/badRequest'),
		);
	});

	it('lists by type, fragment, owner and ids, all of which must match', async () => {
		const a = await create({ name: 'a', type: 'lists', frag_1: {} });
		const b = await create({ name: 'b', type: 'lists', frag_2: {} });
		const ids = async (query: string) =>
			(await call('get', `?${query}`)).body.managedObjects.map(({ id }: { id: string }) => id) as string[];
		const count = async (query: string) => (await call('get', `/count?${query}`)).body;
		const rows: readonly (readonly [string, readonly string[]])[] = [
			['type=lists', [a, b]],
			['type=Lists', []],
			['type=', []],
			['fragmentType=frag_2', [b]],
			['fragmentType=frag_2&type=lists&owner=admin', [b]],
			['type=lists&owner=nobody', []],
			[`ids=${a},${b}`, [a, b]],
			[`ids=${b}%2C${a}`, [a, b]],
			[`ids=${a}&ids=${b}`, [a, b]],
			[`ids=${a}&type=x`, []],
			[`ids=x,,${a},1`, [a]],
			['ids=', []],
			['type=lists&unknown=1&withGroups=true&onlyRoots=FALSE', [a, b]],
			['type=lists&withChildren=False&skipChildrenNames=TRUE', [a, b]],
		];
		for (const [query, expected] of rows) {
			expect(await ids(query), query).to.deep.equal(expected);
			expect(await count(query), query).to.equal(expected.length);
		}
	});

	for (const query of [
		'type=a&type=b',
		'onlyRoots=1',
		'withChildren=yes',
		'withParents=1',
		'pageSize=x',
		'withTotalPages=maybe',
	]) {
		it(`refuses ?${query} by name`, async () => {
			const { status, body } = await call('get', `?${query}`);
			expect(status).to.equal(400);
			expect(body.message).to.contain(query.split('=')[0]);
		});
	}

	it('shows children and parents, with and without names', async () => {
		const parent = await create({ name: 'parent' });
		const child = await link(parent, 'a child', 'childDevices');
		const addition = await link(parent, 'an addition', 'childAdditions');
		const self = `${base}${root}/${parent}/childDevices`;
		const reference = {
			managedObject: { id: child, name: 'a child', self: `${base}${root}/${child}` },
			self: `${self}/${child}`,
		};
		const { body } = await call('get', `/${parent}`);
		expect(body.childDevices).to.deep.equal({ self, references: [reference] });
		expect(body.childAdditions.references[0].managedObject.id).to.equal(addition);
		expect(body).not.to.have.property('deviceParents');
		const unnamed = (await call('get', `/${parent}?skipChildrenNames=true`)).body.childDevices.references[0].managedObject;
		expect(unnamed).not.to.have.property('name');
		expect((await call('get', `/${parent}?withChildren=false`)).body).not.to.have.property('childDevices');
		const below = (await call('get', `/${addition}?withParents=true`)).body;
		expect(below.additionParents.references[0].managedObject).to.deep.equal({
			id: parent,
			name: 'parent',
			self: `${base}${root}/${parent}`,
		});
		expect(below.deviceParents.references).to.deep.equal([]);
		const listed = (await call('get', `?ids=${child}&withParents=true`)).body.managedObjects[0];
		expect(listed.deviceParents.references[0].managedObject.id).to.equal(parent);
	});

	const removals: readonly (readonly [query: string, device: boolean, left: readonly ('child' | 'addition')[]])[] = [
		['', true, ['child', 'addition']],
		['?cascade=true', true, ['addition']],
		['?cascade=True', false, ['child', 'addition']],
		['?forceCascade=TRUE', true, []],
		['?cascade=false&forceCascade=false', true, ['child', 'addition']],
	];
	for (const [query, device, left] of removals) {
		it(`DELETE${query} of ${device ? 'a device' : 'another object'} leaves ${left.join(' and ') || 'nothing'}`, async () => {
			const id = await create({ name: 'p', ...(device && { c8y_IsDevice: {} }) });
			const ids = { child: await link(id, 'c', 'childDevices'), addition: await link(id, 'a', 'childAdditions') };
			expect((await call('delete', `/${id}${query}`)).status).to.equal(204);
			expect((await call('get', `/${id}`)).status).to.equal(404);
			for (const name of ['child', 'addition'] as const)
				expect((await call('get', `/${ids[name]}`)).status, name).to.equal(left.includes(name) ? 200 : 404);
			expect(fixture.removed.at(-1)?.ids).to.have.length(3 - left.length);
		});
	}

	it('DELETE with forceCascade is not for devices, below which others may have put what is not theirs', async () => {
		const own = await fixture.call('device', 'post', root, { body: { name: 'own' } });
		const linked = await link(own.body.id, 'of the operator', 'childAssets');
		const refused = await fixture.call('device', 'delete', `${root}/${own.body.id}?forceCascade=true`);
		expect(refused.status).to.equal(403);
		expect(refused.body.message).to.include('cascade removes its child devices');
		for (const id of [own.body.id, linked]) expect((await call('get', `/${id}`)).status).to.equal(200);
	});

	it('DELETE takes external ids along, fails what waited, and the user only when asked', async () => {
		const { inventory, operations, access } = fixture.services;
		const fresh = () => inventory.devices.ensure(tenant, 'dev2', () => ({ owner: 'x', name: 'dev2', type: 't', fragments: {} }));
		const { id } = await fresh();
		const waiting = await operations.create(tenant, { deviceId: id, fragments: { c8y_Restart: {} } });
		expect((await call('delete', `/${id}`)).status).to.equal(204);
		expect((await fixture.call('admin', 'get', '/identity/externalIds/c8y_Serial/dev2')).status).to.equal(404);
		const { body } = await fixture.call('admin', 'get', `/devicecontrol/operations/${waiting.id}`);
		expect([body.status, body.failureReason]).to.deep.equal(['FAILED', 'The device was removed from the inventory']);
		expect(await access.users.find(tenant, 'device_dev2')).not.to.equal(undefined);
		expect((await call('delete', `/${(await fresh()).id}?withDeviceUser=True`)).status).to.equal(204);
		expect(await access.users.find(tenant, 'device_dev2')).to.equal(undefined);
		expect((await call('delete', `/${(await fresh()).id}?withDeviceUser=maybe`)).status).to.equal(400);
	});

	it('locks a removed device whose object has as many other names as it may', async () => {
		const { inventory, access } = fixture.services;
		await access.registration.admit(tenant, 'many-names', 'password-of-many-names', {});
		const { id } = await inventory.devices.ensure(tenant, 'many-names', () => ({
			owner: 'device_many-names',
			name: 'many-names',
			type: 'test',
			fragments: {},
		}));
		const names = Array.from({ length: 12 }, (_, index) => `a${index}`);
		await Promise.allSettled(names.map((name) => inventory.externalIds.bind(tenant, 'a', name, id)));
		expect(await inventory.externalIds.list(tenant, id)).to.have.length(10);
		expect((await call('delete', `/${id}`)).status).to.equal(204);
		expect(await access.users.find(tenant, 'device_many-names')).to.include({ enabled: false, isRemoved: true });
	});

	it('tells whether a device is available', async () => {
		const id = await create({
			c8y_RequiredAvailability: { responseInterval: 10 },
			c8y_SupportedMeasurements: ['m', 1],
			c8y_Availability: 1,
		});
		const { objects } = fixture.services.inventory;
		const [object] = await objects.list(tenant, { ids: [id] }, { skip: 0, limit: 1 });
		const unheard = await call('get', `/${id}/availability`);
		expect(unheard.body).to.deep.equal({ deviceId: id, dataStatus: 'UNKNOWN' });
		const lastMessage = new Date(fixture.time).toISOString();
		if (object) await objects.update(tenant, object.id, { fragments: { c8y_Availability: { lastMessage } } });
		expect((await call('get', `/${id}`)).body.c8y_Availability).to.deep.equal({ status: 'AVAILABLE', lastMessage });
		fixture.time += 10 * 60_000 + 1;
		expect((await call('get', `/${id}`)).body.c8y_Availability.status).to.equal('UNAVAILABLE');
		expect((await call('get', `/${id}/availability`)).body).to.deep.equal({
			deviceId: id,
			lastMessage,
			interval: 10,
			dataStatus: 'UNAVAILABLE',
		});
		expect((await call('get', `/${id}/supportedMeasurements`)).body).to.deep.equal({ c8y_SupportedMeasurements: ['m'] });
		expect((await call('get', `/${id}/supportedSeries`)).body).to.deep.equal({ c8y_SupportedSeries: [] });
		await call('put', `/${id}`, { body: { c8y_RequiredAvailability: { responseInterval: 0 } } });
		expect((await call('get', `/${id}`)).body.c8y_Availability).to.deep.equal({ lastMessage });
	});
});
