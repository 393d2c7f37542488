import { randomUUID } from 'node:crypto';
import type { Collection, CollectionSpec, DocumentStore, Step } from '../store/index.ts';
import { AccessError } from './access-error.ts';
import { type AttemptLimits, createLoginAttempts } from './login-attempts.ts';
import { checkNewPassword, type PasswordRules } from './password-rules.ts';
import { createPasswordVerifier, generatePassword, type HashCost, hashPassword, isHashedOtherwise } from './passwords.ts';
import { type Permission, permissionsOf, type Role, rolePermissions } from './permissions.ts';
import { deviceUserPrefix, type InventoryAssignment, type Principal } from './principal.ts';
import { type GlobalRoles, isRole } from './roles.ts';
import { createStoredCache } from './stored-cache.ts';
import type { Tenants } from './tenants.ts';

export interface User {
	readonly _id: string;
	readonly tenant: string;
	readonly userName: string;
	/** The predefined role where it is the only one, else `user`; what is granted hangs on `globalRoles`. */
	readonly role: Role;
	/** Keys of global roles: see `roleKey`. Absent in what the version before stored. */
	readonly globalRoles?: readonly string[];
	/** Cumulocity's names of what was granted beside the roles. */
	readonly grants?: readonly string[];
	/** What it may do with groups of devices. */
	readonly inventory?: readonly InventoryAssignment[];
	/** Absent while it may log in. */
	readonly enabled?: false;
	/** Of a device: it is disabled because it was removed from the inventory, until somebody registers it anew, or enables it. */
	readonly isRemoved?: true;
	readonly email?: string;
	readonly firstName?: string;
	readonly lastName?: string;
	readonly displayName?: string;
	readonly phone?: string;
	readonly customProperties?: Readonly<Record<string, unknown>>;
	/** Of a device: the group that it was registered for. */
	readonly firstGroup?: string;
	/** Of a device: the type that its object gets where the device names none. */
	readonly firstType?: string;
	/** Who created it, where a person did. */
	readonly owner?: string;
	/** Until the password is changed, the user may do nothing else. */
	readonly shouldResetPassword?: boolean;
	/** Absent where a provider, or a client certificate, says who the user is. */
	readonly passwordHash?: string;
	readonly creationTime: number;
	/** Another text whenever all sessions of the user end. */
	readonly sessionsId?: string;
	/** The one session, a token by its id, that went on when the others ended. */
	readonly keptSession?: { readonly id: string; readonly generation: string };
	/** Who the user is at the provider by which it logs in. */
	readonly identity?: string;
	/** Grows with each change that others make: the expected value of the next one. */
	readonly revision?: number;
}

export const userSpec: CollectionSpec<User> = {
	name: 'users',
	version: 2,
	indexes: [{ name: 'byRole', keys: ['tenant', 'globalRoles', 'userName'], multikey: 'globalRoles' }],
};

export type Authentication =
	| { readonly ok: true; readonly principal: Principal }
	/**
	 * `rejected` tells nobody whether the user or the password was wrong; `disabled` tells those who know the password that the
	 * user, or the tenant, is, and `removed` that it is the user of a device that was removed.
	 */
	| { readonly ok: false; readonly reason: 'rejected' | 'throttled' | 'disabled' | 'removed' };

export interface AuthenticationLimits extends AttemptLimits {
	readonly cacheEntries: number;
	readonly cacheTtlMilliseconds: number;
	readonly hashCost: HashCost;
	readonly passwordRules: PasswordRules;
}

/** Where a device is put, and what it is, when its object is made. */
export type FirstPlace = Pick<User, 'firstGroup' | 'firstType'>;

type ChangeListener = (tenant: string, userName: string) => void;

export type Users = Awaited<ReturnType<typeof openUsers>>;

