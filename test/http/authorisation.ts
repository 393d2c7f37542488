import { Readable } from 'node:stream';
import { expect } from 'chai';
import { childKinds } from '../../inventory/index.ts';
import type { HttpMethod } from '../support/checked-http-client.ts';
import { type Caller, type HttpFixture, openHttpFixture, tenant } from '../support/http-fixture.ts';
import { fileForm } from '../support/multipart.ts';

/** Who may do what, as statuses: the device is the one that the object belongs to, the foreign one is another of its tenant. */
interface Row {
	readonly method: HttpMethod;
	/**
	 * `{object}`, `{operation}`, `{binary}` and `{serial}` are of the device, `{child}` is below it in every kind; each call finds
	 * them as new.
	 */
	readonly url: string;
	readonly body?: unknown;
	/** The file of a form. */
	readonly form?: string;
	readonly admin: number;
	readonly device: number;
	readonly foreignDevice: number;
	/** The administrator of another tenant. */
	readonly otherAdmin: number;
	readonly bootstrap?: number;
}

const asm = '/service/advanced-software-mgmt';
const software = `${asm}/software?deviceId={object}`;
const everybody = { admin: 200, device: 200, foreignDevice: 200, otherAdmin: 200 };
const own = { admin: 200, device: 200, foreignDevice: 403, otherAdmin: 404 };
const usersOnly = { admin: 200, device: 403, foreignDevice: 403, otherAdmin: 404 };
const packages = [{ name: 'a', version: '1' }];

