import { Readable } from 'node:stream';
import { describeCertificate, type InventoryRole, type Principal } from '../../access/index.ts';
import { childKinds } from '../../inventory/index.ts';
import { createAuthority, createRequest } from './certificate-chain.ts';
import { credentials, type HttpFixture, otherTenant, tenant } from './http-fixture.ts';

/** What the rows of routes are tried on. */
export async function openRouteObjects(fixture: HttpFixture) {
	const { services, audit, time } = fixture;
	const certificate = await createAuthority('authority', { now: time });
	const signingRequest = await createRequest('dev1');
	for (const of of [tenant, otherTenant]) await services.access.certificates.authorities.create(of);
	for (const caller of ['childDevice', 'otherDevice', 'nobody'] as const) {
		const [, of = '', userName = '', password = ''] = /^(\w+)\/(\w+):(.*)$/.exec(credentials[caller]) ?? [];
		await services.access.users.set(of, userName, password, caller === 'nobody' ? 'user' : 'device');
	}
	let made = 0;

	/** A device with an operation, and an expected device that has polled; made anew for each call. Fills in their ids. */
	async function prepare(): Promise<(text: string) => string> {
		const { inventory, operations, events, access, binaries } = services;
		// The removal of its object locks its user.
		if (!(await access.users.findPrincipal(tenant, 'device_dev1')))
			await access.registration.admit(tenant, 'dev1', 'dev1-password', {});
		const { issued, renewFor } = access.certificates;
		const isSigned = (await issued.count(tenant, { status: 'VALID' })) > 0;
		if (!isSigned) await renewFor(tenant, 'dev1', signingRequest);
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
		const event = await events.create(tenant, { source: id, type: 't', text: 't', time: fixture.time, fragments: {} });
		const make = (owner: string) => inventory.objects.create(tenant, { owner, patch: { fragments: {} } });
		const [child, foreign] = [await make('device_dev1'), await make('device_dev2')];
		if (!child || !foreign) throw new Error('nothing was made');
		for (const kind of childKinds) await inventory.hierarchy.link(tenant, id, kind, child.id);
		const childDevice = await inventory.devices.ensure(tenant, 'dev1child', () => ({
			owner: 'device_dev1child',
			name: 'dev1child',
			type: 't',
			fragments: { c8y_IsDevice: {} },
		}));
		await inventory.hierarchy.link(tenant, id, 'childDevices', childDevice.id);
		for (const serial of ['new', 'expected']) {
			for (const of of [tenant, 't2', 'management']) await access.registration.remove(of, serial).catch(() => {});
		}
		const received = await binaries.receive(tenant, Readable.from([Buffer.from('bytes')]));
		const patch = { fragments: {} };
		const binary = await binaries.create(tenant, { owner: 'device_dev1', patch, contentType: 'text/plain' }, received);
		const log = await binaries.receive(tenant, Readable.from([Buffer.from('log')]));
		const other = await events.create(tenant, { source: id, type: 't', text: 't', time: fixture.time, fragments: {} });
		const eventWithFile = await events.attach(tenant, other.id, { name: 'log', contentType: 'text/plain' }, log);
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
		const [record] = await audit.list(tenant, { source: id }, { skip: 0, limit: 1, revert: false });
		const ids = {
			object: id,
			operation: operation.id,
			event: event.id,
			eventWithFile: eventWithFile.id,
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

	return { prepare };
}
