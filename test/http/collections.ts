import { expect } from 'chai';
import { httpRoutes } from '../../service/http/app.ts';
import { createAuthority, createRequest } from '../support/certificate-chain.ts';
import { type Caller, expectRefusal, type HttpFixture, openHttpFixture } from '../support/http-fixture.ts';
import { fileForm } from '../support/multipart.ts';

const software = '/service/advanced-software-mgmt';
/** A new device that has this version of it. */
async function install(fixture: HttpFixture, name: string, version: string): Promise<unknown> {
	const { body } = await fixture.call('admin', 'post', '/inventory/managedObjects', { body: { c8y_IsDevice: {} } });
	return fixture.call('admin', 'post', `${software}/software?deviceId=${body.id}`, { body: [{ name, version }] });
}

const certificates = '/tenant/tenants/t1/trusted-certificates';
async function trust(fixture: HttpFixture, index: number): Promise<unknown> {
	const { pem } = await createAuthority(`Authority ${index}`);
	return fixture.call('admin', 'post', certificates, { body: { name: `a${index}`, certInPemFormat: pem, status: 'ENABLED' } });
}

const addUser = (fixture: HttpFixture, userName: string, more = {}) =>
	fixture.call('admin', 'post', '/user/t1/users', { body: { userName, password: 'a-long-enough-one', ...more } });

/** A certificate that the service signs for a device. */
async function issue({ services }: HttpFixture, serial: string): Promise<unknown> {
	const { certificates, registration } = services.access;
	// There is one already from the second time on.
	await certificates.authorities.create('t1').catch(() => {});
	await registration.admit('t1', serial, undefined, {});
	return certificates.renewFor('t1', serial, await createRequest(serial));
}