/** Users and devices with their credentials. */
export async function openUsers(options: {
	readonly store: DocumentStore;
	readonly clock: () => number;
	/** Milliseconds that never go back, for durations. */
	readonly elapsed: () => number;
	/** Resolves after so many milliseconds. */
	readonly pause: (milliseconds: number) => Promise<void>;
	readonly limits: AuthenticationLimits;
	readonly tenants: Pick<Tenants, 'isActive'>;
	readonly roles: Pick<GlobalRoles, 'permitted'>;
}) {
	const { store, clock, elapsed, pause, limits, tenants, roles } = options;
	const users: Collection<User> = await store.collection(userSpec);
	const verifier = createPasswordVerifier({
		maxEntries: limits.cacheEntries,
		ttlMilliseconds: limits.cacheTtlMilliseconds,
		elapsed,
	});
	const known = createStoredCache({ collection: users, elapsed, maxEntries: limits.cacheEntries });
	const attempts = createLoginAttempts({ limits, elapsed, pause, maxEntries: limits.cacheEntries });
	const unknownUserHash = hashPassword(generatePassword(), limits.hashCost);
	/** Which sessions those belong to who came in: see `sessionsId`. */
	const sessionsOf = new WeakMap<Principal, string | undefined>();
	let isRenewingHash = false;
	const listeners: { readonly onChanged: ChangeListener; readonly onGap: () => void }[] = [];
	users.watch(
		(changes) => {
			for (const { id, kind } of changes) {
				const slash = id.indexOf('/');
				if (kind !== 'inserted') for (const { onChanged } of listeners) onChanged(id.slice(0, slash), id.slice(slash + 1));
			}
		},
		() => {
			for (const { onGap } of listeners) onGap();
		},
	);

	/** Calls back when a user was changed or is gone, for its connections to be looked at; `onGap` when that may have been missed. */
	function watchChanged(onChanged: ChangeListener, onGap: () => void): void {
		listeners.push({ onChanged, onGap });
	}

	/** Which of these may not stay: gone, disabled, with other rights or another password than they came with, or of a tenant that is closed. */
	async function findRefused(principals: Iterable<Principal>): Promise<ReadonlySet<Principal>> {
		const all = [...principals];
		const refused = new Set<Principal>();
		for (let start = 0; start < all.length; start += pageSize) {
			const page = all.slice(start, start + pageSize);
			const ids = [...new Set(page.map(({ tenant, userName }) => `${tenant}/${userName}`))];
			const found = new Map((await users.find({ filter: { _id: { $in: ids } } })).map((user) => [user._id, user]));
			for (const principal of page) {
				const user = found.get(`${principal.tenant}/${principal.userName}`);
				const now = user && (await admitted(user));
				const isOver = sessionsOf.has(principal) && sessionsOf.get(principal) !== user?.sessionsId;
				if (!now || isOver || JSON.stringify(now) !== JSON.stringify(principal)) refused.add(principal);
			}
		}
		return refused;
	}

	/** Who somebody with this name is now; `undefined` where nobody may come in by it. */
	async function findPrincipal(tenant: string, userName: string): Promise<Principal | undefined> {
		const user = await find(tenant, userName);
		return user && admitted(user);
	}

	/** What a user may do now; `undefined` where it, or its tenant, is disabled. */
	async function admitted(user: User): Promise<Principal | undefined> {
		if (user.enabled === false || !(await tenants.isActive(user.tenant))) return undefined;
		const principal: Principal = { ...(await principalOf(user)), ...(user.shouldResetPassword && { mustChangePassword: true }) };
		sessionsOf.set(principal, user.sessionsId);
		return principal;
	}

	/** What a user may do, whether or not it may log in, and has to change its password first. */
	async function principalOf(user: User): Promise<Principal> {
		const { tenant, userName, role, grants = [], inventory } = user;
		const keys = globalRolesOf(user);
		const isPlain = grants.length === 0 && keys.length === 1 && keys[0] === role;
		return {
			tenant,
			userName,
			role: isPlain ? role : 'user',
			...(isPlain && role === 'device' && { serial: userName.slice(deviceUserPrefix.length) }),
			...(!isPlain && { permissions: await permittedTo(tenant, keys, grants) }),
			...(inventory && inventory.length > 0 && { inventory }),
		};
	}

	/** What these global roles and grants permit together, beside what everybody may. */
	async function permittedTo(tenant: string, keys: readonly string[], grants: readonly string[]): Promise<Permission[]> {
		return [...new Set([...rolePermissions.user, ...(await roles.permitted(tenant, keys)), ...permissionsOf(grants)])];
	}

	/** Checks a password. `address` is where the attempt came from. */
	async function authenticate(tenant: string, userName: string, password: string, address: string): Promise<Authentication> {
		const id = `${tenant}/${userName}`;
		let user = await known.get(id);
		// Whoever guesses does not keep out those who are in already.
		if (user?.passwordHash !== undefined && verifier.isKnown(user.passwordHash, password)) return letIn(user);
		const outcome = await attempts.run(address, id, async () => {
			user = await known.get(id);
			// A user that does not exist costs what a wrong password costs.
			return verifier.check(user?.passwordHash ?? (await unknownUserHash), password);
		});
		if (outcome === 'throttled') return { ok: false, reason: 'throttled' };
		if (outcome === 'wrong' || user?.passwordHash === undefined) return { ok: false, reason: 'rejected' };
		await renewHash(user, password);
		return letIn(user);
	}

	async function letIn(user: User): Promise<Authentication> {
		const principal = await admitted(user);
		return principal ? { ok: true, principal } : { ok: false, reason: user.isRemoved ? 'removed' : 'disabled' };
	}

	// Once the settings say that a hash costs something else; one at a time, so that a fleet that reconnects does not wait for it.
	async function renewHash({ _id, passwordHash }: User, password: string): Promise<void> {
		if (isRenewingHash || passwordHash === undefined || !isHashedOtherwise(passwordHash, limits.hashCost)) return;
		isRenewingHash = true;
		try {
			const renewed = await hashPassword(password, limits.hashCost);
			const update = { $set: { passwordHash: renewed } };
			await store.batch([{ kind: 'update', collection: userSpec.name, id: _id, where: { passwordHash }, update }]);
			known.forget(_id);
		} finally {
			isRenewingHash = false;
		}
	}

	/** A user that may have been read some seconds ago, unless a change was heard of. */
	async function findKnown(tenant: string, userName: string): Promise<User | undefined> {
		return known.get(`${tenant}/${userName}`);
	}

	/** Creates the user, or gives it a new password and role. */
	async function set(tenant: string, userName: string, password: string, role: Role): Promise<void> {
		await store.batch([await setStep(tenant, userName, password, role)]);
		known.forget(`${tenant}/${userName}`);
	}

	/** The step that does what `set` does, for a write that does more. */
	async function setStep(tenant: string, userName: string, password: string, role: Role): Promise<Step> {
		return { kind: 'put', collection: userSpec.name, document: await newUser(tenant, userName, password, role) };
	}

	/** False when there is such a user already. */
	async function create(tenant: string, userName: string, password: string, role: Role): Promise<boolean> {
		const document = await newUser(tenant, userName, password, role);
		return (await store.batch([{ kind: 'insert', collection: userSpec.name, document }])).ok;
	}

	/** A user that only a client certificate lets in; false when there is such a user already. */
	async function createWithoutPassword(tenant: string, userName: string, role: Role): Promise<boolean> {
		const document = withoutPassword(tenant, userName, role);
		return (await store.batch([{ kind: 'insert', collection: userSpec.name, document }])).ok;
	}

	/**
	 * The step that gives a device its user, or another password to the one it has, whose sessions end then. A user that was disabled
	 * stays so, and the step fails.
	 * @param password absent where only a certificate lets the device in
	 * @throws AccessError `access/conflict` where somebody has disabled it
	 */
	async function deviceStep(tenant: string, serial: string, password: string | undefined, first: FirstPlace): Promise<Step> {
		const userName = deviceUserPrefix + serial;
		const present = await find(tenant, userName);
		if (present && isDisabledByPerson(present)) throw disabledDevice(tenant, userName);
		const secret = password === undefined ? {} : { passwordHash: await hashPassword(password, limits.hashCost) };
		if (!present)
			return {
				kind: 'insert',
				collection: userSpec.name,
				document: { ...withoutPassword(tenant, userName, 'device'), ...secret, ...first },
			};
		const $set = { ...secret, ...(password !== undefined && { sessionsId: randomUUID() }), ...first };
		const step = {
			collection: userSpec.name,
			id: present._id,
			where: { $or: [{ enabled: { $ne: false } }, { isRemoved: true }] },
		};
		if (Object.keys($set).length === 0 && !present.isRemoved) return { kind: 'require', ...step };
		// Whoever registers a removed device anew for a certificate does not give back the password that it had.
		const isOver = present.isRemoved && password === undefined;
		return { kind: 'update', ...step, update: { $set, $unset: ['enabled', 'isRemoved', ...(isOver ? ['passwordHash'] : [])] } };
	}

	async function newUser(tenant: string, userName: string, password: string, role: Role): Promise<User> {
		return { ...withoutPassword(tenant, userName, role), passwordHash: await hashPassword(password, limits.hashCost) };
	}

	function withoutPassword(tenant: string, userName: string, role: Role): User {
		return {
			_id: `${tenant}/${userName}`,
			tenant,
			userName,
			role,
			globalRoles: [role],
			creationTime: clock(),
			sessionsId: randomUUID(),
		};
	}

	/** @throws AccessError `access/weakPassword` for one that nobody may choose */
	function checkPassword(userName: string, password: string): void {
		checkNewPassword(password, userName, limits.passwordRules);
	}

	/** What another password changes of a user: all its sessions end. @throws AccessError `access/weakPassword` */
	async function passwordFields(
		userName: string,
		password: string,
	): Promise<Required<Pick<User, 'passwordHash' | 'sessionsId'>>> {
		checkPassword(userName, password);
		return { passwordHash: await hashPassword(password, limits.hashCost), sessionsId: randomUUID() };
	}

	/**
	 * Gives a user another password, and ends all its sessions but one. `mustChange`: somebody else chose it, so the user has to
	 * change it at first.
	 * @throws AccessError `access/weakPassword`, `access/notFound`
	 */
	async function changePassword(
		{ tenant, userName }: Pick<User, 'tenant' | 'userName'>,
		password: string,
		{ mustChange = false, keptSession }: { readonly mustChange?: boolean; readonly keptSession?: User['keptSession'] } = {},
	): Promise<void> {
		const id = `${tenant}/${userName}`;
		const fields = await passwordFields(userName, password);
		const update = {
			$set: { ...fields, shouldResetPassword: mustChange, ...(keptSession && { keptSession }) },
			...(!keptSession && { $unset: ['keptSession'] }),
		};
		const where = { passwordHash: { $exists: true } };
		const outcome = await store.batch([{ kind: 'update', collection: userSpec.name, id, where, update }]);
		known.forget(id);
		if (!outcome.ok) throw new AccessError('access/notFound', `There is no user '${userName}' with a password`);
	}

	/**
	 * The user whom a provider has just identified: made when new, with the role as the provider has it now in place of all others.
	 * `undefined` where that name is somebody else's: of a password, of another provider, or of another person there.
	 */
	async function setExternal(tenant: string, userName: string, role: Role, identity: string): Promise<User | undefined> {
		const _id = `${tenant}/${userName}`;
		const present = await known.get(_id);
		if (present?.identity === identity && isOnly(globalRolesOf(present), role)) return present;
		const document: User = { ...withoutPassword(tenant, userName, role), identity };
		if (!present && (await store.batch([{ kind: 'insert', collection: userSpec.name, document }])).ok) return document;
		const $set = { role: roleOf([role], present?.grants), globalRoles: [role] };
		const updated = await users.findOneAndUpdate({ _id, identity }, { $set, $inc: { revision: 1 } });
		known.forget(_id);
		return updated;
	}

	/** Ends the sessions of somebody whom a provider lets in no more. */
	async function endExternal(tenant: string, userName: string, identity: string): Promise<void> {
		const _id = `${tenant}/${userName}`;
		await users.findOneAndUpdate({ _id, identity }, { $set: { sessionsId: randomUUID() } });
		known.forget(_id);
	}

	async function find(tenant: string, userName: string): Promise<User | undefined> {
		return users.get(`${tenant}/${userName}`);
	}

	async function remove(tenant: string, userName: string): Promise<void> {
		await store.batch([removeStep(tenant, userName)]);
		known.forget(`${tenant}/${userName}`);
	}

	function removeStep(tenant: string, userName: string): Step {
		return { kind: 'remove', collection: userSpec.name, id: `${tenant}/${userName}` };
	}

	return {
		collection: users,
		authenticate,
		set,
		setStep,
		newUser,
		create,
		createWithoutPassword,
		deviceStep,
		find,
		findKnown,
		findPrincipal,
		admitted,
		principalOf,
		permittedTo,
		checkPassword,
		passwordFields,
		changePassword,
		setExternal,
		endExternal,
		remove,
		removeStep,
		forget: known.forget,
		watchChanged,
		findRefused,
	};
}

