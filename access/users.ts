import { randomUUID } from 'node:crypto';
import type { Collection, CollectionSpec, DocumentStore, Step } from '../store/index.ts';
import { AccessError } from './access-error.ts';
import { type AttemptLimits, createLoginAttempts } from './login-attempts.ts';
import { checkNewPassword, type PasswordRules } from './password-rules.ts';
import { createPasswordVerifier, generatePassword, type HashCost, hashPassword, isHashedOtherwise } from './passwords.ts';
import { deviceUserPrefix, type Principal, type Role } from './principal.ts';

export interface User {
	readonly _id: string;
	readonly tenant: string;
	readonly userName: string;
	readonly role: Role;
	/** Absent where somebody else checks who the user is. */
	readonly passwordHash?: string;
	readonly creationTime: number;
	/** Another text whenever all sessions of the user end. */
	readonly sessionsId?: string;
	/** The one session, a token by its id, that went on when the others ended. */
	readonly keptSession?: { readonly id: string; readonly generation: string };
	/** Until the password is changed, the user may do nothing else. */
	readonly shouldResetPassword?: boolean;
	/** Who the user is at the provider by which it logs in; of users without a password. */
	readonly identity?: string;
}

export const userSpec: CollectionSpec<User> = { name: 'users', indexes: [] };

export type Authentication =
	| { readonly ok: true; readonly principal: Principal }
	/** `rejected` tells nobody whether the user or the password was wrong. */
	| { readonly ok: false; readonly reason: 'rejected' | 'throttled' };

export interface AuthenticationLimits extends AttemptLimits {
	readonly cacheEntries: number;
	readonly cacheTtlMilliseconds: number;
	readonly hashCost: HashCost;
	readonly passwordRules: PasswordRules;
}

type RemovalListener = (tenant: string, userName: string) => void;

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
}) {
	const { store, clock, elapsed, pause, limits } = options;
	const users: Collection<User> = await store.collection(userSpec);
	const verifier = createPasswordVerifier({
		maxEntries: limits.cacheEntries,
		ttlMilliseconds: limits.cacheTtlMilliseconds,
		elapsed,
	});
	const known = new Map<string, { readonly user: User; readonly readAt: number }>();
	const attempts = createLoginAttempts({ limits, elapsed, pause, maxEntries: limits.cacheEntries });
	const unknownUserHash = hashPassword(generatePassword(), limits.hashCost);
	let isRenewingHash = false;
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
		const id = `${tenant}/${userName}`;
		let user = await findCached(id);
		// Whoever guesses does not keep out those who are in already.
		if (user?.passwordHash !== undefined && verifier.isKnown(user.passwordHash, password))
			return { ok: true, principal: toPrincipal(user) };
		const outcome = await attempts.run(address, id, async () => {
			user = await findCached(id);
			// A user that does not exist costs what a wrong password costs.
			return verifier.check(user?.passwordHash ?? (await unknownUserHash), password);
		});
		if (outcome === 'throttled') return { ok: false, reason: 'throttled' };
		if (outcome === 'wrong' || user?.passwordHash === undefined) return { ok: false, reason: 'rejected' };
		await renewHash(user, password);
		return { ok: true, principal: toPrincipal(user) };
	}

	// Once the settings say that a hash costs something else; one at a time, so that a fleet that reconnects does not wait for it.
	async function renewHash({ _id, passwordHash }: User, password: string): Promise<void> {
		if (isRenewingHash || passwordHash === undefined || !isHashedOtherwise(passwordHash, limits.hashCost)) return;
		isRenewingHash = true;
		try {
			const renewed = await hashPassword(password, limits.hashCost);
			const update = { $set: { passwordHash: renewed } };
			await store.batch([{ kind: 'update', collection: userSpec.name, id: _id, where: { passwordHash }, update }]);
			forget(_id);
		} finally {
			isRenewingHash = false;
		}
	}

	/** A user that may have been read some seconds ago, unless a change was heard of. */
	async function findKnown(tenant: string, userName: string): Promise<User | undefined> {
		return findCached(`${tenant}/${userName}`);
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

	async function newUser(tenant: string, userName: string, password: string, role: Role): Promise<User> {
		const passwordHash = await hashPassword(password, limits.hashCost);
		const _id = `${tenant}/${userName}`;
		return { _id, tenant, userName, role, passwordHash, creationTime: clock(), sessionsId: randomUUID() };
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
		checkNewPassword(password, userName, limits.passwordRules);
		const passwordHash = await hashPassword(password, limits.hashCost);
		const id = `${tenant}/${userName}`;
		const update = {
			$set: { passwordHash, sessionsId: randomUUID(), shouldResetPassword: mustChange, ...(keptSession && { keptSession }) },
			...(!keptSession && { $unset: ['keptSession'] }),
		};
		const where = { passwordHash: { $exists: true } };
		const outcome = await store.batch([{ kind: 'update', collection: userSpec.name, id, where, update }]);
		forget(id);
		if (!outcome.ok) throw new AccessError('access/notFound', `There is no user '${userName}' with a password`);
	}

	/**
	 * The user whom a provider has just identified: made when new, with the role as the provider has it now.
	 * `undefined` where that name is somebody else's: of a password, of another provider, or of another person there.
	 */
	async function setExternal(tenant: string, userName: string, role: Role, identity: string): Promise<User | undefined> {
		const _id = `${tenant}/${userName}`;
		const present = await findCached(_id);
		if (present?.identity === identity && present.role === role) return present;
		const document: User = { _id, tenant, userName, role, identity, creationTime: clock(), sessionsId: randomUUID() };
		if (!present && (await store.batch([{ kind: 'insert', collection: userSpec.name, document }])).ok) return document;
		const updated = await users.findOneAndUpdate({ _id, identity }, { $set: { role } });
		forget(_id);
		return updated;
	}

	/** Ends the sessions of somebody whom a provider lets in no more. */
	async function endExternal(tenant: string, userName: string, identity: string): Promise<void> {
		const _id = `${tenant}/${userName}`;
		await users.findOneAndUpdate({ _id, identity }, { $set: { sessionsId: randomUUID() } });
		forget(_id);
	}

	async function find(tenant: string, userName: string): Promise<User | undefined> {
		return users.get(`${tenant}/${userName}`);
	}

	async function remove(tenant: string, userName: string): Promise<void> {
		await store.batch([{ kind: 'remove', collection: userSpec.name, id: `${tenant}/${userName}` }]);
		forget(`${tenant}/${userName}`);
	}

	return {
		authenticate,
		set,
		setStep,
		create,
		changePassword,
		setExternal,
		endExternal,
		find,
		findKnown,
		remove,
		watchRemoved,
		findMissing,
	};
}

const userCacheMilliseconds = 5000;
const pageSize = 500;

type Identity = Pick<User, 'tenant' | 'userName' | 'role' | 'shouldResetPassword'>;

export function toPrincipal({ tenant, userName, role, shouldResetPassword }: Identity): Principal {
	return {
		tenant,
		userName,
		role,
		...(role === 'device' && { serial: userName.slice(deviceUserPrefix.length) }),
		...(shouldResetPassword && { mustChangePassword: true }),
	};
}
