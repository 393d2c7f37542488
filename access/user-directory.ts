import { randomUUID } from 'node:crypto';
import type { Collection, DocumentStore, Filter, Step } from '../store/index.ts';
import { AccessError } from './access-error.ts';
import type { DeviceRemoval } from './device-removal.ts';
import {
	cumulocityRoleNames,
	type InventoryRole,
	inventoryRoles,
	isCumulocityRole,
	type Permission,
	permissionsOf,
} from './permissions.ts';
import { deviceUserPrefix, effectivePermissions, type InventoryAssignment, type Principal } from './principal.ts';
import { type GlobalRole, type GlobalRoles, type RoleChange, roleKey } from './roles.ts';
import { type Tenants, tenantSpec } from './tenants.ts';
import { checkUserName, fieldsOf, type NewUser, type UserChange, type UserFields, type UserProfile } from './user-fields.ts';
import { globalRolesOf, roleOf, type User, type Users, userSpec } from './users.ts';

export interface UserFilter {
	/** What the name begins with. */
	readonly username?: string | undefined;
	/** Ids of groups; one of them is enough. */
	readonly groups?: readonly string[] | undefined;
	readonly owner?: string | undefined;
	readonly onlyDevices?: boolean | undefined;
}

interface Page {
	readonly skip: number;
	readonly limit: number;
}

/** What somebody has, as far as others may give or take it. */
interface Rights {
	readonly globalRoles: readonly string[];
	readonly grants: readonly string[];
	readonly inventory: readonly InventoryAssignment[];
}

export type UserDirectory = ReturnType<typeof openUserDirectory>;

/**
 * The users of a tenant, as others of it look after them. Nobody gives more than they have, nor touches who has more; a tenant
 * keeps an administrator.
 */
