import type { Collection, CollectionSpec, DocumentStore, Step } from '../store/index.ts';
import { createPasswordVerifier, generatePassword, hashPassword } from './passwords.ts';
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
	readonly email?: string;
	readonly firstName?: string;
	readonly lastName?: string;
	readonly displayName?: string;
	readonly phone?: string;
	readonly customProperties?: Readonly<Record<string, unknown>>;
	/** Who created it, where a person did. */
	readonly owner?: string;
	readonly shouldResetPassword?: boolean;
	readonly passwordHash: string;
	readonly creationTime: number;
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
	 * user, or the tenant, is.
	 */
	| { readonly ok: false; readonly reason: 'rejected' | 'throttled' | 'disabled' };

export interface AuthenticationLimits {
	readonly cacheEntries: number;
	readonly cacheTtlMilliseconds: number;
	/** Wrong passwords for one user from one address within a minute; then even the right one has to wait. */
	readonly failuresPerMinute: number;
}

type ChangeListener = (tenant: string, userName: string) => void;

export type Users = Awaited<ReturnType<typeof openUsers>>;

/** Users and devices with their credentials. */
export async function openUsers(options: {
	readonly store: DocumentStore;
	readonly clock: () => number;
	/** Milliseconds that never go back, for durations. */
	readonly elapsed: () => number;
	readonly limits: AuthenticationLimits;
	readonly tenants: Pick<Tenants, 'isActive'>;
	readonly roles: Pick<GlobalRoles, 'permitted'>;
}) {
	const { store, clock, elapsed, limits, tenants, roles } = options;
	const users: Collection<User> = await store.collection(userSpec);
	const verifier = createPasswordVerifier({
		maxEntries: limits.cacheEntries,
		ttlMilliseconds: limits.cacheTtlMilliseconds,
		elapsed,
	});
	const known = createStoredCache({ collection: users, elapsed, maxEntries: limits.cacheEntries });
	const failures = new Map<string, { count: number; since: number }>();
	const unknownUserHash = hashPassword(generatePassword());
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

	/** Which of these may not stay: gone, disabled, with other rights than they came with, or of a tenant that is closed. */
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
				if (!now || JSON.stringify(now) !== JSON.stringify(principal)) refused.add(principal);
			}
		}
		return refused;
	}

	/** Who somebody with this name is now; `undefined` where nobody may come in by it. */
	async function findPrincipal(tenant: string, userName: string): Promise<Principal | undefined> {
		const user = await find(tenant, userName);
		return user && admitted(user);
	}

	async function admitted(user: User): Promise<Principal | undefined> {
		return user.enabled !== false && (await tenants.isActive(user.tenant)) ? principalOf(user) : undefined;
	}

	/** What a user may do, whether or not it may log in. */
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
		const attempt = `${address} ${tenant}/${userName}`;
		const user = await known.get(`${tenant}/${userName}`);
		// Whoever guesses locks out neither those who are in already nor other addresses.
		if (isThrottled(attempt) && !(user && verifier.isKnown(user.passwordHash, password)))
			return { ok: false, reason: 'throttled' };
		// A user that does not exist costs what a wrong password costs.
		const right = await verifier.check(user?.passwordHash ?? (await unknownUserHash), password);
		if (user && right) {
			const principal = await admitted(user);
			return principal ? { ok: true, principal } : { ok: false, reason: 'disabled' };
		}
		noteFailure(attempt);
		return { ok: false, reason: 'rejected' };
	}

	function isThrottled(attempt: string): boolean {
		const failed = failures.get(attempt);
		if (!failed) return false;
		if (elapsed() - failed.since < 60_000) return failed.count >= limits.failuresPerMinute;
		failures.delete(attempt);
		return false;
	}

	function noteFailure(attempt: string): void {
		const failed = failures.get(attempt) ?? { count: 0, since: elapsed() };
		failed.count++;
		failures.delete(attempt);
		failures.set(attempt, failed);
		if (failures.size > limits.cacheEntries) failures.delete(failures.keys().next().value ?? '');
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

	async function newUser(tenant: string, userName: string, password: string, role: Role): Promise<User> {
		const passwordHash = await hashPassword(password);
		return { _id: `${tenant}/${userName}`, tenant, userName, role, globalRoles: [role], passwordHash, creationTime: clock() };
	}

	async function find(tenant: string, userName: string): Promise<User | undefined> {
		return users.get(`${tenant}/${userName}`);
	}

	async function remove(tenant: string, userName: string): Promise<void> {
		await store.batch([{ kind: 'remove', collection: userSpec.name, id: `${tenant}/${userName}` }]);
		known.forget(`${tenant}/${userName}`);
	}

	return {
		collection: users,
		authenticate,
		set,
		setStep,
		create,
		find,
		findPrincipal,
		principalOf,
		permittedTo,
		remove,
		forget: known.forget,
		watchChanged,
		findRefused,
	};
}

const pageSize = 500;

export function globalRolesOf({ globalRoles, role }: Pick<User, 'globalRoles' | 'role'>): readonly string[] {
	return globalRoles ?? [role];
}

/** The predefined role of a user who has these. */
export function roleOf(keys: readonly string[], grants: readonly string[] = []): Role {
	const [only] = keys;
	return keys.length === 1 && grants.length === 0 && only !== undefined && isRole(only) ? only : 'user';
}
