import {
	type Collection,
	type CollectionSpec,
	type DocumentStore,
	DuplicateKeyError,
	openSequence,
	type StoredDocument,
} from '../store/index.ts';
import { AccessError } from './access-error.ts';
import {
	cumulocityRoleNames,
	effectiveRoles,
	isCumulocityRole,
	type Permission,
	permissionsOf,
	type Role,
	rolePermissions,
} from './permissions.ts';
import { createStoredCache } from './stored-cache.ts';

/** A role that users of a tenant can have, a group in the words of Cumulocity's clients. */
export interface GlobalRole {
	readonly id: number;
	readonly name: string;
	readonly description?: string;
	/** Cumulocity's names of what it grants. */
	readonly roles: readonly string[];
	/** Of every tenant; it cannot be changed. */
	readonly isPredefined: boolean;
}

interface StoredRole extends StoredDocument {
	readonly tenant: string;
	readonly id: number;
	readonly name: string;
	readonly description?: string;
	readonly roles: readonly string[];
}

export const roleSpec: CollectionSpec<StoredRole> = {
	name: 'globalRoles',
	indexes: [
		{ name: 'byTenant', keys: ['tenant', 'id'] },
		{ name: 'byName', keys: ['tenant', 'name'], unique: true },
	],
};

/** THE table of predefined roles as clients see them. The bootstrap user's is none that anybody can be given. */
const predefinedRoles = {
	admin: { id: 1, name: 'admins', description: 'May do everything in the tenant' },
	device: { id: 2, name: 'devices', description: 'A device: may touch itself and what is below it' },
	operator: { id: 3, name: 'operators', description: 'May read, and ask devices to do something' },
	reader: { id: 4, name: 'readers', description: 'May read' },
} as const satisfies Partial<Record<Role, Pick<GlobalRole, 'id' | 'name' | 'description'>>>;

export const predefinedGlobalRoles: readonly (GlobalRole & { readonly role: Role })[] = (
	['admin', 'device', 'operator', 'reader'] as const
).map((role) => ({
	role,
	...predefinedRoles[role],
	roles: effectiveRoles(rolePermissions[role]),
	isPredefined: true,
}));

/** What a change of a role of the tenant's own says. */
export interface RoleChange {
	readonly name?: string | undefined;
	readonly description?: string | undefined;
	readonly roles?: readonly string[] | undefined;
}

export type GlobalRoles = Awaited<ReturnType<typeof openGlobalRoles>>;