export function openUserDirectory(options: {
	readonly store: DocumentStore;
	readonly users: Users;
	readonly tenants: Tenants;
	readonly roles: GlobalRoles;
	readonly deviceRemoval: Pick<DeviceRemoval, 'steps' | 'takeBack' | 'readmitStep'>;
	readonly clock: () => number;
}) {
	const { store, users, tenants, roles, deviceRemoval, clock } = options;
	const stored: Collection<User> = users.collection;

	/** In the order of their names. @throws AccessError `access/notFound` for a group that is none */
	async function list(tenant: string, filter: UserFilter, page: Page): Promise<User[]> {
		return stored.find({ filter: await storedFilter(tenant, filter), sort: [['_id', 1]], ...page });
	}

	async function count(tenant: string, filter: UserFilter): Promise<number> {
		return stored.count(await storedFilter(tenant, filter));
	}

	async function storedFilter(tenant: string, { username = '', groups, owner, onlyDevices }: UserFilter): Promise<Filter> {
		const start = `${tenant}/${username}`;
		const keys = groups && (await Promise.all(groups.map((id) => roles.get(tenant, id)))).map(roleKey);
		return {
			_id: { $gte: start, $lt: `${start}\u{10FFFF}` },
			...(keys && { tenant, globalRoles: { $in: keys } }),
			...(owner !== undefined && { owner }),
			...(onlyDevices !== undefined && { role: onlyDevices ? 'device' : { $ne: 'device' } }),
		};
	}

	/** The users who have a global role, in the order of their names. */
	async function listInRole(tenant: string, key: string, page: Page): Promise<User[]> {
		return stored.find({ filter: { tenant, globalRoles: key }, sort: [['userName', 1]], ...page });
	}

	async function countInRole(tenant: string, key: string): Promise<number> {
		return stored.count({ tenant, globalRoles: key });
	}

	/** @throws AccessError `access/notFound` */
	async function get(tenant: string, userName: string): Promise<User> {
		const user = await users.find(tenant, userName);
		if (!user) throw notFound(userName);
		return user;
	}

	/** @throws AccessError `access/invalid`, `access/weakPassword`, `access/conflict` */
	async function create(by: Principal, { userName, password, ...profile }: NewUser): Promise<User> {
		checkUserName(userName);
		const { $set } = fieldsOf(profile);
		const user: User = {
			_id: `${by.tenant}/${userName}`,
			tenant: by.tenant,
			userName,
			role: 'user',
			globalRoles: [],
			owner: by.userName,
			...$set,
			...(await users.passwordFields(userName, password)),
			creationTime: clock(),
		};
		const outcome = await store.batch([{ kind: 'insert', collection: userSpec.name, document: user }]);
		if (!outcome.ok) throw new AccessError('access/conflict', `There is a user '${userName.slice(0, 60)}' already`);
		users.forget(user._id);
		return user;
	}

	/**
	 * With another password, or not enabled, all sessions of the user end; a password that somebody else chose has to be changed at
	 * first, unless the change says otherwise.
	 * @throws AccessError `access/notFound`, `access/invalid`, `access/weakPassword`, `access/forbidden`, `access/conflict`
	 */
	async function change(by: Principal, userName: string, { password, ...asked }: UserChange): Promise<User> {
		// Whoever has got hold of a session must not get the account by it.
		if (password !== undefined && userName === by.userName)
			throw new AccessError(
				'access/invalid',
				'The own password is changed with PUT /user/currentUser/password, which asks for it',
			);
		return write(by, userName, async (user) => {
			const secret = password === undefined ? undefined : await users.passwordFields(userName, password);
			if (user.passwordHash === undefined && (secret || asked.shouldResetPassword)) throw withoutPassword(userName);
			const { $set, $unset } = fieldsOf(asked);
			const endsSessions = secret !== undefined || asked.enabled === false;
			return {
				$set: {
					...(secret && mayHaveOwn(user) && { shouldResetPassword: true }),
					...$set,
					...(endsSessions && { sessionsId: randomUUID() }),
					...secret,
				},
				$unset: [...$unset, ...(endsSessions ? ['keptSession'] : [])],
			};
		});
	}

	/** What somebody may change of themselves, whatever they may do else. */
	async function changeProfile({ tenant, userName }: Principal, profile: UserProfile): Promise<User> {
		const { $set, $unset } = fieldsOf(profile);
		const changed = await stored.findOneAndUpdate({ _id: `${tenant}/${userName}` }, { $set, $unset });
		if (!changed) throw notFound(userName);
		users.forget(changed._id);
		return changed;
	}

	/** @throws AccessError `access/notFound`, `access/forbidden`, `access/conflict` */
	async function remove(by: Principal, userName: string): Promise<void> {
		for (let attempt = 0; attempt < maxAttempts; attempt++) {
			const user = await get(by.tenant, userName);
			await checkReach(by, user);
			const outcome = await store.batch([
				...(isAdmin(user) ? await lastAdminSteps(user) : []),
				{ kind: 'require', collection: userSpec.name, id: user._id, where: asRead(user) },
				{ kind: 'remove', collection: userSpec.name, id: user._id },
				...(user.role === 'device' ? await deviceRemoval.steps(user.tenant, serialOf(user)) : []),
			]);
			users.forget(user._id);
			if (!outcome.ok) continue;
			if (user.role === 'device') await deviceRemoval.takeBack(user.tenant, serialOf(user));
			return;
		}
		throw tooManyWriters(userName);
	}

	/** @throws AccessError `access/notFound` for the user and the group, `access/forbidden`, `access/conflict` */
	async function addRole(by: Principal, userName: string, groupId: string): Promise<User> {
		const key = roleKey(await roles.get(by.tenant, groupId));
		if (key === 'device')
			throw new AccessError(
				'access/invalid',
				'Users do not become devices: expect a device with POST /devicecontrol/newDeviceRequests',
			);
		return changeRights(by, userName, ({ globalRoles }) => ({ globalRoles: withItem(globalRoles, key) }));
	}

	/** @throws AccessError `access/notFound`, too, where the user is not in the group; `access/forbidden`, `access/conflict` */
	async function removeRole(by: Principal, userName: string, groupId: string): Promise<User> {
		const key = roleKey(await roles.get(by.tenant, groupId));
		return changeRights(by, userName, ({ globalRoles }) => {
			if (!globalRoles.includes(key)) throw new AccessError('access/notFound', `User '${userName}' is not in group '${groupId}'`);
			return { globalRoles: globalRoles.filter((each) => each !== key) };
		});
	}

	/** @throws AccessError as `addRole` */
	async function addGrant(by: Principal, userName: string, role: string): Promise<User> {
		checkGrant(role);
		return changeRights(by, userName, ({ grants }) => ({ grants: withItem(grants, role) }));
	}

	/** @throws AccessError as `removeRole` */
	async function removeGrant(by: Principal, userName: string, role: string): Promise<User> {
		return changeRights(by, userName, ({ grants }) => {
			if (!grants.includes(role))
				throw new AccessError('access/notFound', `User '${userName}' was not given '${role.slice(0, 60)}'`);
			return { grants: grants.filter((each) => each !== role) };
		});
	}

	/**
	 * What the user may do with a group, in place of what it could; no roles take all away.
	 * @throws AccessError as `addRole`
	 */
	async function setInventoryRoles(
		by: Principal,
		userName: string,
		group: string,
		granted: readonly InventoryRole[],
	): Promise<User> {
		return changeRights(by, userName, ({ inventory }) => {
			const others = inventory.filter((each) => each.group !== group);
			if (granted.length === 0) return { inventory: others };
			if (others.length >= maxAssignments)
				throw new AccessError(
					'access/invalid',
					`User '${userName}' has roles for ${maxAssignments} groups already: put them below one`,
				);
			return { inventory: [...others, { group, roles: [...new Set(granted)] }] };
		});
	}

	async function changeRights(by: Principal, userName: string, wanted: (rights: Rights) => Partial<Rights>): Promise<User> {
		return write(by, userName, async (user) => {
			if (user.role === 'device' || user.role === 'bootstrap')
				throw new AccessError('access/invalid', `User '${userName}' is a device: what it may do cannot be changed`);
			const before = rightsOf(user);
			const after = { ...before, ...wanted(before) };
			const given = await permittedBy(by.tenant, after);
			const had = new Set(await permittedBy(by.tenant, before));
			refuseMore(
				by,
				given.filter((permission) => !had.has(permission)),
				'cannot give',
			);
			return { $set: { ...after, role: roleOf(after.globalRoles, after.grants) }, $unset: [] };
		});
	}

	async function write(by: Principal, userName: string, update: (user: User) => UserFields | Promise<UserFields>): Promise<User> {
		for (let attempt = 0; attempt < maxAttempts; attempt++) {
			const user = await get(by.tenant, userName);
			await checkReach(by, user);
			const { $set, $unset } = await update(user);
			const changed = without({ ...user, ...$set }, $unset);
			// Only where it is asked for: any other change may meet the removal of the device, which has to hold.
			const comesBack = user.role === 'device' && $unset.includes('enabled');
			const outcome = await store.batch([
				...(isAdmin(user) && !isAdmin(changed) ? await lastAdminSteps(user) : []),
				...(comesBack ? [deviceRemoval.readmitStep(user.tenant, serialOf(user))] : []),
				{
					kind: 'update',
					collection: userSpec.name,
					id: user._id,
					where: asRead(user),
					update: { $set: { ...$set, revision: (user.revision ?? 0) + 1 }, $unset },
				},
			]);
			users.forget(user._id);
			if (outcome.ok) return get(by.tenant, userName);
		}
		throw tooManyWriters(userName);
	}

	/** @throws AccessError `access/invalid`, `access/forbidden`, `access/conflict` */
	async function createGroup(by: Principal, group: RoleChange): Promise<GlobalRole> {
		refuseMore(by, grantedIn(by.tenant, group.roles ?? []), 'cannot give');
		return roles.create(by.tenant, group);
	}

	/** @throws AccessError `access/notFound`, `access/invalid` for a predefined one, `access/forbidden`, `access/conflict` */
	async function changeGroup(by: Principal, id: string, change: RoleChange): Promise<GlobalRole> {
		const { roles: before } = await roles.get(by.tenant, id);
		refuseMore(by, grantedIn(by.tenant, [...before, ...(change.roles ?? [])]), 'cannot change a group with');
		return roles.change(by.tenant, id, change);
	}

	/** @throws AccessError as `changeGroup` */
	async function removeGroup(by: Principal, id: string): Promise<void> {
		refuseMore(by, grantedIn(by.tenant, (await roles.get(by.tenant, id)).roles), 'cannot remove a group with');
		await roles.remove(by.tenant, id);
	}

	/** Who has more than somebody is out of reach: a password that they set would be a way to it. */
	async function checkReach(by: Principal, user: User): Promise<void> {
		refuseMore(
			by,
			[...effectivePermissions(await users.principalOf(user)), ...inventoryPermissions(user.inventory ?? [])],
			`cannot change user '${user.userName}', who has`,
		);
	}

	async function permittedBy(tenant: string, { globalRoles, grants, inventory }: Rights): Promise<Permission[]> {
		const principal = {
			tenant,
			userName: '',
			role: 'user',
			permissions: await users.permittedTo(tenant, globalRoles, grants),
		} as const;
		return [...effectivePermissions(principal), ...inventoryPermissions(inventory)];
	}

	/** Steps that fail where another administrator goes at the same time. @throws AccessError `access/conflict` for the last one */
	async function lastAdminSteps({ tenant, userName }: User): Promise<Step[]> {
		const { adminRevision } = await tenants.get(tenant);
		const [other] = await stored.find({
			filter: { tenant, globalRoles: 'admin', enabled: { $ne: false }, userName: { $ne: userName } },
			limit: 1,
		});
		if (!other)
			throw new AccessError(
				'access/conflict',
				`User '${userName}' is the last administrator of tenant '${tenant}': make another one first`,
			);
		const where = { adminRevision: adminRevision ?? null };
		return [{ kind: 'update', collection: tenantSpec.name, id: tenant, where, update: { $inc: { adminRevision: 1 } } }];
	}

	return {
		list,
		count,
		listInRole,
		countInRole,
		get,
		create,
		change,
		changeProfile,
		remove,
		addRole,
		removeRole,
		addGrant,
		removeGrant,
		setInventoryRoles,
		createGroup,
		changeGroup,
		removeGroup,
	};
}

