import type { Hierarchy } from './hierarchy.ts';
import { InventoryError } from './inventory-error.ts';
import { isDynamicGroup, isManagedObjectId, type ManagedObject, type ManagedObjectId } from './managed-object.ts';
import type { ManagedObjects } from './managed-objects.ts';
import { printQuery } from './query/print-query.ts';

const groupFragment = 'c8y_IsDeviceGroup';
const maxNameLength = 254;
const maxDepth = 20;

/** Groups of devices. */
export function openGroups({
	objects,
	hierarchy,
}: {
	readonly objects: ManagedObjects;
	readonly hierarchy: Pick<Hierarchy, 'link'>;
}) {
	/** A group that devices can be put into; `undefined` where the id names none. */
	async function find(tenant: string, id: string): Promise<ManagedObject | undefined> {
		const object = isManagedObjectId(id) ? await objects.find(tenant, id) : undefined;
		return object && isGroup(object) && !object.removing ? object : undefined;
	}

	/** @throws InventoryError `inventory/notFound` for a group that is gone; those of a link */
	async function add(tenant: string, group: ManagedObjectId, device: ManagedObjectId): Promise<void> {
		await hierarchy.link(tenant, group, 'childAssets', device);
	}

	/**
	 * The group at the end of a path of names, `factory/line 1`; groups that are missing are made. Two who ask at once may make two.
	 * @throws InventoryError `inventory/invalid` for a path that is none
	 */
	async function ensurePath(tenant: string, owner: string, path: string): Promise<ManagedObjectId> {
		let above: ManagedObjectId | undefined;
		for (const name of namesOf(path)) above = (await findNamed(tenant, name, above)) ?? (await make(tenant, owner, name, above));
		if (above === undefined) throw new Error('a path without names');
		return above;
	}

	async function findNamed(tenant: string, name: string, above: ManagedObjectId | undefined) {
		const query = printQuery({
			condition: { kind: 'compare', path: 'name', operator: 'eq', value: { kind: 'text', parts: [name] } },
			order: [],
		});
		const place = above === undefined ? { onlyRoots: true } : { below: { id: above, kind: 'childAssets' as const } };
		const [found] = await objects.list(tenant, { query, fragmentType: groupFragment, ...place }, { skip: 0, limit: 1 });
		return found?.id;
	}

	async function make(tenant: string, owner: string, name: string, above: ManagedObjectId | undefined): Promise<ManagedObjectId> {
		const type = above === undefined ? 'c8y_DeviceGroup' : 'c8y_DeviceSubgroup';
		const made = await objects.create(tenant, {
			owner,
			patch: { name, type, fragments: { [groupFragment]: {} } },
			...(above !== undefined && { parent: { id: above, kind: 'childAssets' } }),
		});
		if (!made) throw new Error('a group without external ids met a duplicate');
		return made.id;
	}

	return { find, add, ensurePath };
}

function isGroup(object: ManagedObject): boolean {
	return groupFragment in object.fragments && !isDynamicGroup(object);
}

function namesOf(path: string): string[] {
	const names = path
		.replace(/^\/|\/$/g, '')
		.split('/')
		.map((name) => name.trim());
	const isWrong = (name: string) => name === '' || name.length > maxNameLength || /\p{Cc}/u.test(name);
	if (names.length > maxDepth || names.some(isWrong))
		throw new InventoryError(
			'inventory/invalid',
			`A path must have 1 to ${maxDepth} names of groups with slashes between, each of 1 to ${maxNameLength} characters`,
		);
	return names;
}