const rows: readonly Row[] = [
	{ method: 'get', url: software, ...own },
	{ method: 'post', url: software, body: packages, ...own, admin: 201, device: 201 },
	{ method: 'put', url: software, body: packages, ...own },
	{ method: 'delete', url: software, body: packages, ...own, admin: 204, device: 204 },
	{
		method: 'post',
		url: `${asm}/software/changes?deviceId={object}`,
		body: [{ name: 'a', version: '1', action: 'install' }],
		...own,
		admin: 201,
		device: 201,
	},
	{ method: 'get', url: `${asm}/devices?software=a`, ...everybody },
	{ method: 'get', url: `${asm}/versions?name=a`, ...everybody },
	{ method: 'post', url: '/inventory/managedObjects', body: {}, admin: 201, device: 201, foreignDevice: 201, otherAdmin: 201 },
	{ method: 'get', url: '/inventory/managedObjects', ...everybody },
	{ method: 'get', url: '/inventory/managedObjects/count', ...everybody },
	{ method: 'get', url: '/inventory/managedObjects/{object}', ...own },
	{ method: 'put', url: '/inventory/managedObjects/{object}', body: { a: 1 }, ...own },
	{ method: 'delete', url: '/inventory/managedObjects/{object}', ...own, admin: 204, device: 204 },
	{ method: 'get', url: '/inventory/managedObjects/{object}/supportedMeasurements', ...own },
	{ method: 'get', url: '/inventory/managedObjects/{object}/supportedSeries', ...own },
	{ method: 'get', url: '/inventory/managedObjects/{object}/availability', ...own },
	...['childDevices', 'childAssets', 'childAdditions'].flatMap((kind): Row[] => {
		const url = `/inventory/managedObjects/{object}/${kind}`;
		const reference = { managedObject: { id: '{child}' } };
		return [
			{ method: 'get', url, ...own },
			{ method: 'post', url, body: { name: 'new' }, ...own, admin: 201, device: 201 },
			{ method: 'post', url, body: reference, ...own, admin: 201, device: 201 },
			{ method: 'post', url, body: { references: [reference] }, ...own, admin: 201, device: 201 },
			{ method: 'post', url, body: { managedObject: { id: '{foreign}' } }, ...own, admin: 201, device: 403 },
			{ method: 'get', url: `${url}/{child}`, ...own },
			{ method: 'delete', url: `${url}/{child}`, ...own, admin: 204, device: 204 },
		];
	}),
	{
		method: 'post',
		url: '/identity/globalIds/{object}/externalIds',
		body: { type: 'x', externalId: 'y' },
		...own,
		admin: 201,
		device: 201,
	},
	{ method: 'get', url: '/identity/globalIds/{object}/externalIds', ...own },
	{ method: 'get', url: '/identity/externalIds/c8y_Serial/dev1', ...own },
	{ method: 'delete', url: '/identity/externalIds/c8y_Serial/dev1', ...own, admin: 204, device: 204 },
	{
		method: 'post',
		url: '/devicecontrol/operations',
		body: { deviceId: '{object}', c8y_Restart: {} },
		...own,
		admin: 201,
		device: 201,
	},
	{ method: 'get', url: '/devicecontrol/operations', ...everybody },
	{ method: 'get', url: '/devicecontrol/operations?agentId={object}', ...everybody, foreignDevice: 403 },
	{
		method: 'delete',
		url: '/devicecontrol/operations?agentId={object}',
		admin: 204,
		device: 204,
		foreignDevice: 403,
		otherAdmin: 204,
	},
	{ method: 'get', url: '/devicecontrol/operations/{operation}', ...own },
	{ method: 'put', url: '/devicecontrol/operations/{operation}', body: { status: 'EXECUTING' }, ...own },
	{ method: 'post', url: '/devicecontrol/newDeviceRequests', body: { id: 'new' }, ...usersOnly, admin: 201, otherAdmin: 201 },
	{ method: 'get', url: '/devicecontrol/newDeviceRequests', ...usersOnly, otherAdmin: 200 },
	{ method: 'get', url: '/devicecontrol/newDeviceRequests/expected', ...usersOnly },
	{ method: 'put', url: '/devicecontrol/newDeviceRequests/expected', body: { status: 'ACCEPTED' }, ...usersOnly },
	{ method: 'delete', url: '/devicecontrol/newDeviceRequests/expected', ...usersOnly, admin: 204 },
	{
		method: 'post',
		url: '/devicecontrol/deviceCredentials',
		body: { id: 'expected' },
		admin: 403,
		device: 403,
		foreignDevice: 403,
		otherAdmin: 403,
		bootstrap: 404,
	},
	{ method: 'get', url: '/audit/auditRecords', ...usersOnly, otherAdmin: 200 },
	{ method: 'get', url: '/audit/auditRecords/export', ...usersOnly, otherAdmin: 200 },
	{ method: 'get', url: '/audit/auditRecords/{record}', ...usersOnly },
	{
		method: 'post',
		url: '/audit/auditRecords',
		body: { type: 'Inventory', time: '2026-11-22', activity: 'a', text: 'b', source: { id: '{object}' } },
		...usersOnly,
		admin: 201,
		otherAdmin: 201,
	},
	{ method: 'get', url: '/tenant/currentTenant', ...everybody },
	{ method: 'post', url: '/inventory/binaries', form: 'new', admin: 201, device: 201, foreignDevice: 201, otherAdmin: 201 },
	{ method: 'get', url: '/inventory/binaries', ...everybody },
	{ method: 'get', url: '/inventory/binaries/{binary}', ...own },
	{ method: 'put', url: '/inventory/binaries/{binary}', body: 'other', ...own, admin: 201, device: 201 },
	{ method: 'delete', url: '/inventory/binaries/{binary}', ...own, admin: 204, device: 204 },
];