/** Every collection, with a path that holds exactly seven entries, and one that holds none. */
const collections: readonly {
	readonly name: string;
	readonly path: (device: string) => string;
	readonly nothing: (device: string) => string;
	readonly fill: (fixture: HttpFixture, device: string, index: number) => Promise<unknown>;
}[] = [
	{
		name: 'managedObjects',
		path: () => '/inventory/managedObjects?type=a%20b%2Bc',
		nothing: () => '/inventory/managedObjects?type=none',
		fill: (fixture) => fixture.call('admin', 'post', '/inventory/managedObjects', { body: { type: 'a b+c' } }),
	},
	{
		name: 'references',
		path: (device) => `/inventory/managedObjects/${device}/childDevices?x=1`,
		nothing: (device) => `/inventory/managedObjects/${device}/childDevices?type=none`,
		fill: (fixture, device) =>
			fixture.call('admin', 'post', `/inventory/managedObjects/${device}/childDevices`, { body: { name: 'n' } }),
	},
	{
		name: 'references',
		path: (device) => `/inventory/managedObjects/${device}/childAssets?x=1`,
		nothing: (device) => `/inventory/managedObjects/${device}/childAssets?type=none`,
		fill: (fixture, device) =>
			fixture.call('admin', 'post', `/inventory/managedObjects/${device}/childAssets`, { body: { name: 'n' } }),
	},
	{
		name: 'references',
		path: (device) => `/inventory/managedObjects/${device}/childAdditions?x=1`,
		nothing: (device) => `/inventory/managedObjects/${device}/childAdditions?type=none`,
		fill: (fixture, device) =>
			fixture.call('admin', 'post', `/inventory/managedObjects/${device}/childAdditions`, { body: { name: 'n' } }),
	},
	{
		name: 'managedObjects',
		path: () => `/inventory/managedObjects?query=${encodeURIComponent("$filter=(color eq 'red*') $orderby=name desc")}`,
		nothing: () => `/inventory/managedObjects?query=${encodeURIComponent("color eq 'green'")}`,
		fill: (fixture, _, index) =>
			fixture.call('admin', 'post', '/inventory/managedObjects', { body: { name: `n${index % 2}`, color: `red${index}` } }),
	},
	{
		name: 'operations',
		path: (device) => `/devicecontrol/operations?deviceId=${device}`,
		nothing: () => '/devicecontrol/operations?deviceId=1',
		fill: (fixture, deviceId) =>
			fixture.call('admin', 'post', '/devicecontrol/operations', { body: { deviceId, c8y_Restart: {} } }),
	},
	{
		name: 'events',
		path: (device) => `/event/events?source=${device}`,
		nothing: () => '/event/events?source=1',
		fill: (fixture, device, index) =>
			fixture.call('admin', 'post', '/event/events', {
				body: { source: { id: device }, type: 't', text: `n${index}`, time: '2026-11-21T20:23:30.412Z' },
			}),
	},
	{
		name: 'newDeviceRequests',
		path: () => '/devicecontrol/newDeviceRequests?x=1',
		nothing: () => '/devicecontrol/newDeviceRequests?currentPage=100',
		fill: (fixture, _, index) => fixture.call('admin', 'post', '/devicecontrol/newDeviceRequests', { body: { id: `d${index}` } }),
	},
	{
		name: 'certificates',
		path: () => '/certificate-authority/certificates?x=1',
		nothing: () => '/certificate-authority/certificates?deviceId=none',
		fill: (fixture, _, index) => issue(fixture, `issued${index}`),
	},
	{
		name: 'softwareList',
		path: (device) => `/service/advanced-software-mgmt/software?deviceId=${device}&name=*n*`,
		nothing: (device) => `/service/advanced-software-mgmt/software?deviceId=${device}&name=none`,
		fill: (fixture, device, index) =>
			fixture.call('admin', 'put', `/service/advanced-software-mgmt/software?deviceId=${device}`, {
				body: [{ name: `n${index}`, version: '1' }],
			}),
	},
	{
		name: 'managedObjects',
		path: () => '/inventory/binaries?x=1',
		nothing: () => '/inventory/binaries?type=none',
		fill: (fixture, _, index) => fixture.call('admin', 'post', '/inventory/binaries', fileForm(`content ${index}`)),
	},
	{
		name: 'devices',
		path: () => `${software}/devices?software=found`,
		nothing: () => `${software}/devices?software=none`,
		fill: (fixture) => install(fixture, 'found', '1'),
	},
	{
		name: 'versions',
		path: () => `${software}/versions?name=found`,
		nothing: () => `${software}/versions?name=none`,
		fill: (fixture, _, index) => install(fixture, 'found', `1.${index}`),
	},
	{
		name: 'users',
		path: () => '/user/t1/users?username=walked',
		nothing: () => '/user/t1/users?username=nobody',
		fill: (fixture, _, index) => addUser(fixture, `walked${index}`),
	},
	{
		name: 'references',
		path: () => '/user/t1/groups/100/users?x=1',
		nothing: () => '/user/t1/groups/100/users?currentPage=100',
		fill: async (fixture, _, index) => {
			if (index === 0) await fixture.call('admin', 'post', '/user/t1/groups', { body: { name: 'walked' } });
			const { body: user } = await addUser(fixture, `member${index}`);
			return fixture.call('admin', 'post', '/user/t1/groups/100/users', { body: { user: { self: user.self } } });
		},
	},
	{
		name: 'options',
		path: () => '/tenant/options?x=1',
		nothing: () => '/tenant/options?currentPage=100',
		fill: (fixture, _, index) =>
			fixture.call('admin', 'post', '/tenant/options', { body: { category: 'walked', key: `k${index}`, value: 'v' } }),
	},
	{
		name: 'certificates',
		path: () => `${certificates}?x=1`,
		nothing: () => `${certificates}?currentPage=100`,
		fill: (fixture, _, index) => trust(fixture, index),
	},
	{
		name: 'auditRecords',
		path: (device) => `/audit/auditRecords?source=${device}&type=walked`,
		nothing: () => '/audit/auditRecords?source=none',
		fill: (fixture, device, index) =>
			fixture.call('admin', 'post', '/audit/auditRecords', {
				body: { source: { id: device }, type: 'walked', text: `n${index}`, activity: 'a', time: '2026-11-21T20:23:30.412Z' },
			}),
	},
];