/** The roles that users of a tenant can have: the predefined ones and those of the tenant's own. */
export async function openGlobalRoles({ store, elapsed }: { readonly store: DocumentStore; readonly elapsed: () => number }) {
	const roles: Collection<StoredRole> = await store.collection(roleSpec);
	const sequence = await openSequence(store, 'globalRoles', { first: 100, block: 1 });
	const known = createStoredCache({ collection: roles, elapsed, maxEntries: cachedRoles });

	/** What a user with these roles is permitted: `ids` as users have them. A role that is gone grants nothing. */
	async function permitted(tenant: string, ids: readonly string[]): Promise<Permission[]> {
		const found = await Promise.all(
			ids.map(async (id) => (isRole(id) ? rolePermissions[id] : permissionsOf((await known.get(idOf(tenant, id)))?.roles ?? []))),
		);
		return [...new Set(found.flat())];
	}

	/** Those of these keys that there are. */
	async function named(tenant: string, keys: readonly string[]): Promise<GlobalRole[]> {
		const found = await Promise.all(
			keys.map(async (key) => predefinedGlobalRoles.find(({ role }) => role === key) ?? (await known.get(idOf(tenant, key)))),
		);
		return found.flatMap((role) => (role ? shown(role) : []));
	}

	/** @throws AccessError `access/notFound` */
	async function get(tenant: string, id: string): Promise<GlobalRole> {
		const predefined = predefinedGlobalRoles.find((role) => String(role.id) === id);
		const own = predefined ?? (await roles.get(idOf(tenant, id)));
		if (!own) throw new AccessError('access/notFound', `No group with id '${id.slice(0, 40)}'`);
		return shown(own);
	}

	/** @throws AccessError `access/notFound` */
	async function getByName(tenant: string, name: string): Promise<GlobalRole> {
		const predefined = predefinedGlobalRoles.find((role) => role.name === name);
		const [own] = predefined ? [predefined] : await roles.find({ filter: { tenant, name }, limit: 1 });
		if (!own) throw new AccessError('access/notFound', `No group with the name '${name.slice(0, 60)}'`);
		return shown(own);
	}

	/** The predefined ones first, then those of the tenant in the order of creation. */
	async function list(tenant: string, { skip, limit }: { readonly skip: number; readonly limit: number }): Promise<GlobalRole[]> {
		const first = predefinedGlobalRoles.slice(skip, skip + limit);
		const rest = { skip: Math.max(0, skip - predefinedGlobalRoles.length), limit: limit - first.length };
		const own = rest.limit > 0 ? await roles.find({ filter: { tenant }, sort: [['id', 1]], ...rest }) : [];
		return [...first, ...own].map(shown);
	}

	async function count(tenant: string): Promise<number> {
		return predefinedGlobalRoles.length + (await roles.count({ tenant }));
	}

	/** @throws AccessError `access/invalid`, `access/conflict` */
	async function create(tenant: string, { name = '', description, roles: granted = [] }: RoleChange): Promise<GlobalRole> {
		check({ name, description, roles: granted });
		const id = await sequence.next();
		const role: StoredRole = {
			_id: idOf(tenant, String(id)),
			tenant,
			id,
			name,
			roles: [...new Set(granted)],
			...(description !== undefined && { description }),
		};
		const outcome = await store.batch([{ kind: 'insert', collection: roleSpec.name, document: role }]);
		if (!outcome.ok) throw nameTaken(name);
		return shown(role);
	}

	/** @throws AccessError `access/notFound`, `access/invalid` for a predefined one, `access/conflict` */
	async function change(tenant: string, id: string, asked: RoleChange): Promise<GlobalRole> {
		await getOwn(tenant, id);
		check(asked);
		const { name, description, roles: granted } = asked;
		const $set = {
			...(name !== undefined && { name }),
			...(description !== undefined && { description }),
			...(granted && { roles: [...new Set(granted)] }),
		};
		try {
			const changed = await roles.findOneAndUpdate({ _id: idOf(tenant, id) }, { $set });
			known.forget(idOf(tenant, id));
			return changed ? shown(changed) : await getOwn(tenant, id);
		} catch (error) {
			if (error instanceof DuplicateKeyError) throw nameTaken(name ?? '');
			throw error;
		}
	}

	/** Users who have it have it no longer: what is not there grants nothing. @throws AccessError as `change` */
	async function remove(tenant: string, id: string): Promise<void> {
		await getOwn(tenant, id);
		await store.batch([{ kind: 'remove', collection: roleSpec.name, id: idOf(tenant, id) }]);
		known.forget(idOf(tenant, id));
	}

	async function getOwn(tenant: string, id: string): Promise<GlobalRole> {
		const role = await get(tenant, id);
		if (role.isPredefined)
			throw new AccessError('access/invalid', `The group '${role.name}' is predefined: it cannot be changed or removed`);
		return role;
	}

	/** Calls back with a role that changed or is gone: its tenant, and its id as users have it. */
	function watchChanged(onChanged: (tenant: string, id: string) => void): void {
		roles.watch((changes) => {
			for (const { id } of changes) onChanged(id.slice(0, id.indexOf('/')), id.slice(id.indexOf('/') + 1));
		});
	}

	return { permitted, named, get, getByName, list, count, create, change, remove, watchChanged };
}

/** How users have a role. */
export function roleKey({ id }: Pick<GlobalRole, 'id'>): string {
	return predefinedGlobalRoles.find((role) => role.id === id)?.role ?? String(id);
}

export function isRole(text: string): text is Role {
	return Object.hasOwn(rolePermissions, text);
}

const cachedRoles = 10_000;
const maxDescriptionLength = 1000;

function idOf(tenant: string, id: string): string {
	return `${tenant}/${id}`;
}

function check({ name, description = '', roles = [] }: RoleChange): void {
	if (name !== undefined && (name.trim() === '' || name.length > 254 || /\p{Cc}/u.test(name)))
		throw new AccessError('access/invalid', 'name must have 1 to 254 characters without control characters');
	if (description.length > maxDescriptionLength)
		throw new AccessError(
			'access/invalid',
			`description has ${description.length} characters: at most ${maxDescriptionLength} are stored`,
		);
	if (name !== undefined && predefinedGlobalRoles.some((role) => role.name === name)) throw nameTaken(name);
	for (const role of roles)
		if (!isCumulocityRole(role))
			throw new AccessError(
				'access/invalid',
				`roles has '${role.slice(0, 60)}', which is none: use some of ${cumulocityRoleNames.join(', ')}`,
			);
}

function shown({
	id,
	name,
	description,
	roles,
	...more
}: Omit<GlobalRole, 'isPredefined'> & { readonly isPredefined?: boolean }): GlobalRole {
	return { id, name, ...(description !== undefined && { description }), roles, isPredefined: more.isPredefined ?? false };
}

function nameTaken(name: string): AccessError {
	return new AccessError('access/conflict', `There is a group with the name '${name.slice(0, 60)}' already`);
}
