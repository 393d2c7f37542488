import { Readable } from 'node:stream';
import { expect } from 'chai';
import { describeCertificate, type InventoryRole, inventoryRoles, type Principal, rolePermissions } from '../../access/index.ts';
import { childKinds } from '../../inventory/index.ts';
import type { Route } from '../../service/http/index.ts';
import { createAuthority, createRequest, type TestCertificate } from '../support/certificate-chain.ts';
import type { HttpMethod } from '../support/checked-http-client.ts';
import { type Caller, type HttpFixture, openHttpFixture, tenant } from '../support/http-fixture.ts';
import { fileForm } from '../support/multipart.ts';

/** Who may do what, as statuses: the device is the one that the object belongs to, the foreign one is another of its tenant. */
interface Row {
	readonly method: HttpMethod;
	/**
	 * `{object}`, `{operation}`, `{binary}`, `{certificate}` and `{serial}` are of the device, `{child}` is below it in every kind; each call finds
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
	/** The administrator of the tenant that looks after the others; else as `otherAdmin`. */
	readonly management?: number;
	/** A user with all inventory roles for a group of the device; else as `admin`. */
	readonly manager?: number;
	/** A user with all inventory roles for another group than that of the device; else as `foreignDevice`. */
	readonly foreignManager?: number;
}