/** Collections that hold more than one entry from the start, or never more than one. */
const given: readonly { readonly path: string; readonly name: string; readonly reader?: Caller }[] = [
	{ path: '/user/t1/groups', name: 'groups' },
	{ path: '/user/roles', name: 'roles' },
	{ path: '/user/inventoryroles', name: 'roles' },
	{ path: '/tenant/tenants', name: 'tenants', reader: 'management' },
	{ path: '/application/applications', name: 'applications' },
	{ path: '/application/applicationsByName/advanced-software-mgmt', name: 'applications' },
	{ path: '/application/applicationsByUser/admin', name: 'applications' },
];

const refused = [
	'pageSize=0',
	'pageSize=2001',
	'pageSize=-1',
	'pageSize=1.5',
	'pageSize=5e1',
	'pageSize=',
	'pageSize=5&pageSize=6',
	'currentPage=0',
	'currentPage=x',
	'currentPage=9999999999',
	'withTotalPages=2',
	'withTotalElements=',
];

describe('http/collections', () => {
	it('has a row for every route with pages', async () => {
		const fixture = await openHttpFixture();
		const paged = httpRoutes(fixture.services).filter(({ query }) => 'pageSize' in query.shape);
		await fixture.close();
		const tried = [...collections.map(({ path }) => path('1').split('?')[0] ?? ''), ...given.map(({ path }) => path)];
		const isTried = (path: string) => tried.some((one) => new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`).test(one));
		expect(paged.map(({ path }) => path).filter((path) => !isTried(path))).to.deep.equal([]);
	});

	for (const { name, path, nothing, fill } of collections) {
		describe(path('{device}'), () => {
			let fixture: HttpFixture;
			let device: string;
			before(async () => {
				fixture = await openHttpFixture();
				device = (await fixture.call('admin', 'post', '/inventory/managedObjects', { body: {} })).body.id;
				for (let i = 0; i < 7; i++) await fill(fixture, device, i);
			});
			after(() => fixture.close());

			const get = (query: string) => fixture.call('admin', 'get', `${path(device)}${query}`);
			const page = async (query: string) => (await get(query)).body;

			it('has pages of five, and says where it is', async () => {
				const { [name]: entries, statistics, self, next, prev } = await page('');
				expect([entries.length, statistics, prev]).to.deep.equal([5, { currentPage: 1, pageSize: 5 }, undefined]);
				const [location = '', query] = path(device).split('?');
				expect(self).to.equal(`${fixture.url}${location}?${new URLSearchParams(query)}&pageSize=5&currentPage=1`);
				// Where pages go on behind an entry, it is named beside the number of the page.
				expect(next.replace(/&after\w*=[\w-]+$/, '')).to.equal(self.replace('currentPage=1', 'currentPage=2'));
			});

			it('is walked by its links, forth and back, each entry once', async () => {
				const seen: string[] = [];
				const followed = async (link: string) => (await fixture.call('admin', 'get', link.slice(fixture.url.length))).body;
				let current = await page('&pageSize=3');
				for (;;) {
					seen.push(...current[name].map((entry: unknown) => JSON.stringify(entry)));
					if (!current.next) break;
					current = await followed(current.next);
				}
				expect([seen.length, new Set(seen).size]).to.deep.equal([7, 7]);
				const back = await followed((await followed(current.prev)).prev);
				expect([back.statistics.currentPage, back.prev]).to.deep.equal([1, undefined]);
			});

			const pages: readonly (readonly [query: string, length: number, next: boolean, statistics: object])[] = [
				['&pageSize=7', 7, false, { currentPage: 1, pageSize: 7 }],
				['&pageSize=6', 6, true, { currentPage: 1, pageSize: 6 }],
				['&pageSize=2000', 7, false, { currentPage: 1, pageSize: 2000 }],
				['&pageSize=6&currentPage=2', 1, false, { currentPage: 2, pageSize: 6 }],
				['&currentPage=3', 0, false, { currentPage: 3, pageSize: 5 }],
				['&currentPage=1000000000&pageSize=2000', 0, false, { currentPage: 1_000_000_000, pageSize: 2000 }],
				['&currentPage=null', 5, true, { currentPage: 1, pageSize: 5 }],
				['&pageSize=1&withTotalPages=true', 1, true, { currentPage: 1, pageSize: 1, totalPages: 7 }],
				[
					'&withTotalPages=TRUE&withTotalElements=True',
					5,
					true,
					{ currentPage: 1, pageSize: 5, totalPages: 2, totalElements: 7 },
				],
				['&withTotalPages=false', 5, true, { currentPage: 1, pageSize: 5 }],
			];
			for (const [query, length, next, statistics] of pages) {
				it(`answers ${query}`, async () => {
					const body = await page(query);
					expect([body[name].length, 'next' in body, body.statistics]).to.deep.equal([length, next, statistics]);
				});
			}

			it('counts nothing as no page', async () => {
				const { body } = await fixture.call(
					'admin',
					'get',
					`${nothing(device)}&pageSize=1&withTotalPages=true&withTotalElements=true`,
				);
				expect(body[name]).to.deep.equal([]);
				expect(body).not.to.have.property('next');
				if (!nothing(device).includes('currentPage'))
					expect(body.statistics).to.deep.equal({ currentPage: 1, pageSize: 1, totalPages: 0, totalElements: 0 });
			});

			for (const query of refused) {
				it(`refuses ${query} by name`, async () =>
					expectRefusal(await get(`&${query}`), 400, new RegExp(query.split('=')[0] ?? '')));
			}

			it('loses no entry to others that are added meanwhile', async () => {
				const texts = (body: Record<string, unknown[]>) => (body[name] ?? []).map((entry) => JSON.stringify(entry));
				const before = texts(await page('&pageSize=7'));
				const seen: string[] = [];
				for (let at = 1, more = true; more; at++) {
					const body = await page(`&pageSize=3&currentPage=${at}`);
					seen.push(...texts(body));
					more = 'next' in body;
					if (at <= 3) await fill(fixture, device, 100 + at);
				}
				expect(before).to.have.length(7);
				expect(seen).to.include.members(before);
			});
		});
	}

	describe('of what is given', () => {
		let fixture: HttpFixture;
		before(async () => {
			fixture = await openHttpFixture();
		});
		after(() => fixture.close());

		for (const { path, name, reader = 'admin' } of given) {
			const get = (query: string) => fixture.call(reader, 'get', `${path}?${query}`);
			it(`walks ${path} by its links, each entry once`, async () => {
				const whole = (await get('pageSize=2000&withTotalPages=true&withTotalElements=true')).body;
				const total = whole[name].length;
				expect(whole.statistics).to.deep.equal({ currentPage: 1, pageSize: 2000, totalPages: 1, totalElements: total });
				const walked: unknown[] = [];
				for (let link = `${path}?pageSize=1`; link; ) {
					const { body } = await fixture.call(reader, 'get', link);
					walked.push(...body[name]);
					link = body.next?.slice(fixture.url.length) ?? '';
				}
				expect([total > 0, walked]).to.deep.equal([true, whole[name]]);
			});

			it(`shows nothing of ${path} behind the end`, async () => {
				const { body } = await get('currentPage=100');
				expect([body[name], 'next' in body, body.statistics.currentPage]).to.deep.equal([[], false, 100]);
			});

			for (const query of refused) {
				it(`refuses ${query} of ${path} by name`, async () =>
					expectRefusal(await get(query), 400, new RegExp(query.split('=')[0] ?? '')));
			}
		}
	});
});
