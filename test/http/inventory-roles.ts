import { expect } from 'chai';
import { expectRefusal, type HttpFixture, openHttpFixture, tenant } from '../support/http-fixture.ts';
import { fileForm } from '../support/multipart.ts';

const asm = '/service/advanced-software-mgmt/software';
const inventoryRoles = `/user/${tenant}/users/manager/roles/inventory`;

describe('http/inventory-roles', () => {
	let fixture: HttpFixture;
	let group = '';
	let device = '';
	let child = '';
	let other = '';
	const create = async (body: object, below = '') => {
		const answer = await fixture.call('admin', 'post', `/inventory/managedObjects${below}`, { body });
		expect(answer.status).to.equal(201);
		return String(answer.body.id);
	};
	const link = async (parent: string, kind: string, id: string) =>
		fixture.call('admin', 'post', `/inventory/managedObjects/${parent}/${kind}`, { body: { managedObject: { id } } });
	before(async () => {
		fixture = await openHttpFixture();
		const agent = {
			c8y_IsDevice: {},
			com_cumulocity_model_Agent: {},
			c8y_SupportedOperations: ['c8y_Restart', 'c8y_SoftwareUpdate'],
		};
		group = await create({ name: 'group', c8y_IsDeviceGroup: {} });
		const inner = await create({ name: 'inner', c8y_IsDeviceGroup: {} });
		device = await create({ name: 'device', ...agent });
		child = await create({ name: 'child', c8y_IsDevice: {} });
		other = await create({ name: 'other', ...agent });
		await link(group, 'childAssets', inner);
		await link(inner, 'childAssets', device);
		await link(device, 'childDevices', child);
		for (const deviceId of [device, other]) {
			const body = { deviceId, c8y_Restart: {} };
			expect((await fixture.call('admin', 'post', '/devicecontrol/operations', { body })).status).to.equal(201);
			await fixture.call('admin', 'post', `${asm}?deviceId=${deviceId}`, { body: [{ name: 'a', version: '1' }] });
			await fixture.call('admin', 'post', '/inventory/binaries', fileForm(`file of ${deviceId}`));
		}
	});
	after(() => fixture.close());

	async function give(...ids: number[]): Promise<void> {
		await fixture.call('admin', 'delete', `${inventoryRoles}/${group}`);
		if (ids.length === 0) return;
		const body = { managedObject: group, roles: ids.map((id) => ({ id })) };
		const { status } = await fixture.call('admin', 'post', inventoryRoles, { body });
		expect(status).to.equal(201);
	}

	const names = async (path: string) => {
		const { status, body } = await fixture.call('manager', 'get', `/inventory/managedObjects?pageSize=100&${path}`);
		expect(status).to.equal(200);
		return body.managedObjects
			.map(({ name }: { name?: string }) => name)
			.filter(Boolean)
			.sort();
	};

	it('shows in lists, queries, counts, operations, software and binaries what is below the group, and nothing else', async () => {
		await give(1);
		expect(await names('')).to.deep.equal(['child', 'device', 'group', 'inner']);
		expect(await names('q=')).to.deep.equal(['child', 'device']);
		expect(await names("query=name eq '*'")).to.deep.equal(['child', 'device', 'group', 'inner']);
		expect(await names(`query=isinhierarchyof(${other}) or name eq 'other'`)).to.deep.equal([]);
		expect(await names(`ids=${other},${device}`)).to.deep.equal(['device']);
		expect(await names('owner=admin&fragmentType=c8y_IsDevice')).to.deep.equal(['child', 'device']);
		const visible = await fixture.call('admin', 'get', `/inventory/managedObjects/count?query=isinhierarchyof(${group})`);
		expect((await fixture.call('manager', 'get', '/inventory/managedObjects/count')).body).to.equal(visible.body);
		const operations = await fixture.call('manager', 'get', '/devicecontrol/operations?withTotalElements=true');
		expect(operations.body.operations.map(({ deviceId }: { deviceId: string }) => deviceId)).to.deep.equal([device]);
		expect(operations.body.statistics.totalElements).to.equal(1);
		expect((await fixture.call('manager', 'get', '/inventory/binaries')).body.managedObjects).to.deep.equal([]);
		expect((await fixture.call('manager', 'get', `${asm}?deviceId=${device}`)).body.softwareList).to.have.length(1);
		for (const path of [
			`/inventory/managedObjects/${other}`,
			`/inventory/managedObjects/${other}/childDevices`,
			`/devicecontrol/operations?deviceId=${other}`,
			`${asm}?deviceId=${other}`,
			`/identity/globalIds/${other}/externalIds`,
		])
			expectRefusal(await fixture.call('manager', 'get', path), 403, /not below a group/);
		expectRefusal(await fixture.call('manager', 'get', '/devicecontrol/newDeviceRequests'), 403, /registrations:write/);
	});

	it('shows of the parents of an object those that the user may read, wherever it is shown', async () => {
		await give(1);
		const [secret, above] = [await create({ name: 'secret' }), await create({ name: 'above' })];
		const sensor = await create({ name: 'sensor' }, `/${device}/childDevices`);
		for (const kind of ['childDevices', 'childAssets', 'childAdditions']) {
			await link(secret, kind, sensor);
			await link(above, kind, group);
		}
		const parentsIn = (object: Record<string, unknown>) =>
			['deviceParents', 'assetParents', 'additionParents'].flatMap((name) => {
				const { references } = object[name] as { references: { managedObject: { id: string; name: string } }[] };
				return references.map(({ managedObject }) => [name, managedObject.name]);
			});
		const shown = async (caller: 'admin' | 'manager', path: string) => {
			const { body } = await fixture.call(caller, 'get', `/inventory/managedObjects${path}withParents=true`);
			const listed: Record<string, unknown>[] = (body.references ?? body.managedObjects ?? [body]).map(
				(each: { managedObject?: Record<string, unknown> }) => each.managedObject ?? each,
			);
			expect(listed).to.have.length(1);
			return listed.flatMap(parentsIn);
		};
		for (const path of [`/${sensor}?`, `?ids=${sensor}&`, `/${device}/childDevices?ids=${sensor}&`]) {
			expect(await shown('manager', path), path).to.deep.equal([['deviceParents', 'device']]);
			expect(await shown('admin', path), path).to.have.deep.members([
				['deviceParents', 'device'],
				['deviceParents', 'secret'],
				['assetParents', 'secret'],
				['additionParents', 'secret'],
			]);
		}
		expect(await shown('manager', `/${group}?`)).to.deep.equal([]);
		expect(await shown('admin', `/${group}?`)).to.have.length(3);
		for (const id of [sensor, secret, above]) await fixture.call('admin', 'delete', `/inventory/managedObjects/${id}`);
	});

	it('shows a device the parents that are its own or below it, and no others', async () => {
		const { inventory } = fixture.services;
		const make = async (owner: string, name: string, fragments = {}) => {
			const made = await inventory.objects.create(tenant, { owner, patch: { name, fragments } });
			if (!made) throw new Error('nothing was made');
			return made.id;
		};
		const fragments = { c8y_IsDevice: {}, com_cumulocity_model_Agent: {} };
		const own = await inventory.devices.ensure(tenant, 'dev2', () => ({
			owner: 'device_dev2',
			name: 'dev2',
			type: 't',
			fragments,
		}));
		const top = await make('admin', 'group of dev2');
		const child = await make('admin', 'child of dev2');
		const agentBelow = await make('admin', 'agent below dev2', fragments);
		const service = await make('device_dev2', 'service');
		const { hierarchy } = inventory;
		await hierarchy.link(tenant, top, 'childAssets', own.id);
		await hierarchy.link(tenant, own.id, 'childDevices', child);
		await hierarchy.link(tenant, own.id, 'childDevices', agentBelow);
		for (const parent of [child, agentBelow, own.id, top]) await hierarchy.link(tenant, parent, 'childAdditions', service);
		const parentsOf = async (id: string) => {
			const { body } = await fixture.call('foreignDevice', 'get', `/inventory/managedObjects/${id}?withParents=true`);
			return [...body.deviceParents.references, ...body.assetParents.references, ...body.additionParents.references]
				.map(({ managedObject }) => managedObject.name)
				.sort();
		};
		expect(await parentsOf(own.id)).to.deep.equal([]);
		expect(await parentsOf(child)).to.deep.equal(['dev2']);
		expect(await parentsOf(service)).to.deep.equal(['child of dev2', 'dev2']);
	});

	const restart = (deviceId: string) =>
		fixture.call('manager', 'post', '/devicecontrol/operations', { body: { deviceId, c8y_Restart: {} } });
	const rename = (id: string) => fixture.call('manager', 'put', `/inventory/managedObjects/${id}`, { body: { note: 1 } });

	for (const [what, ids, mayOperate, mayChange] of [
		['a reader', [1], false, false],
		['who may operate', [2], true, false],
		['a manager', [3], true, true],
		['who has several', [1, 3], true, true],
		['who has none', [], false, false],
	] as const) {
		it(`lets ${what} do that below the group, and nowhere else`, async () => {
			await give(...ids);
			expect([(await restart(device)).status, (await restart(other)).status]).to.deep.equal([mayOperate ? 201 : 403, 403]);
			expect([(await rename(child)).status, (await rename(other)).status]).to.deep.equal([mayChange ? 200 : 403, 403]);
			expect((await fixture.call('manager', 'post', '/inventory/managedObjects', { body: {} })).status).to.equal(403);
			expect((await fixture.call('manager', 'get', '/inventory/managedObjects')).status).to.equal(ids.length > 0 ? 200 : 403);
		});
	}

	it('does not let a manager take in what is outside, nor give away its files or its credentials', async () => {
		await give(3);
		const body = { managedObject: { id: other } };
		expect((await fixture.call('manager', 'post', `/inventory/managedObjects/${group}/childAssets`, { body })).status).to.equal(
			403,
		);
		expect((await fixture.call('manager', 'delete', '/devicecontrol/operations?status=PENDING')).status).to.equal(204);
		const left = await fixture.call('admin', 'get', '/devicecontrol/operations?pageSize=100');
		expect(new Set(left.body.operations.map(({ deviceId }: { deviceId: string }) => deviceId))).to.deep.equal(new Set([other]));
		const bind = { body: { type: 'c8y_Serial', externalId: 'dev1' } };
		const ids = `/identity/globalIds/${child}/externalIds`;
		expectRefusal(await fixture.call('manager', 'post', ids, bind), 403, /serial of another device/);
		expect((await fixture.call('admin', 'post', ids, bind)).status).to.equal(201);
		const stolen = await fixture.call('manager', 'delete', `/inventory/managedObjects/${child}?withDeviceUser=true`);
		expectRefusal(stolen, 403, /takes its credentials/);
		expect((await fixture.call('device', 'get', '/tenant/currentTenant')).status).to.equal(200);
	});

	it('shows of a group with a query only what is linked below it, whoever wrote it', async () => {
		await give(3);
		const dynamic = { c8y_IsDynamicGroup: {}, c8y_DeviceQueryString: "name eq '*'" };
		const path = `/inventory/managedObjects/${group}/childAssets`;
		const { status, body } = await fixture.call('manager', 'post', path, { body: dynamic });
		expect(status).to.equal(201);
		const found = async (query: string) => {
			const children = `/inventory/managedObjects/${body.id}/childAssets?pageSize=100${query}`;
			const listed = (await fixture.call('manager', 'get', children)).body.references;
			return listed.map(({ managedObject }: { managedObject: { name: string } }) => managedObject.name).sort();
		};
		expect(await found('')).to.deep.equal([]);
		const children = `/inventory/managedObjects/${body.id}/childAssets`;
		expect((await fixture.call('manager', 'post', children, { body: { name: 'linked' } })).status).to.equal(201);
		expect(await found('')).to.deep.equal(['linked']);
		expect(await found(`&query=name eq 'other'`)).to.deep.equal([]);
		await fixture.call('admin', 'delete', `/inventory/managedObjects/${body.id}?forceCascade=true`);
	});

	it('does not give devices files that a manager may not read', async () => {
		await give(3);
		const file = await fixture.call('admin', 'post', '/inventory/binaries', fileForm('a file'));
		const item = { type: 'c8y_SoftwareBinary', c8y_Software: { version: '1', url: file.body.self } };
		const path = `/inventory/managedObjects/${group}/childAdditions`;
		expect((await fixture.call('manager', 'post', path, { body: item })).status).to.equal(201);
		expect((await fixture.call('device', 'get', `/inventory/binaries/${file.body.id}`)).status).to.equal(403);
	});

	it('adds to what the user may do in the whole tenant', async () => {
		await give(3);
		await fixture.call('admin', 'post', `/user/${tenant}/groups/4/users`, { body: { user: { id: 'manager' } } });
		expect(await names('')).to.include.members(['other', 'device']);
		expect([(await rename(device)).status, (await rename(other)).status]).to.deep.equal([200, 403]);
		await fixture.call('admin', 'delete', `/user/${tenant}/groups/4/users/manager`);
	});

	it('is shown, changed and taken away', async () => {
		await give(1);
		const listed = await fixture.call('admin', 'get', inventoryRoles);
		expect(listed.body.inventoryAssignments).to.have.length(1);
		expect(listed.body.inventoryAssignments[0]).to.deep.include({ id: Number(group), managedObject: group });
		const changed = await fixture.call('admin', 'put', `${inventoryRoles}/${group}`, { body: { roles: [{ id: 3 }] } });
		expect(changed.body.roles.map(({ name }: { name: string }) => name)).to.deep.equal(['Manager']);
		expect((await fixture.call('admin', 'delete', `${inventoryRoles}/${group}`)).status).to.equal(204);
		expectRefusal(await fixture.call('admin', 'get', `${inventoryRoles}/${group}`), 404, /no inventory roles/);
	});

	for (const [body, status, message] of [
		[{ managedObject: '99999', roles: [{ id: 1 }] }, 404, /No managed object/],
		[{ managedObject: 'x', roles: [{ id: 1 }] }, 404, /an id has decimal digits/],
		[{ managedObject: '{group}', roles: [] }, 422, /roles/],
		[{ managedObject: '{group}', roles: [{ id: 4 }] }, 422, /inventory role 4/],
		[{ managedObject: '{group}', roles: [{ id: 0 }] }, 422, /inventory role 0/],
		[{ managedObject: '{group}', roles: [{ name: 'Manager' }] }, 422, /roles/],
		[{ roles: [{ id: 1 }] }, 422, /managedObject/],
		[{ managedObject: '{dynamic}', roles: [{ id: 1 }] }, 422, /is a query/],
	] as const) {
		it(`refuses ${JSON.stringify(body)}`, async () => {
			const dynamic = await fixture.call('admin', 'post', '/inventory/managedObjects', { body: { c8y_IsDynamicGroup: {} } });
			const text = JSON.stringify(body).replace('{group}', group).replace('{dynamic}', dynamic.body.id);
			expectRefusal(await fixture.call('admin', 'post', inventoryRoles, { text }), status, message);
		});
	}
});
