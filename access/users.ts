import type { Collection, CollectionSpec, DocumentStore, Step } from '../store/index.ts';
import { createAttemptLimit } from './attempt-limit.ts';
import { createPasswordVerifier, generatePassword, hashPassword } from './passwords.ts';
import { deviceUserPrefix, type Principal, type Role } from './principal.ts';

export interface User {
	readonly _id: string;
	readonly tenant: string;
	readonly userName: string;
	readonly role: Role;
	readonly passwordHash: string;
	/** A client certificate is all that lets it in. */
	readonly hasNoPassword?: boolean;
	readonly creationTime: number;
}

export const userSpec: CollectionSpec<User> = { name: 'users', indexes: [] };

export type Authentication =
	| { readonly ok: true; readonly principal: Principal }
	/** `rejected` tells nobody whether the user or the password was wrong. */
	| { readonly ok: false; readonly reason: 'rejected' | 'throttled' };

export interface AuthenticationLimits {
	readonly cacheEntries: number;
	readonly cacheTtlMilliseconds: number;
	/** Wrong passwords for one user from one address within a minute; then even the right one has to wait. */
	readonly failuresPerMinute: number;
}

type RemovalListener = (tenant: string, userName: string) => void;

export type Users = Awaited<ReturnType<typeof openUsers>>;

/** Users and devices with their credentials. */
export async function openUsers(options: {
	readonly store: DocumentStore;
	readonly clock: () => number;
	/** Milliseconds that never go back, for durations. */
	readonly elapsed: () => number;
	readonly limits: AuthenticationLimits;
}) {
	const { store, clock, elapsed, limits } = options;
	const users: Collection<User> = await store.collection(userSpec);
	const verifier = createPasswordVerifier({
		maxEntries: limits.cacheEntries,
		ttlMilliseconds: limits.cacheTtlMilliseconds,
		elapsed,
	});
	const known = new Map<string, { readonly user: User; readonly readAt: number }>();
	const attempts = createAttemptLimit({ perMinute: limits.failuresPerMinute, maxEntries: limits.cacheEntries, elapsed });
	const unknownUserHash = hashPassword(generatePassword());
	let changesHeard = 0;
	const removalListeners: { readonly onRemoved: RemovalListener; readonly onGap: () => void }[] = [];
	users.watch(
		(changes) => {
			for (const { id, kind } of changes) {
				forget(id);
				const slash = id.indexOf('/');
				if (kind === 'removed') for (const { onRemoved } of removalListeners) onRemoved(id.slice(0, slash), id.slice(slash + 1));
			}
		},
		() => {
			changesHeard++;
			known.clear();
			for (const { onGap } of removalListeners) onGap();
		},
	);

	/** Calls back when a user is gone, so that its connections can be closed; `onGap` when that may have been missed. */
	function watchRemoved(onRemoved: RemovalListener, onGap: () => void): void {
		removalListeners.push({ onRemoved, onGap });
	}

	/** Which of these users are gone: tenant and name. */
	async function findMissing(of: Iterable<Pick<User, 'tenant' | 'userName'>>): Promise<ReadonlySet<string>> {
		const ids = [...new Set([...of].map(({ tenant, userName }) => `${tenant}/${userName}`))];
		const missing = new Set(ids);
		for (let start = 0; start < ids.length; start += pageSize) {
			const page = ids.slice(start, start + pageSize);
			for (const { _id } of await users.find({ filter: { _id: { $in: page } } })) missing.delete(_id);
		}
		return missing;
	}

	function forget(id: string): void {
		changesHeard++;
		known.delete(id);
	}

	/** Checks a password. `address` is where the attempt came from. */
	async function authenticate(tenant: string, userName: string, password: string, address: string): Promise<Authentication> {
		const attempt = `${address} ${tenant}/${userName}`;
		const user = await findCached(`${tenant}/${userName}`);
		// Whoever guesses locks out neither those who are in already nor other addresses.
		if (attempts.isThrottled(attempt) && !(user && verifier.isKnown(user.passwordHash, password)))
			return { ok: false, reason: 'throttled' };
		// A user that does not exist costs what a wrong password costs.
		const right = await verifier.check(user?.passwordHash ?? (await unknownUserHash), password);
		if (user && right) return { ok: true, principal: toPrincipal(user) };
		attempts.noteFailure(attempt);
		return { ok: false, reason: 'rejected' };
	}

	// Read again after a while, because a change made by another process may not be heard of.
	async function findCached(id: string): Promise<User | undefined> {
		const cached = known.get(id);
		if (cached && elapsed() - cached.readAt < userCacheMilliseconds) return cached.user;
		const heardBefore = changesHeard;
		const user = await users.get(id);
		known.delete(id);
		// What was read while somebody changed it may be old already.
		if (user && heardBefore === changesHeard) known.set(id, { user, readAt: elapsed() });
		if (known.size > limits.cacheEntries) known.delete(known.keys().next().value ?? '');
		return user;
	}

	/** Creates the user, or gives it a new password and role. */
	async function set(tenant: string, userName: string, password: string, role: Role): Promise<void> {
		await store.batch([await setStep(tenant, userName, password, role)]);
		forget(`${tenant}/${userName}`);
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

	/** A user that no password lets in, because nobody knows one; false when there is such a user already. */
	async function createWithoutPassword(tenant: string, userName: string, role: Role): Promise<boolean> {
		const passwordHash = await unknownUserHash;
		const document: User = {
			_id: `${tenant}/${userName}`,
			tenant,
			userName,
			role,
			passwordHash,
			hasNoPassword: true,
			creationTime: clock(),
		};
		return (await store.batch([{ kind: 'insert', collection: userSpec.name, document }])).ok;
	}

	async function newUser(tenant: string, userName: string, password: string, role: Role): Promise<User> {
		const passwordHash = await hashPassword(password);
		return { _id: `${tenant}/${userName}`, tenant, userName, role, passwordHash, creationTime: clock() };
	}

	async function find(tenant: string, userName: string): Promise<User | undefined> {
		return users.get(`${tenant}/${userName}`);
	}

	/** Who somebody with this name is now; `undefined` where nobody may come in by it. */
	async function findPrincipal(tenant: string, userName: string): Promise<Principal | undefined> {
		const user = await find(tenant, userName);
		return user && toPrincipal(user);
	}

	async function remove(tenant: string, userName: string): Promise<void> {
		await store.batch([{ kind: 'remove', collection: userSpec.name, id: `${tenant}/${userName}` }]);
		forget(`${tenant}/${userName}`);
	}

	return { authenticate, set, setStep, create, createWithoutPassword, find, findPrincipal, remove, watchRemoved, findMissing };
}

const userCacheMilliseconds = 5000;
const pageSize = 500;

export function toPrincipal({ tenant, userName, role }: Pick<User, 'tenant' | 'userName' | 'role'>): Principal {
	return { tenant, userName, role, ...(role === 'device' && { serial: userName.slice(deviceUserPrefix.length) }) };
}