/** @throws AccessError `access/forbidden` with what somebody lacks of what they would give, or touch */
export function refuseMore(by: Principal, wanted: readonly Permission[], what: string): void {
	const own = new Set(effectivePermissions(by));
	const missing = [...new Set(wanted)].filter((permission) => !own.has(permission));
	if (missing.length > 0)
		throw new AccessError('access/forbidden', `User '${by.userName}' ${what} what it does not have: ${missing.join(', ')}`);
}

function grantedIn(tenant: string, roles: readonly string[]): Permission[] {
	return effectivePermissions({ tenant, userName: '', role: 'user', permissions: permissionsOf(roles) });
}

const maxAttempts = 20;
const maxAssignments = 100;
/** Whether the user can change its password itself: a device, and the bootstrap user, cannot. */
function mayHaveOwn({ role }: User): boolean {
	return role !== 'device' && role !== 'bootstrap';
}

function withoutPassword(userName: string): AccessError {
	return new AccessError(
		'access/invalid',
		`User '${userName.slice(0, 60)}' has no password: it logs in at another provider, or with a certificate`,
	);
}

function checkGrant(role: string): void {
	if (!isCumulocityRole(role))
		throw new AccessError(
			'access/notFound',
			`There is no role '${role.slice(0, 60)}': use one of ${cumulocityRoleNames.join(', ')}`,
		);
}