describe('http/authorisation', () => {
	let fixture: HttpFixture;
	before(async () => {
		fixture = await openHttpFixture();
	});
	after(() => fixture.close());

	/** A device with an operation, and an expected device that has polled; made anew for each call. */
	async function prepare(): Promise<(text: string) => string> {
		const { inventory, operations, access, binaries } = fixture.services;
		const known = await inventory.devices.find(tenant, 'dev1');
		if (known) await inventory.objects.remove(tenant, known, []);
		const fragments = {
			c8y_IsDevice: {},
			com_cumulocity_model_Agent: {},
			c8y_SupportedOperations: ['c8y_SoftwareUpdate', 'c8y_Restart'],
		};
		const { id } = await inventory.devices.ensure(tenant, 'dev1', () => ({
			owner: 'device_dev1',
			name: 'dev1',
			type: 't',
			fragments,
		}));
		const operation = await operations.create(tenant, { deviceId: id, fragments: { c8y_Restart: {} } });
		const make = (owner: string) => inventory.objects.create(tenant, { owner, patch: { fragments: {} } });
		const [child, foreign] = [await make('device_dev1'), await make('device_dev2')];
		if (!child || !foreign) throw new Error('nothing was made');
		for (const kind of childKinds) await inventory.hierarchy.link(tenant, id, kind, child.id);
		for (const serial of ['new', 'expected']) {
			for (const of of [tenant, 't2']) await access.registration.remove(of, serial).catch(() => {});
		}
		const received = await binaries.receive(tenant, Readable.from([Buffer.from('bytes')]));
		const patch = { fragments: {} };
		const binary = await binaries.create(tenant, { owner: 'device_dev1', patch, contentType: 'text/plain' }, received);
		await access.registration.request(tenant, 'expected');
		await access.registration.poll('expected');
		const [record] = await fixture.audit.list(tenant, { source: id }, { skip: 0, limit: 1, revert: false });
		const ids = {
			object: id,
			operation: operation.id,
			child: child.id,
			foreign: foreign.id,
			binary: binary.id,
			record: String(record?.number),
		};
		return (text) => Object.entries(ids).reduce((filled, [name, value]) => filled.replaceAll(`{${name}}`, value), text);
	}

	it('has a row for every route that is not public', () => {
		const covered = new Set(
			rows.map(({ method, url }) => {
				const path = url.split('?')[0]?.replace(/\{operation\}|\{object\}|\{binary\}|\{record\}|expected$/, '{id}');
				return `${method} ${path?.replace('{child}', '{childId}')}`;
			}),
		);
		const routes = fixture.routes
			.filter(({ permission }) => permission !== 'public')
			.map(({ method, path }) => `${method} ${path}`);
		const found = routes.filter((each) => !covered.has(each.replace('{type}/{externalId}', 'c8y_Serial/dev1')));
		expect(found).to.deep.equal([]);
	});

	for (const row of rows) {
		const { method, url, body, form, admin, device, foreignDevice, otherAdmin, bootstrap = 403 } = row;
		const expected: readonly (readonly [Caller | undefined, number])[] = [
			[undefined, 401],
			['wrongPassword', 401],
			['bootstrap', bootstrap],
			['foreignDevice', foreignDevice],
			['otherAdmin', otherAdmin],
			['device', device],
			['admin', admin],
		];
		it(`${method.toUpperCase()} ${url} lets in who may`, async () => {
			const found: (readonly [Caller | undefined, number])[] = [];
			for (const [caller] of expected) {
				fixture.time += 61_000;
				const fill = await prepare();
				const filled = form !== undefined ? fileForm(form) : body === undefined ? {} : { text: fill(JSON.stringify(body)) };
				found.push([caller, (await fixture.call(caller, method, fill(url), filled)).status]);
			}
			expect(found).to.deep.equal(expected);
		});
	}

	it('lets a device touch what is below it, and see nothing else in lists', async () => {
		await prepare();
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
		const nothing = await fixture.call('foreignDevice', 'get', '/devicecontrol/operations?pageSize=2000&withTotalElements=true');
		expect([nothing.body.operations, nothing.body.statistics.totalElements]).to.deep.equal([[], 0]);
	});

	it('does not let a device take the serial of another one, nor remove its user', async () => {
		const fill = await prepare();
		const taken = { type: 'c8y_Serial', externalId: 'dev2' };
		const path = fill('/identity/globalIds/{object}/externalIds');
		expect((await fixture.call('device', 'post', path, { body: taken })).status).to.equal(403);
		expect((await fixture.call('device', 'post', path, { body: { ...taken, externalId: 'child-of-dev1' } })).status).to.equal(
			201,
		);
	});
});
