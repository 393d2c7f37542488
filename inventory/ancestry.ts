import type { Collection } from '../store/index.ts';
import { agentFragment, isManagedObjectId, type ManagedObject, type ManagedObjectId } from './managed-object.ts';
import type { ChildLink } from './object-links.ts';

const maxDepth = 10;

/** What is above objects: for any number of them, one look at the links for each level. */
export function openAncestry({
	links,
	listByIds,
}: {
	readonly links: Collection<ChildLink>;
	readonly listByIds: (tenant: string, ids: readonly ManagedObjectId[]) => Promise<ManagedObject[]>;
}) {
	/** The nearest object at or above `object` that is an agent: it has the connection. */
	async function findAgent(tenant: string, object: ManagedObject): Promise<ManagedObject | undefined> {
		return (await findAgents(tenant, [object])).get(object.id);
	}

	/** The agents of several objects, by the ids of these; those that have none are missing. */
	async function findAgents(
		tenant: string,
		from: readonly ManagedObject[],
	): Promise<ReadonlyMap<ManagedObjectId, ManagedObject>> {
		const agents = new Map<ManagedObjectId, ManagedObject>();
		let current = new Map(from.map((object) => [object.id, object]));
		for (let depth = 0; current.size > 0 && depth < maxDepth; depth++) {
			const others = new Map<ManagedObjectId, ManagedObject>();
			for (const [start, object] of current) (agentFragment in object.fragments ? agents : others).set(start, object);
			const nextOf = connectedParents(await linksAbove(tenant, [...new Set([...others.values()].map(({ id }) => id))]));
			const parents = new Map((await listByIds(tenant, [...new Set(nextOf.values())])).map((each) => [each.id, each]));
			current = new Map();
			for (const [start, { id }] of others) {
				const parent = parents.get(nextOf.get(id) ?? id);
				if (parent) current.set(start, parent);
			}
		}
		return agents;
	}

	/** Whether an object is one of these or anywhere below one. */
	async function isAtOrBelow(tenant: string, id: ManagedObjectId, ...ancestors: readonly string[]): Promise<boolean> {
		return (await filterAtOrBelow(tenant, [id], ancestors)).has(id);
	}

	/** Those of several objects that are one of the ancestors or anywhere below one. A look at the links for each level above them. */
	async function filterAtOrBelow(
		tenant: string,
		ids: readonly ManagedObjectId[],
		ancestors: readonly string[],
	): Promise<ReadonlySet<ManagedObjectId>> {
		const within = new Set(ancestors.filter(isManagedObjectId));
		const seen = new Set(ids);
		const found: ChildLink[] = [];
		let level = within.size === 0 ? [] : ids.filter((id) => !within.has(id));
		for (let depth = 1; level.length > 0 && depth < maxDepth; depth++) {
			const above = await linksAbove(tenant, level);
			found.push(...above);
			spread(within, found);
			if (ids.every((id) => within.has(id))) break;
			level = [...new Set(above.map(({ parent }) => parent))].filter((id) => !within.has(id) && !seen.has(id));
			for (const id of level) seen.add(id);
		}
		return new Set(ids.filter((id) => within.has(id)));
	}

	/** The links to all that is directly above these objects. */
	async function linksAbove(tenant: string, children: readonly ManagedObjectId[]): Promise<ChildLink[]> {
		if (children.length === 0) return [];
		return links.find({ filter: { tenant, child: { $in: children } } });
	}

	return { findAgent, findAgents, isAtOrBelow, filterAtOrBelow };
}

/** Of each child the parent by which it is connected. */
function connectedParents(above: readonly ChildLink[]): ReadonlyMap<ManagedObjectId, ManagedObjectId> {
	const parents = new Map<ManagedObjectId, ManagedObjectId>();
	for (const kind of ['childDevices', 'childAdditions'])
		for (const each of above) if (each.kind === kind && !parents.has(each.child)) parents.set(each.child, each.parent);
	return parents;
}

/** Adds to a set all that these links put below what is in it. */
function spread(within: Set<ManagedObjectId>, links: readonly ChildLink[]): void {
	for (let size = -1; size !== within.size; ) {
		size = within.size;
		for (const { parent, child } of links) if (within.has(parent)) within.add(child);
	}
}
