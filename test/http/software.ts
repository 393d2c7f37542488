import { expect } from 'chai';
import type { HttpMethod } from '../support/checked-http-client.ts';
import { expectRefusal, type HttpFixture, openHttpFixture, packageLimits } from '../support/http-fixture.ts';
import { patience, sized } from '../support/named-stores.ts';

const maxPackages = sized(60_000, 5000);
const root = '/service/advanced-software-mgmt/software';

interface Package {
	readonly name: string;
	readonly version: string;
	readonly url?: string;
	readonly softwareType?: string;
}

const guide: readonly Package[] = [
	{ name: 'software_a', version: '3.0.0', url: 'http://example.com/software_a', softwareType: 'type A' },
	{ name: 'software_b', version: '2.0.0', url: 'http://example.com/software_b', softwareType: 'type B' },
];

describe('http/software', () => {
	let fixture: HttpFixture;
	let device: string;
	before(async () => {
		fixture = await openHttpFixture({ packageLimits: { ...packageLimits, maxPackages, nameMaxLength: 20 } });
	});
	after(() => fixture.close());
	beforeEach(async () => {
		device = await fixture.createDevice({});
	});

	const write = (method: HttpMethod, body: unknown) => fixture.call('admin', method, `${root}?deviceId=${device}`, { body });
	const read = async (query = 'pageSize=2000') =>
		(await fixture.call('admin', 'get', `${root}?deviceId=${device}&${query}`)).body;
	const list = async (query?: string): Promise<Package[]> => (await read(query)).softwareList;
	const object = async (query = '') => (await fixture.call('admin', 'get', `/inventory/managedObjects/${device}?${query}`)).body;

	it('does what the guide shows: query, set, add, remove', async () => {
		expect((await write('post', guide)).status).to.equal(201);
		const page = await read('');
		expect(page.softwareList).to.deep.equal(guide);
		expect(page.statistics).to.deep.equal({ currentPage: 1, pageSize: 5 });
		const third = { name: 'software_c', version: '1', softwareType: 'type C', url: 'http://example.com/c' };
		const changed = { ...guide[0], url: 'http://example.com/new' };
		expect((await write('put', [third, changed])).status).to.equal(200);
		expect(await list()).to.deep.equal([changed, guide[1], third]);
		const removed = await write('delete', [
			{ name: 'software_a', version: '3.0.0' },
			{ name: 'software_b', version: 'other' },
			{ name: 'x', version: '' },
		]);
		expect([removed.status, removed.text]).to.deep.equal([204, '']);
		expect(await list()).to.deep.equal([guide[1], third]);
		expect((await write('post', [])).status).to.equal(201);
		expect(await list()).to.deep.equal([]);
	});

	it('takes the content types of clients, and leaves out what is empty', async () => {
		const type = 'application/vnd.com.nsn.cumulocity.managedObject+json';
		const body = [
			{ name: 'a', version: '', url: '', softwareType: null, id: '5' },
			{ name: 'b', version: '1', url: null },
		];
		const { status } = await fixture.call('admin', 'post', `${root}/?deviceId=${device}`, { body, type });
		expect(status).to.equal(201);
		expect(await list()).to.deep.equal([
			{ name: 'a', version: '' },
			{ name: 'b', version: '1' },
		]);
	});

	it('sorts by name, then version, and keeps the last of two alike', async () => {
		const body = ['b 1', 'a 2', 'a1 1', 'a 10', 'B 1', 'ä 1', 'a 2'].map((text, index) => ({
			name: text.split(' ')[0],
			version: text.split(' ')[1],
			softwareType: String(index),
		}));
		await write('post', body);
		expect((await list()).map(({ name, version }) => `${name} ${version}`)).to.deep.equal([
			'B 1',
			'a 10',
			'a 2',
			'a1 1',
			'b 1',
			'ä 1',
		]);
		expect((await list('name=a&version=2'))[0]?.softwareType).to.equal('6');
	});

	const filters: readonly (readonly [query: string, expected: readonly string[]])[] = [
		['name=nano', ['nano']],
		['name=nan', []],
		['name=*an*', ['nano', 'vlan']],
		['name=n*', ['nano', 'nginx']],
		['name=*', ['nano', 'nginx', 'vim', 'vlan']],
		['name=v*n', ['vlan']],
		['name=', []],
		['version=1.*', ['nano', 'vim']],
		['version=', ['vlan']],
		['type=apt', ['nano', 'vim']],
		['type=a*t', ['nano', 'vim']],
		['type=rpm', []],
		['name=*n*&type=docker&version=2', ['nginx']],
		['name=%2An%2a', ['nano', 'nginx', 'vlan']],
		['name=.*', []],
	];
	for (const [query, expected] of filters) {
		it(`filters by ${query}, the total too`, async () => {
			await write('post', [
				{ name: 'nano', version: '1.0', softwareType: 'apt' },
				{ name: 'nginx', version: '2', softwareType: 'docker' },
				{ name: 'vim', version: '1.5', softwareType: 'apt' },
				{ name: 'vlan', version: '' },
			]);
			expect((await list(query)).map(({ name }) => name)).to.deep.equal(expected);
			expect((await read(`${query}&pageSize=1&withTotalPages=true`)).statistics.totalPages).to.equal(expected.length);
		});
	}

	it('wants a device that exists', async () => {
		for (const method of ['get', 'post', 'put', 'delete'] as const) {
			const options = method === 'get' ? {} : { body: [] };
			expectRefusal(await fixture.call('admin', method, root, options), 400, /deviceId is missing/);
			expectRefusal(await fixture.call('admin', method, `${root}?deviceId=`, options), 400, /deviceId is empty/);
			expectRefusal(
				await fixture.call('admin', method, `${root}?deviceId=1&deviceId=2`, options),
				400,
				/deviceId must be given once/,
			);
			expectRefusal(await fixture.call('admin', method, `${root}?deviceId=1`, options), 404, /No managed object for id '1'/);
			expectRefusal(await fixture.call('admin', method, `${root}?deviceId=a`, options), 404, /digits/);
			expectRefusal(await fixture.call('otherAdmin', method, `${root}?deviceId=${device}`, options), 404, /No managed object/);
		}
	});

	const ok = { name: 'a', version: '1' };
	const bad: readonly (readonly [what: string, body: unknown, message: RegExp])[] = [
		['an object', {}, /The body must be an array, found an object/],
		['a text', 'x', /must be an array, found 'x'/],
		['null', null, /must be an array, found null/],
		['an item that is a text', ['a'], /\[0\] must be an object, found 'a'/],
		['an item that is null', [ok, null], /\[1\] must be an object, found null/],
		['an item that is an array', [[]], /\[0\] must be an object, found an array/],
		['an item without name', [ok, ok, ok, { version: '1' }], /\[3\]\.name must be text, found nothing/],
		['an item without version', [{ name: 'a' }], /\[0\]\.version must be text, found nothing/],
		['a version that is null', [{ name: 'a', version: null }], /\[0\]\.version must be text, found null/],
		['a name that is a number', [{ name: 1, version: '1' }], /\[0\]\.name must be text, found the number 1/],
		['an empty name', [{ name: '', version: '1' }], /\[0\]\.name is empty/],
		['a long name', [ok, { name: 'x'.repeat(21), version: '1' }], /\[1\]\.name has 21 characters: at most 20 are allowed/],
		['a long version', [{ name: 'a', version: 'x'.repeat(256) }], /\[0\]\.version has 256 characters/],
		['a control character', [{ name: 'a\u0001', version: '1' }], /\[0\]\.name has a control character/],
		[
			'several faults',
			[{ name: 1 }, { name: 'a', version: [] }],
			/\[0\]\.name .*; \[0\]\.version .*; \[1\]\.version must be text, found an array/,
		],
	];
	for (const [what, body, message] of bad) {
		it(`refuses ${what} by position and field, and changes nothing`, async () => {
			await write('post', guide);
			for (const method of ['post', 'put', 'delete'] as const) expectRefusal(await write(method, body), 422, message);
			expect(await list()).to.deep.equal(guide);
		});
	}

	const badDetails: readonly (readonly [what: string, item: object, message: RegExp])[] = [
		['a url that is a number', { ...ok, url: 1 }, /\[0\]\.url must be text, found the number 1/],
		['a long url', { ...ok, url: 'x'.repeat(4097) }, /\[0\]\.url has 4097 characters/],
		['a type that is an object', { ...ok, softwareType: {} }, /\[0\]\.softwareType must be text, found an object/],
		['a long type', { ...ok, softwareType: 'x'.repeat(256) }, /\[0\]\.softwareType has 256 characters/],
	];
	for (const [what, item, message] of badDetails) {
		it(`refuses ${what}, and changes nothing`, async () => {
			await write('post', guide);
			for (const method of ['post', 'put'] as const) expectRefusal(await write(method, [item]), 422, message);
			expect(await list()).to.deep.equal(guide);
		});
	}

	it('ends early with a long list of nonsense', async () => {
		const answer = await write(
			'post',
			Array.from({ length: maxPackages }, () => 1),
		);
		expect(answer.status).to.equal(422);
		expect(answer.body.details.faults).to.have.length(10);
		expectRefusal(
			await write(
				'post',
				Array.from({ length: maxPackages + 1 }, () => ok),
			),
			422,
			new RegExp(`${maxPackages + 1} items: at most ${maxPackages}`),
		);
	});

	const large = sized(50_000, 4000);
	it(`works with ${large} packages through both doors, and pages through them all`, async () => {
		const many = Array.from({ length: large }, (_, i) => ({ name: `p${String(i).padStart(6, '0')}`, version: '1' }));
		expect((await write('post', many)).status).to.equal(201);
		const lastPage = `pageSize=2000&currentPage=${large / 2000}`;
		expect((await read(`${lastPage}&withTotalPages=true`)).statistics.totalPages).to.equal(large / 2000);
		expect((await list(`pageSize=1&currentPage=${large}`))[0]?.name).to.equal(many.at(-1)?.name);
		expectRefusal(
			await write(
				'put',
				many.map((item) => ({ ...item, version: '2' })),
			),
			422,
			new RegExp(`at most ${maxPackages} are allowed`),
		);
		const revision = (await object()).lastUpdated;
		fixture.time += 1000;
		await write('post', many);
		expect((await object()).lastUpdated, 'an unchanged list writes nothing').to.equal(revision);
		const { status, body } = await fixture.call('admin', 'put', `/inventory/managedObjects/${device}`, {
			body: { c8y_SoftwareList: many },
		});
		expect([status, body.c8y_SoftwareList.length, body.c8y_SoftwareList[7]]).to.deep.equal([200, large, many[7]]);
		expect((await read(lastPage)).softwareList).to.have.length(2000);
	}).timeout(60_000 * patience);

	describe('one list, two doors', () => {
		const legacy = [
			{ name: 'z', version: '1', softwareType: 'apt', url: '' },
			{ name: 'a', url: 'u', extra: true },
		];

		it('shows in the advanced door what came in through the inventory', async () => {
			await fixture.call('admin', 'put', `/inventory/managedObjects/${device}`, { body: { c8y_SoftwareList: legacy } });
			expect((await object()).c8y_SoftwareList).to.deep.equal(legacy);
			expect(await list()).to.deep.equal([
				{ name: 'a', version: '', url: 'u' },
				{ name: 'z', version: '1', softwareType: 'apt' },
			]);
			expect((await read('pageSize=1')).next, 'another page follows').to.be.a('string');
			await write('put', [{ url: 'v', softwareType: 'b', version: '2', name: '"position":' }]);
			expect((await list())[0]).to.deep.equal({ name: '"position":', version: '2', softwareType: 'b', url: 'v' });
			await write('delete', [{ name: '"position":', version: '2' }]);
			const listed = await fixture.call('admin', 'get', `/inventory/managedObjects?fragmentType=c8y_SoftwareList&ids=${device}`);
			expect(listed.body.managedObjects[0].c8y_SoftwareList).to.deep.equal(legacy);
		});

		it('shows an advanced list as the single child addition, and no longer in the device', async () => {
			await fixture.call('admin', 'put', `/inventory/managedObjects/${device}`, { body: { c8y_SoftwareList: legacy } });
			await write('post', guide);
			const shown = await object();
			expect(shown).not.to.have.property('c8y_SoftwareList');
			expect(shown.childAdditions.references).to.have.length(1);
			const { id } = shown.childAdditions.references[0].managedObject;
			const addition = (await fixture.call('admin', 'get', `/inventory/managedObjects/${id}`)).body;
			expect([addition.type, addition.c8y_SoftwareList]).to.deep.equal(['c8y_InstalledSoftwareList', guide]);
			expectRefusal(await fixture.call('admin', 'delete', `/inventory/managedObjects/${id}`), 422, /change it there/);
			expectRefusal(
				await fixture.call('admin', 'put', `/inventory/managedObjects/${id}`, { body: { c8y_SoftwareList: [] } }),
				422,
				/change it there/,
			);
		});

		it('stays what it is under PUT and DELETE', async () => {
			await fixture.call('admin', 'put', `/inventory/managedObjects/${device}`, { body: { c8y_SoftwareList: legacy } });
			await write('put', [guide[0]]);
			await write('delete', [{ name: 'z', version: '1' }]);
			expect((await object()).c8y_SoftwareList.map(({ name }: Package) => name)).to.deep.equal(['a', 'software_a']);
			expect((await object()).childAdditions.references).to.deep.equal([]);
			await fixture.call('admin', 'put', `/inventory/managedObjects/${device}`, { body: { c8y_SoftwareList: null } });
			expect(await list()).to.deep.equal([]);
		});

		it('shows an advanced list in the device too where the setting says so, in that one object', async () => {
			const showing = await openHttpFixture({ showAdvancedListInInventory: true });
			try {
				const { id } = (await showing.call('admin', 'post', '/inventory/managedObjects', { body: {} })).body;
				await showing.call('admin', 'post', `${root}?deviceId=${id}`, { body: guide });
				expect((await showing.call('admin', 'get', `/inventory/managedObjects/${id}`)).body.c8y_SoftwareList).to.deep.equal(
					guide,
				);
				const listed = (await showing.call('admin', 'get', `/inventory/managedObjects?ids=${id}`)).body.managedObjects[0];
				expect(listed).not.to.have.property('c8y_SoftwareList');
			} finally {
				await showing.close();
			}
		});
	});
});
