import type { Collection, Step } from '../store/index.ts';
import { dereferenceStep } from './binary-records.ts';
import { parentTokens } from './derived-fields.ts';
import { type InstalledSoftware, refuseListObject } from './installed-software.ts';
import type { InventoryContext } from './inventory-context.ts';
import { beingRemoved, InventoryError, noSuchObject } from './inventory-error.ts';
import { documentId, type ManagedObject, type ManagedObjectId, notRemoving } from './managed-object.ts';
import { type ChildKind, type ChildLink, childLink } from './object-links.ts';

const maxAttempts = 100;
/** Children that one step of a removal looks at. */
const removalPage = 100;

/** Told of each object that is removed. */
export interface RemovalListener {
	/** Marked as being removed, and not gone yet; told again where the object was changed meanwhile. */
	readonly onRemoving?: (object: ManagedObject) => Promise<void>;
	readonly onRemoved?: (object: ManagedObject) => Promise<void>;
}

export type Hierarchy = ReturnType<typeof openHierarchy>;

/** The place of objects below each other: one step changes one link, and no step makes a circle. */
export function openHierarchy({
	store,
	objects,
	links,
	limits,
	software,
}: Pick<InventoryContext, 'store' | 'objects' | 'limits'> & {
	readonly links: Collection<ChildLink>;
	readonly software: InstalledSoftware;
}) {
	async function get(tenant: string, id: ManagedObjectId): Promise<ManagedObject> {
		const object = await objects.get(documentId(tenant, id));
		if (!object) throw noSuchObject(id);
		return object;
	}

	/**
	 * Puts an object below another one; it may have other parents. What is linked so already stays as it is.
	 * @throws InventoryError `inventory/notFound`, `inventory/cycle`, `inventory/tooLarge`, `inventory/invalid`, `inventory/conflict`
	 */
	async function link(tenant: string, parent: ManagedObjectId, kind: ChildKind, child: ManagedObjectId): Promise<ManagedObject> {
		for (let attempt = 0; attempt < maxAttempts; attempt++) {
			const above = await get(tenant, parent);
			const below = await get(tenant, child);
			if (await find(tenant, parent, kind, child)) return below;
			refuseListObject(above);
			refuseListObject(below);
			if (above.removing) throw beingRemoved(parent);
			const ancestors = await ancestorsOf(above, child);
			const parents = await parentLinks(tenant, child);
			if (parents.length >= limits.maxAncestors) throw tooManyParents(child, limits.maxAncestors);
			const own = childLink(tenant, parent, kind, below);
			const steps: Step[] = [
				// Whoever links anything above meanwhile changes one of these, and one of the two tries again: no circle by two halves.
				...ancestors.map(unchangedLinks),
				{ kind: 'require', collection: objects.name, id: above._id, where: notRemoving },
				relinkStep(below, [...parents, own]),
				{ kind: 'put', collection: links.name, document: own },
			];
			if ((await store.batch(steps)).ok) return below;
		}
		throw tooManyWriters(child);
	}

	/**
	 * Takes a child from its parent; the child itself stays.
	 * @throws InventoryError `inventory/notFound` when it is no such child, `inventory/invalid`, `inventory/conflict`
	 */
	async function unlink(tenant: string, parent: ManagedObjectId, kind: ChildKind, child: ManagedObjectId): Promise<void> {
		for (let attempt = 0; attempt < maxAttempts; attempt++) {
			const own = await find(tenant, parent, kind, child);
			if (!own) throw noChild(parent, kind, child);
			const below = await objects.get(documentId(tenant, child));
			if (below) refuseListObject(below);
			if ((await store.batch(await unlinkSteps(own, below))).ok) return;
		}
		throw tooManyWriters(child);
	}

	async function unlinkSteps(own: ChildLink, below: ManagedObject | undefined): Promise<Step[]> {
		const others = (await parentLinks(own.tenant, own.child)).filter(({ _id }) => _id !== own._id);
		const remove: Step = { kind: 'remove', collection: links.name, id: own._id };
		return below ? [relinkStep(below, others), remove] : [remove];
	}

	/** @throws InventoryError `inventory/notFound` when it is no such child */
	async function getChild(
		tenant: string,
		parent: ManagedObjectId,
		kind: ChildKind,
		child: ManagedObjectId,
	): Promise<ManagedObject> {
		const own = await find(tenant, parent, kind, child);
		const below = own && (await objects.get(documentId(tenant, child)));
		if (!below) throw noChild(parent, kind, child);
		return below;
	}

	async function find(tenant: string, parent: ManagedObjectId, kind: ChildKind, child: ManagedObjectId) {
		return links.get(childLink(tenant, parent, kind, { id: child, seq: 0 })._id);
	}

	async function parentLinks(tenant: string, child: ManagedObjectId): Promise<ChildLink[]> {
		return links.find({ filter: { tenant, child }, sort: [['seq', 1]] });
	}

	function unchangedLinks({ _id, linkRevision }: ManagedObject): Step {
		return { kind: 'require', collection: objects.name, id: _id, where: { linkRevision: linkRevision ?? null } };
	}

	function relinkStep({ _id, linkRevision }: ManagedObject, above: readonly ChildLink[]): Step {
		return {
			kind: 'update',
			collection: objects.name,
			id: _id,
			where: { linkRevision: linkRevision ?? null },
			update: { $set: { parents: parentTokens(above) }, $inc: { linkRevision: 1 } },
		};
	}

	/**
	 * An object and all that is above it.
	 * @throws InventoryError `inventory/cycle` when `child` is among them, `inventory/tooLarge`
	 */
	async function ancestorsOf(start: ManagedObject, child: ManagedObjectId): Promise<ManagedObject[]> {
		const known = new Map<string, ManagedObject>([[start._id, start]]);
		let level: readonly ManagedObject[] = [start];
		while (level.length > 0) {
			for (const { id } of level) if (id === child) throw cycle(start.id, child);
			if (known.size > limits.maxAncestors)
				throw new InventoryError(
					'inventory/tooLarge',
					`More than ${limits.maxAncestors} objects are above '${start.id}': link '${child}' higher up`,
				);
			// After the objects: a link that is made meanwhile has changed one of them.
			const above = await links.find({ filter: { tenant: start.tenant, child: { $in: level.map(({ id }) => id) } } });
			const ids = [...new Set(above.map(({ parent }) => documentId(start.tenant, parent)))].filter((id) => !known.has(id));
			level = ids.length === 0 ? [] : await objects.find({ filter: { _id: { $in: ids } } });
			for (const each of level) known.set(each._id, each);
		}
		return [...known.values()];
	}

	/**
	 * Removes an object with its external ids, links and software; with `below`, first everything linked below it in these kinds.
	 * It goes step by step, from below: stopped half-way, the object itself is still there, and can be removed again.
	 * Returns the ids removed, after the listener has heard of them.
	 * @throws InventoryError `inventory/notFound`, `inventory/invalid` for the object that shows a software list
	 */
	async function remove(
		tenant: string,
		id: ManagedObjectId,
		below: readonly ChildKind[],
		listener: RemovalListener = {},
	): Promise<ManagedObjectId[]> {
		refuseListObject(await get(tenant, id));
		const removed: ManagedObjectId[] = [];
		await removeTree(tenant, id, { below, begun: new Set(), removed, listener });
		return removed;
	}

	interface Removal {
		readonly below: readonly ChildKind[];
		/** What is gone or going, in case a circle came to be: one set for all levels, for there may be any number of them. */
		readonly begun: Set<ManagedObjectId>;
		readonly removed: ManagedObjectId[];
		readonly listener: RemovalListener;
	}

	async function removeTree(tenant: string, id: ManagedObjectId, removal: Removal): Promise<void> {
		const { below, begun, removed, listener } = removal;
		begun.add(id);
		for (;;) {
			const object = await objects.get(documentId(tenant, id));
			if (!object) {
				// A link to what is gone would come up again and again.
				await store.batch([{ kind: 'removeWhere', collection: links.name, filter: { tenant, child: id } }]);
				return;
			}
			if (!object.removing) await store.batch([markStep(object)]);
			const page = await links.find({ filter: { tenant, parent: id }, sort: [['seq', 1]], limit: removalPage });
			const own = page.filter(({ child }) => child !== object.software?.listId);
			if (own.length === 0) {
				const marked = await objects.get(documentId(tenant, id));
				if (!marked) continue;
				await listener.onRemoving?.(marked);
				if (!(await store.batch(removalSteps(marked))).ok) continue;
				removed.push(id);
				await listener.onRemoved?.(marked);
				return;
			}
			const goes = ({ kind, child }: ChildLink) => below.includes(kind) && !begun.has(child);
			// A link whose child is gone or goes by another way is taken away as well.
			await Promise.all(own.filter((each) => !goes(each)).map((each) => detach(each)));
			const children = [...new Set(own.filter(goes).map(({ child }) => child))];
			const inner = await withChildren(tenant, children);
			// Leaves share commits; what has something below it is gone through alone.
			await Promise.all(children.filter((child) => !inner.has(child)).map((child) => removeTree(tenant, child, removal)));
			for (const child of inner) await removeTree(tenant, child, removal);
		}
	}

	/** Those that have something below them, beside the object that shows their software list. */
	async function withChildren(tenant: string, ids: readonly ManagedObjectId[]): Promise<Set<ManagedObjectId>> {
		const below = await links.find({ filter: { tenant, parent: { $in: ids } }, limit: removalPage * removalPage });
		if (below.length === 0) return new Set();
		const parents = [...new Set(below.map(({ parent }) => documentId(tenant, parent)))];
		const lists = new Set((await objects.find({ filter: { _id: { $in: parents } } })).map(({ software: list }) => list?.listId));
		return new Set(below.filter(({ child }) => !lists.has(child)).map(({ parent }) => parent));
	}

	async function detach(own: ChildLink): Promise<void> {
		for (;;) {
			const below = await objects.get(documentId(own.tenant, own.child));
			if ((await store.batch(await unlinkSteps(own, below))).ok) return;
		}
	}

	function markStep({ _id }: ManagedObject): Step {
		return { kind: 'update', collection: objects.name, id: _id, update: { $set: { removing: true } } };
	}

	function removalSteps(object: ManagedObject): Step[] {
		const { tenant, id, software: list } = object;
		return [
			// What is removed with it hangs on the object as it was read.
			{ kind: 'require', collection: objects.name, id: object._id, where: { revision: object.revision, removing: true } },
			{ kind: 'remove', collection: objects.name, id: object._id },
			{ kind: 'removeWhere', collection: 'externalIds', filter: { tenant, managedObjectId: id } },
			{ kind: 'removeWhere', collection: links.name, filter: { tenant, child: id } },
			{ kind: 'removeWhere', collection: links.name, filter: { tenant, parent: id } },
			...(list?.listId ? [{ kind: 'remove', collection: objects.name, id: documentId(tenant, list.listId) } as const] : []),
			...software.removalSteps(object),
			dereferenceStep(object._id),
		];
	}

	return { link, unlink, getChild, remove };
}

function noChild(parent: ManagedObjectId, kind: ChildKind, child: ManagedObjectId): InventoryError {
	return new InventoryError('inventory/notFound', `Managed object '${child}' is not among the ${kind} of '${parent}'`);
}

function cycle(parent: ManagedObjectId, child: ManagedObjectId): InventoryError {
	const where = parent === child ? `an object cannot be below itself` : `'${parent}' is below it already`;
	return new InventoryError('inventory/cycle', `Managed object '${child}' cannot be linked below '${parent}': ${where}`);
}

function tooManyParents(id: ManagedObjectId, limit: number): InventoryError {
	return new InventoryError(
		'inventory/tooLarge',
		`Managed object '${id}' is a child of ${limit} objects already, and at most ${limit} are allowed: take it from one of them first`,
	);
}

function tooManyWriters(id: ManagedObjectId): InventoryError {
	return new InventoryError(
		'inventory/conflict',
		`The links of managed object '${id}' were changed by others again and again: try once more`,
	);
}
