import { expect } from 'chai';
import {
	effectivePermissions,
	effectiveRoles,
	groupsWith,
	managementPermissions,
	mayConnectAs,
	mayDo,
	mayDoSomewhere,
	type Permission,
	type Principal,
	parseUserName,
	permissions,
	type Role,
	rolePermissions,
	toReadable,
} from '../../../access/index.ts';

const people: readonly Role[] = ['admin', 'operator', 'reader', 'user'];

/** Who may do what, written down by hand. */
const table: Readonly<Record<Permission, readonly Role[]>> = {
	'inventory:read': ['admin', 'operator', 'reader', 'device'],
	'inventory:create': ['admin', 'device'],
	'inventory:write': ['admin', 'device'],
	'identity:read': ['admin', 'operator', 'reader', 'device'],
	'identity:write': ['admin', 'device'],
	'operations:read': ['admin', 'operator', 'reader', 'device'],
	'operations:write': ['admin', 'operator', 'device'],
	'event:read': ['admin', 'operator', 'reader', 'device'],
	'event:create': ['admin', 'device'],
	'event:write': ['admin'],
	'rollouts:read': ['admin', 'operator', 'reader'],
	'rollouts:write': ['admin', 'operator'],
	'registrations:write': ['admin'],
	'certificates:write': ['admin'],
	'users:read': ['admin'],
	'users:create': ['admin'],
	'users:write': ['admin'],
	'own:read': [...people, 'device'],
	'own:write': people,
	'tenant:read': [...people, 'device'],
	'tenant:write': ['admin'],
	'options:read': ['admin', 'operator', 'reader'],
	'options:write': ['admin'],
	'applications:read': ['admin', 'operator', 'reader'],
	'audit:read': ['admin'],
	'audit:write': ['admin'],
	'tenants:read': ['admin'],
	'tenants:create': ['admin'],
	'tenants:write': ['admin'],
	'credentials:poll': ['bootstrap'],
	'mqtt:connect': ['admin', 'device', 'bootstrap'],
	'session:write': [...people, 'device'],
	'password:write': people,
	'sessions:end': ['admin'],
};