const pageSize = 500;

/** Somebody decided that it may not log in, other than by removing its device. */
export function isDisabledByPerson({ enabled, isRemoved }: Pick<User, 'enabled' | 'isRemoved'>): boolean {
	return enabled === false && !isRemoved;
}

/** The step that locks the user of a device that was removed. */
export function lockStep({ _id }: Pick<User, '_id'>): Step {
	const update = { $set: { enabled: false, isRemoved: true, sessionsId: randomUUID() }, $unset: ['keptSession'] };
	return { kind: 'update', collection: userSpec.name, id: _id, where: { enabled: { $ne: false } }, update };
}

/** The step that ends all sessions of a user, its tokens with them. */
export function sessionsEndStep({ _id }: Pick<User, '_id'>): Step {
	const update = { $set: { sessionsId: randomUUID() }, $unset: ['keptSession'] };
	return { kind: 'update', collection: userSpec.name, id: _id, update };
}

/** Whoever disabled a device decides whether it comes back, and does so by its name. */
export function disabledDevice(tenant: string, userName: string): AccessError {
	return new AccessError(
		'access/conflict',
		`User '${userName.slice(0, 300)}' was disabled, and a registration does not enable it: PUT /user/${tenant}/users/${userName.slice(0, 300)} with {"enabled": true}, or remove it, and register the device then`,
	);
}

export function globalRolesOf({ globalRoles, role }: Pick<User, 'globalRoles' | 'role'>): readonly string[] {
	return globalRoles ?? [role];
}

function isOnly(keys: readonly string[], role: Role): boolean {
	return keys.length === 1 && keys[0] === role;
}

/** The predefined role of a user who has these. */
export function roleOf(keys: readonly string[], grants: readonly string[] = []): Role {
	const [only] = keys;
	return keys.length === 1 && grants.length === 0 && only !== undefined && isRole(only) ? only : 'user';
}
