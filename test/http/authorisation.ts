import { expect } from 'chai';
import type { Route } from '../../service/http/index.ts';
import { type Caller, type HttpFixture, openHttpFixture, tenant } from '../support/http-fixture.ts';
import { fileForm } from '../support/multipart.ts';
import { openRouteObjects } from '../support/route-objects.ts';
import { openRoutes, type Person, type RouteRow, routeRows } from '../support/route-rows.ts';

/** The route that answers, as the paths are tried. */
function routeOf(routes: readonly Route[], { method, url }: Pick<RouteRow, 'method' | 'url'>): Route | undefined {
	const path = (url.split('?')[0] ?? '').replaceAll(/\{\w+\}/g, '1');
	return routes.find((each) => each.method === method && new RegExp(`^${each.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path));
}

/** What each caller is to be answered; who changes nothing comes first. */
function expectedOf(row: RouteRow): readonly (readonly [Caller | undefined, number])[] {
	const { admin, device, foreignDevice, otherAdmin, may = [], childDevice = foreignDevice, bootstrap = 403 } = row;
	const { otherDevice = device === 403 ? 403 : otherAdmin, management = otherAdmin } = row;
	const person = (who: Person): [Person, number] => [who, row[who] ?? (may.includes(who) ? admin : 403)];
	return [
		[undefined, 401],
		['wrongPassword', 401],
		['bootstrap', bootstrap],
		['foreignDevice', foreignDevice],
		['childDevice', childDevice],
		['otherDevice', otherDevice],
		['otherAdmin', otherAdmin],
		person('nobody'),
		person('reader'),
		person('operator'),
		person('foreignManager'),
		person('manager'),
		['management', management],
		['device', device],
		['admin', admin],
	];
}

describe('http/authorisation', () => {
	let fixture: HttpFixture;
	let objects: Awaited<ReturnType<typeof openRouteObjects>>;
	before(async () => {
		fixture = await openHttpFixture();
		objects = await openRouteObjects(fixture);
	});
	after(() => fixture.close());

	it('has a row for every route that is not open, and a route for every row', () => {
		const open = new Set(openRoutes.map(([method, path]) => `${method} ${path}`));
		const covered = new Set(routeRows.map((row) => routeOf(fixture.routes, row)));
		const nameOf = ({ method, path }: Pick<Route, 'method' | 'path'>) => `${method} ${path}`;
		expect(fixture.routes.filter((each) => !open.has(nameOf(each)) && !covered.has(each)).map(nameOf)).to.deep.equal([]);
		expect(routeRows.filter((row) => routeOf(fixture.routes, row) === undefined)).to.deep.equal([]);
	});

	for (const row of routeRows) {
		const { method, url, body, form } = row;
		it(`${method.toUpperCase()} ${url} lets in who may`, async () => {
			const expected = expectedOf(row);
			const found: (readonly [Caller | undefined, number])[] = [];
			let prepared: ((text: string) => string) | undefined;
			for (const [caller] of expected) {
				fixture.time += 61_000;
				const fill = prepared ?? (await objects.prepare());
				const filled = form !== undefined ? fileForm(form) : body === undefined ? {} : { text: fill(JSON.stringify(body)) };
				const { status } = await fixture.call(caller, method, fill(url), filled);
				found.push([caller, status]);
				// What was refused, or only read, is there for the next one.
				prepared = status >= 400 || method === 'get' ? fill : undefined;
			}
			expect(found).to.deep.equal(expected);
		});
	}

	it('lets a device touch what is below it, and see nothing else in lists', async () => {
		await objects.prepare();
		const { inventory, operations } = fixture.services;
		const parent = await inventory.devices.find(tenant, 'dev1');
		if (!parent) throw new Error('dev1 is missing');
		const child = await inventory.objects.create(tenant, {
			owner: 'admin',
			patch: { name: 'child', fragments: {} },
			parent: { id: parent, kind: 'childDevices' },
		});
		const other = await inventory.objects.create(tenant, { owner: 'device_dev2', patch: { name: 'other', fragments: {} } });
		await operations.create(tenant, { deviceId: other?.id ?? parent, fragments: { c8y_Restart: {} } });
		await operations.create(tenant, { deviceId: child?.id ?? parent, fragments: { c8y_Restart: {} } });

		expect((await fixture.call('device', 'get', `/inventory/managedObjects/${child?.id}`)).status).to.equal(200);
		expect((await fixture.call('foreignDevice', 'get', `/inventory/managedObjects/${child?.id}`)).status).to.equal(403);
		const list = await fixture.call('device', 'get', '/inventory/managedObjects?pageSize=2000');
		expect(new Set(list.body.managedObjects.map(({ owner }: { owner: string }) => owner))).to.deep.equal(
			new Set(['device_dev1']),
		);
		expect((await fixture.call('device', 'get', '/inventory/managedObjects?owner=admin')).status).to.equal(403);
		const seen = await fixture.call('device', 'get', '/devicecontrol/operations?pageSize=2000');
		expect(new Set(seen.body.operations.map(({ agentId }: { agentId: string }) => agentId))).to.deep.equal(new Set([parent]));
		const query = { c8y_IsDevice: {}, c8y_IsDynamicGroup: {}, c8y_DeviceQueryString: "name eq '*'" };
		await fixture.call('admin', 'post', '/inventory/managedObjects', { body: { name: 'of others', c8y_IsDevice: {} } });
		expect((await fixture.call('device', 'put', `/inventory/managedObjects/${parent}`, { body: query })).status).to.equal(200);
		const found = await fixture.call('device', 'get', `/inventory/managedObjects/${parent}/childAssets?pageSize=2000`);
		const owners = found.body.references.map(({ managedObject }: { managedObject: { owner: string } }) => managedObject.owner);
		expect(new Set(owners)).to.deep.equal(new Set(['device_dev1']));
		const nothing = await fixture.call('foreignDevice', 'get', '/devicecontrol/operations?pageSize=2000&withTotalElements=true');
		expect([nothing.body.operations, nothing.body.statistics.totalElements]).to.deep.equal([[], 0]);
	});

	it('does not let a device take the serial of another one, nor remove its user', async () => {
		const fill = await objects.prepare();
		const taken = { type: 'c8y_Serial', externalId: 'dev2' };
		const path = fill('/identity/globalIds/{object}/externalIds');
		expect((await fixture.call('device', 'post', path, { body: taken })).status).to.equal(403);
		expect((await fixture.call('device', 'post', path, { body: { ...taken, externalId: 'child-of-dev1' } })).status).to.equal(
			201,
		);
	});
});