const asm = '/service/advanced-software-mgmt';
const software = `${asm}/software?deviceId={object}`;
const everybody = { admin: 200, device: 200, foreignDevice: 200, otherAdmin: 200 };
const own = { admin: 200, device: 200, foreignDevice: 403, otherAdmin: 404 };
const usersOnly = { admin: 200, device: 403, foreignDevice: 403, otherAdmin: 404 };
/** Of users and groups: their tenant is named in the path. */
const ownTenant = { admin: 200, device: 403, foreignDevice: 403, otherAdmin: 403 };
/** Of everybody's own, which the tenant that looks after the others has as well. */
const people = { admin: 200, device: 403, foreignDevice: 403, otherAdmin: 200 };
const managementOnly = { admin: 403, device: 403, foreignDevice: 403, otherAdmin: 403, management: 200 };
const users = `/user/${tenant}/users`;
const groups = `/user/${tenant}/groups`;
const role = { role: { id: 'ROLE_AUDIT_READ' } };
/** Of the own tenant, and for its administrator. */
const trusted = '/tenant/tenants/t1/trusted-certificates';
const trustedOnly = { admin: 200, device: 403, foreignDevice: 403, otherAdmin: 403 };
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
	{ method: 'get', url: '/devicecontrol/operations?agentId={object}', ...everybody, foreignDevice: 403, foreignManager: 200 },
	{
		method: 'delete',
		url: '/devicecontrol/operations?agentId={object}',
		admin: 204,
		device: 204,
		foreignDevice: 403,
		foreignManager: 204,
		otherAdmin: 204,
	},
	{ method: 'get', url: '/devicecontrol/operations/{operation}', ...own },
	{ method: 'put', url: '/devicecontrol/operations/{operation}', body: { status: 'EXECUTING' }, ...own },
	{ method: 'post', url: '/devicecontrol/newDeviceRequests', body: { id: 'new' }, ...usersOnly, admin: 201, otherAdmin: 201 },
	{ method: 'get', url: '/devicecontrol/newDeviceRequests', ...usersOnly, otherAdmin: 200 },
	{ method: 'get', url: '/devicecontrol/newDeviceRequests/expected', ...usersOnly },
	{ method: 'put', url: '/devicecontrol/newDeviceRequests/expected', body: { status: 'ACCEPTED' }, ...usersOnly },
	{ method: 'delete', url: '/devicecontrol/newDeviceRequests/expected', ...usersOnly, admin: 204 },
	{ method: 'get', url: '/devicecontrol/newDeviceRequests/limit', ...usersOnly, otherAdmin: 200 },
	{ method: 'post', url: '/devicecontrol/newDeviceRequests/acceptAll', ...usersOnly, otherAdmin: 200 },
	{ method: 'put', url: '/devicecontrol/newDeviceRequests/acceptAll', ...usersOnly, otherAdmin: 200 },
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
	{ method: 'get', url: trusted, ...trustedOnly },
	{ method: 'post', url: trusted, body: { certInPemFormat: 'x' }, ...trustedOnly, admin: 422 },
	{ method: 'post', url: `${trusted}/bulk`, body: { certificates: [{ certInPemFormat: 'x' }] }, ...trustedOnly, admin: 422 },
	{ method: 'get', url: `${trusted}/{certificate}`, ...trustedOnly },
	{ method: 'put', url: `${trusted}/{certificate}`, body: { status: 'DISABLED' }, ...trustedOnly },
	{ method: 'delete', url: `${trusted}/{certificate}`, ...trustedOnly, admin: 204 },
	{ method: 'put', url: `${trusted}/{certificate}/crl`, body: 'no list', ...trustedOnly, admin: 422 },
	{ method: 'get', url: `${trusted}/{certificate}/crl`, ...trustedOnly, admin: 404 },
	{ method: 'post', url: `${trusted}-pop/{certificate}/verification-code`, ...trustedOnly },
	{
		method: 'post',
		url: `${trusted}-pop/{certificate}/pop`,
		body: { proofOfPossessionSignedVerificationCode: 'x' },
		...trustedOnly,
		admin: 422,
	},
	// Only for the management tenant.
	{ method: 'post', url: `${trusted}-pop/{certificate}/confirmed`, ...trustedOnly, admin: 403, management: 200 },
	{ method: 'post', url: '/certificate-authority', ...usersOnly, admin: 409, otherAdmin: 409, management: 201 },
	{ method: 'post', url: '/certificate-authority/renew', ...usersOnly, admin: 201, otherAdmin: 201 },
	{ method: 'get', url: '/certificate-authority/certificates', ...usersOnly, otherAdmin: 200 },
	{ method: 'get', url: '/certificate-authority/certificates/{issued}', ...usersOnly },
	{ method: 'put', url: '/certificate-authority/certificates/{issued}', body: { status: 'REVOKED' }, ...usersOnly },
	{ method: 'get', url: '/.well-known/est/cacerts', ...everybody },
	// Only for devices; what they send is no request.
	{
		method: 'post',
		url: '/.well-known/est/simplereenroll',
		body: 'x',
		admin: 403,
		device: 422,
		foreignDevice: 422,
		otherAdmin: 403,
	},
	{
		method: 'post',
		url: '/devicecontrol/bulkNewDeviceRequests',
		form: 'ID,AUTH_TYPE\n',
		...usersOnly,
		admin: 201,
		otherAdmin: 201,
	},
	// Only with a client certificate.
	{ method: 'post', url: '/devicecontrol/deviceAccessToken', ...trustedOnly, admin: 403 },
	{ method: 'post', url: '/inventory/binaries', form: 'new', admin: 201, device: 201, foreignDevice: 201, otherAdmin: 201 },
	{ method: 'get', url: '/inventory/binaries', ...everybody },
	{ method: 'get', url: '/inventory/binaries/{binary}', ...own },
	{ method: 'put', url: '/inventory/binaries/{binary}', body: 'other', ...own, admin: 201, device: 201 },
	{ method: 'delete', url: '/inventory/binaries/{binary}', ...own, admin: 204, device: 204 },
	{ method: 'get', url: '/user/currentUser', ...everybody },
	{ method: 'put', url: '/user/currentUser', body: { phone: '1' }, ...people, foreignManager: 200 },
	{ method: 'get', url: users, ...ownTenant },
	{ method: 'post', url: users, body: { userName: 'made', password: 'long-enough-secret' }, ...ownTenant, admin: 201 },
	{ method: 'get', url: `${users}/member`, ...ownTenant },
	{ method: 'put', url: `${users}/member`, body: { email: 'a@b.c' }, ...ownTenant },
	{ method: 'delete', url: `${users}/member`, ...ownTenant, admin: 204 },
	{ method: 'get', url: `/user/${tenant}/userByName/member`, ...ownTenant },
	{ method: 'get', url: `${users}/member/effectiveRoles`, ...ownTenant },
	{ method: 'get', url: groups, ...ownTenant },
	{ method: 'post', url: groups, body: { name: 'made' }, ...ownTenant, admin: 201 },
	{ method: 'get', url: `${groups}/{group}`, ...ownTenant },
	{ method: 'put', url: `${groups}/{group}`, body: { description: 'd' }, ...ownTenant },
	{ method: 'delete', url: `${groups}/{group}`, ...ownTenant, admin: 204 },
	{ method: 'get', url: `/user/${tenant}/groupByName/readers`, ...ownTenant },
	{ method: 'get', url: `${groups}/{group}/users`, ...ownTenant },
	{ method: 'post', url: `${groups}/{group}/users`, body: { user: { id: 'member' } }, ...ownTenant, admin: 201 },
	{ method: 'delete', url: `${groups}/4/users/member`, ...ownTenant, admin: 204 },
	{ method: 'get', url: `${groups}/{group}/roles`, ...ownTenant },
	{ method: 'post', url: `${groups}/{group}/roles`, body: role, ...ownTenant, admin: 201 },
	{ method: 'delete', url: `${groups}/{group}/roles/ROLE_AUDIT_READ`, ...ownTenant, admin: 204 },
	{ method: 'get', url: '/user/roles', ...people },
	{ method: 'get', url: '/user/roles/ROLE_AUDIT_READ', ...people },
	{ method: 'get', url: '/user/inventoryroles', ...people },
	{ method: 'get', url: '/user/inventoryroles/1', ...people },
	{ method: 'get', url: `${users}/member/groups`, ...ownTenant },
	{ method: 'get', url: `${users}/member/roles/inventory`, ...ownTenant },
	{
		method: 'post',
		url: `${users}/member/roles/inventory`,
		body: { managedObject: '{object}', roles: [{ id: 1 }] },
		...ownTenant,
		admin: 201,
	},
	{ method: 'get', url: `${users}/member/roles/inventory/{devices}`, ...ownTenant },
	{ method: 'put', url: `${users}/member/roles/inventory/{devices}`, body: { roles: [{ id: 2 }] }, ...ownTenant },
	{ method: 'delete', url: `${users}/member/roles/inventory/{devices}`, ...ownTenant, admin: 204 },
	{ method: 'get', url: `${users}/member/roles`, ...ownTenant },
	{ method: 'post', url: `${users}/member/roles`, body: role, ...ownTenant, admin: 201 },
	{ method: 'delete', url: `${users}/member/roles/ROLE_AUDIT_READ`, ...ownTenant, admin: 204 },
	{ method: 'get', url: '/tenant/tenants', ...managementOnly },
	{
		method: 'post',
		url: '/tenant/tenants',
		body: { id: '{newTenant}', adminName: 'a', adminPass: 'long-enough-secret' },
		...managementOnly,
		management: 201,
	},
	{ method: 'get', url: '/tenant/tenants/t2', ...managementOnly },
	{ method: 'put', url: '/tenant/tenants/t2', body: { company: 'c' }, ...managementOnly },
	{ method: 'delete', url: '/tenant/tenants/gone', ...managementOnly, management: 204 },
	{ method: 'get', url: '/tenant/system/options', ...everybody },
	{ method: 'get', url: '/tenant/system/options/system/version', ...everybody },
	{ method: 'get', url: '/tenant/options', ...people },
	{ method: 'post', url: '/tenant/options', body: { category: 'c', key: 'k', value: 'v' }, ...people },
	{ method: 'get', url: '/tenant/options/c', ...people },
	{ method: 'put', url: '/tenant/options/c', body: { k: 'v' }, ...people },
	{ method: 'get', url: '/tenant/options/own/k', ...people, otherAdmin: 404 },
	{ method: 'put', url: '/tenant/options/c/k', body: { value: 'v' }, ...people },
	{ method: 'delete', url: '/tenant/options/own/k', ...people, admin: 204, otherAdmin: 404 },
	{ method: 'get', url: '/application/applications', ...people },
	{ method: 'get', url: '/application/applications/1', ...people },
	{ method: 'get', url: '/application/applicationsByName/advanced-software-mgmt', ...people },
	{ method: 'get', url: '/application/applicationsByUser/admin', ...people, manager: 403 },
	{ method: 'get', url: '/application/currentApplication', ...people },
	{ method: 'get', url: '/application/currentApplication/subscriptions', ...people },
	{ method: 'post', url: '/user/logout', body: {}, ...everybody },
	{ method: 'post', url: `/user/logout/${tenant}/allUsers`, body: {}, ...ownTenant },
	{
		method: 'put',
		url: '/user/currentUser/password',
		body: {},
		...people,
		admin: 422,
		otherAdmin: 422,
		foreignManager: 422,
	},
];

