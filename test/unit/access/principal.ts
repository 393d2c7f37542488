import { expect } from 'chai';
import { mayDo, type Permission, parseUserName, permissions, type Role, rolePermissions } from '../../../access/index.ts';

/** Who may do what, written down by hand. */
const table: Readonly<Record<Permission, readonly Role[]>> = {
	'inventory:read': ['admin', 'device'],
	'inventory:write': ['admin', 'device'],
	'operations:read': ['admin', 'device'],
	'operations:write': ['admin', 'device'],
	'registrations:write': ['admin'],
	'tenant:read': ['admin', 'device'],
	'credentials:poll': ['bootstrap'],
	'audit:read': ['admin'],
	'audit:write': ['admin'],
	'mqtt:connect': ['admin', 'device', 'bootstrap'],
};

describe('access/principal', () => {
	for (const permission of permissions) {
		for (const role of ['admin', 'device', 'bootstrap'] as const) {
			const granted = table[permission].includes(role);
			it(`${granted ? 'grants' : 'denies'} ${permission} to ${role}`, () => {
				expect(Object.keys(rolePermissions)).to.include(role);
				expect(mayDo({ tenant: 't', userName: 'u', role }, permission)).to.equal(granted);
			});
		}
	}

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
