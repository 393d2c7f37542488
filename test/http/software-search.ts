import { expect } from 'chai';
import { parseManagedObjectId } from '../../inventory/index.ts';
import { type Caller, expectRefusal, type HttpFixture, openHttpFixture, tenant } from '../support/http-fixture.ts';

const devices = '/service/advanced-software-mgmt/devices';
const versions = '/service/advanced-software-mgmt/versions';

describe('http/software-search', () => {
	let fixture: HttpFixture;
	beforeEach(async () => {
		fixture = await openHttpFixture();
	});
	afterEach(() => fixture.close());

	const installed = async (name: string, ...packages: [name: string, version: string, softwareType?: string][]) => {
		const id = await fixture.createDevice({ name });
		const body = packages.map(([packageName, version, softwareType]) => ({ name: packageName, version, softwareType }));
		const path = `/service/advanced-software-mgmt/software?deviceId=${id}`;
		expect((await fixture.call('admin', 'post', path, { body })).status).to.equal(201);
		return id;
	};
	const get = (path: string, parameters: Record<string, string | number | string[]>, caller: Caller = 'admin') => {
		const pairs = Object.entries(parameters).flatMap(([key, value]) =>
			(Array.isArray(value) ? value : [String(value)]).map((each): [string, string] => [key, each]),
		);
		return fixture.call(caller, 'get', `${path}?${new URLSearchParams(pairs)}`);
	}; // biome-ignore format: as it is

	it('finds devices with an older version of a type, and says which', async () => {
		const old = await installed('old', ['openssl', '3.0.14-1~deb12u2', 'apt'], ['bash', '5.2', 'apt']);
		await installed('new', ['openssl', '3.0.15-1~deb12u1', 'apt']);
		await installed('other', ['openssl', '3.0.1', 'rpm']);
		await installed('none', ['openssl-tools', '1', 'apt']);
		const answer = await get(devices, { software: 'openssl;type=apt;version<3.0.15' });
		expect(answer.status).to.equal(200);
		const self = `${fixture.url}/inventory/managedObjects/${old}`;
		const software = [{ name: 'openssl', version: '3.0.14-1~deb12u2', softwareType: 'apt' }];
		expect(answer.body.devices).to.deep.equal([{ id: old, name: 'old', software, self }]);
		expect(answer.body.statistics).to.deep.equal({ currentPage: 1, pageSize: 5 });
		expect(answer.body).not.to.have.any.keys('next', 'prev');
	});

	it('pages by next links that go on behind the last device, with totals where they are wanted', async () => {
		const ids: string[] = [];
		for (let n = 0; n < 7; n++) ids.push(await installed(`d${n}`, ['a', `${n}`]));
		const first = await get(devices, { software: ['a', '!b'], pageSize: 3, withTotalPages: 'true', withTotalElements: 'true' });
		expect(first.body.statistics).to.deep.equal({ currentPage: 1, pageSize: 3, totalPages: 3, totalElements: 7 });
		const seen = [first.body.devices];
		let { next } = first.body;
		for (let page = 2; page <= 3; page++) {
			expect(new URL(next).searchParams.get('after')).to.equal(ids[page * 3 - 4]);
			const answer = await fixture.call('admin', 'get', next.slice(fixture.url.length));
			expect(answer.body.statistics.currentPage).to.equal(page);
			const previous = new URL(answer.body.prev).searchParams;
			expect([previous.get('after'), previous.get('currentPage')]).to.deep.equal([null, `${page - 1}`]);
			expect(previous.getAll('software')).to.deep.equal(['a', '!b']);
			seen.push(answer.body.devices);
			({ next } = answer.body);
		}
		expect(next).to.equal(undefined);
		expect(seen.map((page) => page.length)).to.deep.equal([3, 3, 1]);
		expect(seen.flat().map(({ id }) => id)).to.deep.equal(ids);
		const byNumber = await get(devices, { software: 'a', pageSize: 3, currentPage: 2 });
		expect(byNumber.body.devices.map(({ id }: { id: string }) => id)).to.deep.equal(ids.slice(3, 6));
		expect((await get(devices, { software: 'a', currentPage: 99 })).body.devices).to.deep.equal([]);
	});

	it('lists the versions of a name, the newest of each type first, by pages', async () => {
		const rows: [version: string, type?: string][] = [['1.9', 'apt'], ['1.10', 'apt'], ['1.10~rc1', 'apt'], ['1.9', 'apt'], ['1.0.0', 'npm'], ['latest']];
		for (const [version, type] of rows) await installed('d', ['a', version, ...(type ? [type] : [])] as [string, string, string?]);
		await installed('d', ['ab', '1']);
		const answer = await get(versions, { name: 'a', pageSize: 4, withTotalElements: 'true' });
		expect(answer.body.versions).to.deep.equal([
			{ name: 'a', version: 'latest', devices: 1 },
			{ name: 'a', version: '1.10', softwareType: 'apt', devices: 1 },
			{ name: 'a', version: '1.10~rc1', softwareType: 'apt', devices: 1 },
			{ name: 'a', version: '1.9', softwareType: 'apt', devices: 2 },
		]);
		expect(answer.body.statistics).to.deep.equal({ currentPage: 1, pageSize: 4, totalElements: 5 });
		const second = await fixture.call('admin', 'get', answer.body.next.slice(fixture.url.length));
		expect(second.body.versions).to.deep.equal([{ name: 'a', version: '1.0.0', softwareType: 'npm', devices: 1 }]);
		expect((await get(versions, { name: 'a', type: 'npm' })).body.versions).to.deep.equal(second.body.versions);
		expect((await get(versions, { name: 'never' })).body.versions).to.deep.equal([]);
	}); // biome-ignore format: as it is

	it('shows a device itself alone, and nothing of other tenants to anybody', async () => {
		const others = await installed('other', ['a', '1']);
		expect((await get(devices, { software: 'a' }, 'device')).body.devices).to.deep.equal([]);
		expect((await get(versions, { name: 'a' }, 'device')).body.versions).to.deep.equal([]);
		const own = await installed('own', ['a', '2']);
		await fixture.call('admin', 'post', `/identity/globalIds/${own}/externalIds`, {
			body: { type: 'c8y_Serial', externalId: 'dev1' },
		});
		for (const software of ['a', '!b', 'a;version>0']) {
			const answer = await get(devices, { software, withTotalElements: 'true' }, 'device');
			expect(answer.body.devices.map(({ id, serial }: { id: string; serial: string }) => [id, serial])).to.deep.equal([
				[own, 'dev1'],
			]);
			expect(answer.body.statistics.totalElements).to.equal(1);
			expect((await get(devices, { software, after: others }, 'device')).body.devices.length).to.equal(1);
		}
		expect((await get(versions, { name: 'a' }, 'device')).body.versions).to.deep.equal([{ name: 'a', version: '2', devices: 1 }]);
		expect((await get(devices, { software: 'a' }, 'otherAdmin')).body.devices).to.deep.equal([]);
		expect((await get(devices, { software: '!a' }, 'otherAdmin')).body.devices).to.deep.equal([]);
		expect((await get(versions, { name: 'a' }, 'otherAdmin')).body.versions).to.deep.equal([]);
	});

	it('shows a user with inventory roles what is below its groups, and nothing else', async () => {
		const { inventory, access } = fixture.services;
		const group = await fixture.createDevice({ name: 'group' });
		const ids: string[] = [];
		for (let n = 0; n < 5; n++) ids.push(await installed(`d${n}`, ['a', `${n}`]));
		await inventory.software.set(
			tenant,
			parseManagedObjectId(String(ids[3])),
			[
				{ name: 'a', version: '3' },
				{ name: 'b', version: '1' },
			],
			'advanced',
		);
		const inside = [ids[1], ids[3]].map((id) => String(id));
		for (const child of inside) {
			const body = { managedObject: { id: child } };
			expect((await fixture.call('admin', 'post', `/inventory/managedObjects/${group}/childAssets`, { body })).status).to.equal(
				201,
			);
		}
		expect((await get(devices, { software: 'a' }, 'manager')).status).to.equal(403);
		await access.directory.setInventoryRoles({ tenant, userName: 'admin', role: 'admin' }, 'manager', group, ['Reader']);
		const found = async (parameters: Record<string, string | number | string[]>) => {
			const { body } = await get(devices, { withTotalElements: 'true', ...parameters }, 'manager');
			return [body.devices.map(({ id }: { id: string }) => id), body.statistics.totalElements];
		};
		expect(await found({ software: 'a' })).to.deep.equal([inside, 2]);
		expect(await found({ software: 'a', pageSize: 1, currentPage: 2 })).to.deep.equal([inside.slice(1), 2]);
		expect(await found({ software: 'a', after: String(inside[0]) })).to.deep.equal([inside.slice(1), 2]);
		expect(await found({ software: ['a;version>0', 'b'] })).to.deep.equal([inside.slice(1), 1]);
		expect(await found({ software: '!b' })).to.deep.equal([[group, inside[0]], 2]);
		expect((await get(versions, { name: 'a' }, 'manager')).body.versions).to.deep.equal([
			{ name: 'a', version: '3', devices: 1 },
			{ name: 'a', version: '1', devices: 1 },
		]);
		expect((await get(versions, { name: 'a' })).body.versions).to.have.length(5);
	});

	const bad: [path: string, status: number, message: RegExp][] = [
		[devices, 400, /^software is missing: give a condition such as openssl;type=apt/],
		[`${devices}?software=`, 422, /position 1: expected the name of a package, found the end/],
		[`${devices}?software=libstdc++6`, 422, /position 8: .*%2B/],
		[`${devices}?software=a&software=b;`, 422, /software 2 of 2 cannot be read at position 3/],
		[`${devices}?software=a;version<x;order=semver`, 422, /position 11: expected a version in the order semver, found 'x'/],
		[`${devices}?software=a&after=x`, 400, /after must be the id of a device, found 'x'/],
		[`${devices}?software=a&after=1&after=2`, 400, /after must be given once/],
		[`${devices}?software=a&pageSize=2001`, 400, /pageSize must be a whole number from 1 to 2000/],
		[`${devices}?software=a&currentPage=0`, 400, /currentPage/],
		[`${devices}?software=${'a'.repeat(1001)}`, 422, /at most 1000 characters/],
		[`${devices}?${Array(21).fill('software=a').join('&')}`, 422, /at most 20 terms/],
		[versions, 400, /name is missing/],
		[`${versions}?name=`, 400, /name is empty/],
		[`${versions}?name=a&name=b`, 400, /name must be given once/],
		[`${versions}?name=a&type=`, 400, /type is empty/],
	]; // biome-ignore format: one line a row
	for (const [path, status, message] of bad) {
		it(`refuses ${path.slice(33, 90)}`, async () => expectRefusal(await fixture.call('admin', 'get', path), status, message));
	}

	it('asks for credentials', async () => {
		for (const path of [`${devices}?software=a`, `${versions}?name=a`])
			expect((await fixture.call(undefined, 'get', path)).status).to.equal(401);
	});
});