describe('access/principal', () => {
	it('tells by which roles a permission is had', () => {
		expect(toReadable('inventory:create')).to.equal('inventory:create (ROLE_INVENTORY_CREATE or ROLE_INVENTORY_ADMIN)');
		expect(toReadable('tenants:read')).to.match(
			/^tenants:read \(ROLE_TENANT_MANAGEMENT_READ\), which only users of the management tenant/,
		);
	});

	for (const permission of permissions) {
		for (const role of ['admin', 'operator', 'reader', 'device', 'bootstrap', 'user'] as const) {
			const granted = table[permission].includes(role);
			it(`${granted ? 'grants' : 'denies'} ${permission} to ${role}`, () => {
				expect(Object.keys(rolePermissions)).to.include(role);
				expect(mayDo({ tenant: 'management', userName: 'u', role }, permission)).to.equal(granted);
				expect(mayDo({ tenant: 't', userName: 'u', role }, permission)).to.equal(
					granted && !managementPermissions.has(permission),
				);
			});
		}
	}

	it('lets somebody whose password was chosen by others change it, and little else', () => {
		const inventory = [{ group: '1', roles: ['Manager'] }] as const;
		const principal = { tenant: 't', userName: 'u', role: 'admin', inventory, mustChangePassword: true } as const;
		const allowed = permissions.filter((permission) => mayDoSomewhere(principal, permission));
		expect(allowed).to.deep.equal(['own:read', 'password:write', 'session:write', 'tenant:read']);
	});

	it('grants a user what its roles grant, and no more', () => {
		const user: Principal = { tenant: 't', userName: 'u', role: 'user', permissions: ['inventory:read', 'tenants:write'] };
		expect(effectivePermissions(user)).to.deep.equal(['inventory:read']);
		expect(effectivePermissions({ ...user, tenant: 'management' })).to.deep.equal(['inventory:read', 'tenants:write']);
	});

	it('grants with inventory roles only what they name, and only with their groups', () => {
		const inventory = [
			{ group: '10', roles: ['Reader'] },
			{ group: '11', roles: ['Operations: All'] },
			{ group: '12', roles: ['Reader', 'Manager'] },
		] as const;
		const user: Principal = { tenant: 't', userName: 'u', role: 'user', permissions: [], inventory };
		expect(groupsWith(user, 'inventory:read')).to.deep.equal(['10', '11', '12']);
		expect(groupsWith(user, 'operations:write')).to.deep.equal(['11', '12']);
		expect(groupsWith(user, 'inventory:write')).to.deep.equal(['12']);
		for (const permission of permissions) expect(mayDo(user, permission), permission).to.equal(false);
		expect(permissions.filter((permission) => mayDoSomewhere(user, permission))).to.deep.equal([
			'inventory:read',
			'inventory:write',
			'identity:read',
			'identity:write',
			'operations:read',
			'operations:write',
			'event:read',
			'event:create',
			'event:write',
		]);
	});

	it('calls by a name of Cumulocity only what is granted whole', () => {
		expect(effectiveRoles(['inventory:write'])).to.deep.equal([]);
		expect(effectiveRoles(['inventory:write', 'inventory:create'])).to.deep.equal([
			'ROLE_INVENTORY_CREATE',
			'ROLE_INVENTORY_ADMIN',
		]);
		expect(effectiveRoles(rolePermissions.device)).to.not.include('ROLE_DEVICE_CONTROL_ADMIN');
	});

	const user = (...granted: Permission[]): Principal => ({ tenant: 't', userName: 'u', role: 'user', permissions: granted });
	const speakers: readonly (readonly [what: string, principal: Principal, serial: string, may: boolean])[] = [
		['a device as itself', { tenant: 't', userName: 'device_s', role: 'device', serial: 's' }, 's', true],
		['a device in other letters', { tenant: 't', userName: 'device_s', role: 'device', serial: 's' }, 'S', false],
		['a device as another one', { tenant: 't', userName: 'device_s', role: 'device', serial: 's' }, 'other', false],
		['a device that is none', { tenant: 't', userName: 'device_', role: 'device' }, 'other', false],
		['an administrator as any', { tenant: 't', userName: 'a', role: 'admin' }, 'other', true],
		['the bootstrap user as any', { tenant: 'management', userName: 'b', role: 'bootstrap' }, 'other', true],
		['an operator', { tenant: 't', userName: 'o', role: 'operator' }, 'other', false],
		['a reader', { tenant: 't', userName: 'r', role: 'reader' }, 'other', false],
		['a user who may all that devices do', user('mqtt:connect', 'inventory:write', 'operations:write'), 'other', true],
		['a user who may not connect', user('inventory:write', 'operations:write'), 'other', false],
		['a user who may not carry out operations', user('mqtt:connect', 'inventory:write'), 'other', false],
		['a user who may not write', user('mqtt:connect', 'operations:write'), 'other', false],
		[
			'a user who may write a group',
			{ ...user('mqtt:connect', 'operations:write'), inventory: [{ group: '1', roles: ['Manager'] }] },
			'other',
			false,
		],
	];
	for (const [what, principal, serial, may] of speakers)
		it(`${may ? 'lets' : 'does not let'} ${what} speak`, () => expect(mayConnectAs(principal, serial)).to.equal(may));

	const names: [text: string, tenant: string, userName: string][] = [
		['t1/user', 't1', 'user'],
		['user', 'default', 'user'],
		['', 'default', ''],
		['/user', '', 'user'],
		['t1/', 't1', ''],
		['t1/a/b', 't1', 'a/b'],
		['management/devicebootstrap', 'management', 'devicebootstrap'],
		['a@b.c', 'default', 'a@b.c'],
		['日本/語', '日本', '語'],
	];
	for (const [text, tenant, userName] of names) {
		it(`reads '${text}' as ${tenant} and ${userName}`, () =>
			expect(parseUserName(text, 'default')).to.deep.equal({ tenant, userName }));
	}
});