function rightsOf(user: User): Rights {
	return { globalRoles: globalRolesOf(user), grants: user.grants ?? [], inventory: user.inventory ?? [] };
}

function inventoryPermissions(assignments: readonly InventoryAssignment[]): Permission[] {
	return assignments.flatMap(({ roles }) => roles.flatMap((role): readonly Permission[] => inventoryRoles[role]));
}

/** Of the device whose user it is. */
function serialOf({ userName }: User): string {
	return userName.slice(deviceUserPrefix.length);
}

function isAdmin(user: User): boolean {
	return globalRolesOf(user).includes('admin') && user.enabled !== false;
}

/** What must be as it was read for a change of it to be right. */
function asRead({ revision }: User): Filter {
	return { revision: revision ?? null };
}

function without(user: User, names: readonly string[]): User {
	const { enabled, ...rest } = user;
	return names.includes('enabled') || enabled === undefined ? rest : user;
}

function withItem<T>(items: readonly T[], item: T): readonly T[] {
	return items.includes(item) ? items : [...items, item];
}

function notFound(userName: string): AccessError {
	return new AccessError('access/notFound', `No user '${userName.slice(0, 60)}'`);
}

function tooManyWriters(userName: string): AccessError {
	return new AccessError(
		'access/conflict',
		`User '${userName.slice(0, 60)}' was changed by others again and again: try once more`,
	);
}