/** The route that answers, as the paths are tried. */
function routeOf(routes: readonly Route[], { method, url }: Row): Route | undefined {
	const path = (url.split('?')[0] ?? '').replaceAll(/\{\w+\}/g, '1');
	return routes.find((each) => each.method === method && new RegExp(`^${each.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path));
}

describe('http/authorisation', () => {
	let fixture: HttpFixture;
	let made = 0;
	let certificate: TestCertificate;
	let signingRequest: Buffer;
	before(async () => {
		fixture = await openHttpFixture();
		certificate = await createAuthority('authority', { now: fixture.time });
		signingRequest = await createRequest('dev1');
		for (const of of [tenant, 't2']) await fixture.services.access.certificates.authorities.create(of);
	});
	after(() => fixture.close());

	/** A device with an operation, and an expected device that has polled; made anew for each call. */
	async function prepare(): Promise<(text: string) => string> {
		const { inventory, operations, access, binaries } = fixture.services;
		// The removal of its object locks its user.
		if (!(await access.users.findPrincipal(tenant, 'device_dev1')))
			await access.registration.admit(tenant, 'dev1', 'dev1-password', {});
		const { issued, authorities } = access.certificates;
		const isThere = (await issued.count(tenant, { status: 'VALID' })) > 0;
		if (!isThere) await authorities.renewFor(tenant, 'dev1', signingRequest);
		const [signed] = await issued.list(tenant, { status: 'VALID' }, { skip: 0, limit: 1 });
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
			for (const of of [tenant, 't2', 'management']) await access.registration.remove(of, serial).catch(() => {});
		}
		const received = await binaries.receive(tenant, Readable.from([Buffer.from('bytes')]));
		const patch = { fragments: {} };
		const binary = await binaries.create(tenant, { owner: 'device_dev1', patch, contentType: 'text/plain' }, received);
		const { fingerprint } = describeCertificate({ der: certificate.der.toString('base64') });
		await access.certificates.trusted.remove(tenant, fingerprint).catch(() => {});
		const how = { name: 'a', status: 'ENABLED', autoRegistrationEnabled: false } as const;
		await access.certificates.trusted.add(tenant, { pem: certificate.pem, ...how });
		await access.registration.request(tenant, 'expected');
		await access.registration.poll('expected');
		const devices = await make('admin');
		const others = await make('admin');
		if (!devices || !others) throw new Error('nothing was made');
		for (const each of [id, binary.id, foreign.id]) await inventory.hierarchy.link(tenant, devices.id, 'childAssets', each);
		const { directory, users: all } = access;
		const by: Principal = { tenant, userName: 'admin', role: 'admin' };
		for (const each of ['made', 'member']) await all.remove(tenant, each);
		await directory.create(by, { userName: 'member', password: 'long-enough-secret' });
		await directory.addRole(by, 'member', '4');
		await directory.addGrant(by, 'member', 'ROLE_AUDIT_READ');
		const granted: readonly InventoryRole[] = ['Manager'];
		for (const [userName, group] of [
			['member', devices],
			['manager', devices],
			['foreign', others],
		] as const) {
			for (const before of (await directory.get(tenant, userName)).inventory ?? [])
				await directory.setInventoryRoles(by, userName, before.group, []);
			await directory.setInventoryRoles(by, userName, group.id, granted);
		}
		for (const { id: made, isPredefined } of await access.roles.list(tenant, { skip: 0, limit: 100 }))
			if (!isPredefined) await directory.removeGroup(by, String(made));
		const group = await directory.createGroup(by, { name: 'testers', roles: ['ROLE_AUDIT_READ'] });
		await access.options.set(tenant, 'own', { k: 'v' });
		await access.tenants.ensure('gone');
		const newTenant = `made${made++}`;
		const [record] = await fixture.audit.list(tenant, { source: id }, { skip: 0, limit: 1, revert: false });
		const ids = {
			object: id,
			operation: operation.id,
			child: child.id,
			foreign: foreign.id,
			binary: binary.id,
			devices: devices.id,
			group: String(group.id),
			newTenant,
			certificate: fingerprint,
			record: String(record?.number),
			issued: signed?.serialNumber ?? '',
		};
		return (text) => Object.entries(ids).reduce((filled, [name, value]) => filled.replaceAll(`{${name}}`, value), text);
	}

	it('has a row for every route that is not public', () => {
		const covered = new Set(rows.map((row) => routeOf(fixture.routes, row)));
		const routes = fixture.routes.filter((each) => each.permission !== 'public' && !covered.has(each));
		expect(routes.map(({ method, path }) => `${method} ${path}`)).to.deep.equal([]);
	});

	for (const row of rows) {
		const { method, url, body, form, admin, device, foreignDevice, otherAdmin, bootstrap = 403, management = otherAdmin } = row;
		const byRole = (may: boolean | undefined, status = admin) => (may ? status : 403);
		/** The roles are tested where they are defined: here, that the route asks for the one it says. */
		const expectedOf = (answering: Route): readonly (readonly [Caller | undefined, number])[] => [
			[undefined, 401],
			['wrongPassword', 401],
			['bootstrap', bootstrap],
			['foreignDevice', foreignDevice],
			['otherAdmin', otherAdmin],
			['operator', byRole(rolePermissions.operator.some((each) => each === answering.permission))],
			['reader', byRole(rolePermissions.reader.some((each) => each === answering.permission))],
			['manager', byRole(isForManagers(answering), row.manager)],
			['foreignManager', byRole(isForManagers(answering), row.foreignManager ?? foreignDevice)],
			['management', management],
			['device', device],
			['admin', admin],
		];
		it(`${method.toUpperCase()} ${url} lets in who may`, async () => {
			const answering = routeOf(fixture.routes, row);
			if (!answering) throw new Error('no route');
			const expected = expectedOf(answering);
			const found: (readonly [Caller | undefined, number])[] = [];
			let prepared: ((text: string) => string) | undefined;
			for (const [caller] of expected) {
				fixture.time += 61_000;
				const fill = prepared ?? (await prepare());
				const filled = form !== undefined ? fileForm(form) : body === undefined ? {} : { text: fill(JSON.stringify(body)) };
				const { status } = await fixture.call(caller, method, fill(url), filled);
				found.push([caller, status]);
				// What was refused, or only read, is there for the next one.
				prepared = status >= 400 || method === 'get' ? fill : undefined;
			}
			expect(found).to.deep.equal(expected);
		});
	}

	/** Whether somebody with inventory roles for a group, and nothing else, may come in. */
	function isForManagers({ permission, isScoped }: Route): boolean {
		if (rolePermissions.user.some((each) => each === permission)) return true;
		return isScoped === true && inventoryRoles.Manager.some((each) => each === permission);
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
		const fill = await prepare();
		const taken = { type: 'c8y_Serial', externalId: 'dev2' };
		const path = fill('/identity/globalIds/{object}/externalIds');
		expect((await fixture.call('device', 'post', path, { body: taken })).status).to.equal(403);
		expect((await fixture.call('device', 'post', path, { body: { ...taken, externalId: 'child-of-dev1' } })).status).to.equal(
			201,
		);
	});
});
