import type { Collection } from '../../store/index.ts';
import { InventoryError } from '../inventory-error.ts';
import {
	documentId,
	dynamicGroupFragment,
	isManagedObjectId,
	type ManagedObject,
	type ManagedObjectId,
} from '../managed-object.ts';
import type { ChildLink } from '../object-links.ts';
import type { QuerySurroundings } from './compile-query.ts';
import { parseQuery } from './parse-query.ts';
import { QueryError } from './query-error.ts';
import { type Condition, joined, type QueryLimits } from './query-tree.ts';

export const storedQueryFragment = 'c8y_DeviceQueryString';

const parentsAtOnce = 500;

/** Finds what a condition names by an id alone: what is below an object, and the queries of groups that have one. */
export function openQueryResolver({
	objects,
	links,
	limits,
}: {
	readonly objects: Collection<ManagedObject>;
	readonly links: Collection<ChildLink>;
	readonly limits: QueryLimits & { readonly maxScanned: number };
}) {
	/**
	 * `inTurn` runs what looks at many links.
	 * @throws QueryError; InventoryError `inventory/scanLimit`
	 */
	async function resolve(
		tenant: string,
		condition: Condition | undefined,
		inTurn: InTurn,
	): Promise<Omit<QuerySurroundings, 'now'>> {
		const dynamicGroups = new Map<string, Condition>();
		const hierarchies = new Map<string, readonly string[]>();
		if (!condition) return { dynamicGroups, hierarchies };
		const named = namesOf(condition);
		for (const [id, times] of named.groups) {
			const stored = await storedCondition(tenant, id);
			if (!stored) continue;
			const inner = namesOf(stored);
			named.terms += inner.terms * times;
			// Before each of them is looked up.
			checkTerms(named.terms);
			for (const each of inner.groups.keys()) if (await storedQuery(tenant, each)) throw nested(id, each);
			for (const [each, innerTimes] of inner.hierarchies) addTimes(named.hierarchies, each, innerTimes * times);
			dynamicGroups.set(id, stored);
		}
		checkTerms(named.terms);
		// One bound for all of them together: they may be the same objects over and over.
		let room = limits.maxScanned;
		for (const [id, times] of named.hierarchies) {
			const ids = await inTurn((signal) => idsAtAndBelow(tenant, id, Math.floor(room / times), signal));
			room -= ids.length * times;
			hierarchies.set(
				id,
				ids.map((each) => documentId(tenant, each)),
			);
		}
		return { dynamicGroups, hierarchies };
	}

	function checkTerms(terms: number): void {
		if (terms > limits.maxTerms)
			throw new InventoryError(
				'inventory/badQuery',
				`The query and those of its groups have ${terms} terms or more: at most ${limits.maxTerms} are allowed`,
			);
	}

	async function storedQuery(tenant: string, id: string): Promise<string | undefined> {
		const group = isManagedObjectId(id) ? await objects.get(documentId(tenant, id)) : undefined;
		const query = group?.fragments[storedQueryFragment];
		return group && dynamicGroupFragment in group.fragments && typeof query === 'string' ? query : undefined;
	}

	/** The condition of a group that is a query; devices only, as for `q`. */
	async function storedCondition(tenant: string, id: string): Promise<Condition | undefined> {
		const query = await storedQuery(tenant, id);
		if (query === undefined) return undefined;
		const isDevice = { kind: 'has', path: 'c8y_IsDevice' } as const;
		try {
			const { condition } = parseQuery(query, limits);
			return condition ? joined('and', [isDevice, condition]) : isDevice;
		} catch (error) {
			if (!(error instanceof QueryError)) throw error;
			throw new InventoryError('inventory/badQuery', `${storedQueryFragment} of group '${id}': ${error.message}`, error.details);
		}
	}

	/** @throws InventoryError `inventory/scanLimit`; the signal's reason */
	async function idsAtAndBelow(
		tenant: string,
		id: string,
		room = limits.maxScanned,
		signal?: AbortSignal,
	): Promise<readonly ManagedObjectId[]> {
		if (!isManagedObjectId(id)) return [];
		if (room < 1) throw tooLarge(id, limits.maxScanned);
		const found = new Set<ManagedObjectId>([id]);
		let level: readonly ManagedObjectId[] = [id];
		while (level.length > 0) {
			const next: ManagedObjectId[] = [];
			for (let from = 0; from < level.length; from += parentsAtOnce) {
				signal?.throwIfAborted();
				const parents = level.slice(from, from + parentsAtOnce);
				const limit = room - found.size + 1;
				const below = await links.find({ filter: { tenant, parent: { $in: parents } }, limit });
				if (below.length === limit) throw tooLarge(id, limits.maxScanned);
				for (const { child } of below) {
					if (found.has(child)) continue;
					found.add(child);
					next.push(child);
				}
			}
			level = next;
		}
		return [...found];
	}

	return { resolve, storedCondition, idsAtAndBelow };
}

/** Runs a read that looks at many documents when it is its turn; the signal tells that nobody waits for it any more. */
export type InTurn = <T>(work: (signal?: AbortSignal) => Promise<T>) => Promise<T>;

interface Names {
	/** How often each is named. */
	readonly groups: Map<string, number>;
	readonly hierarchies: Map<string, number>;
	terms: number;
}

function namesOf(condition: Condition, into: Names = { groups: new Map(), hierarchies: new Map(), terms: 0 }): Names {
	if (condition.kind === 'and' || condition.kind === 'or') for (const part of condition.parts) namesOf(part, into);
	else if (condition.kind === 'not') namesOf(condition.part, into);
	else {
		into.terms++;
		if (condition.kind === 'group') addTimes(into.groups, condition.id, 1);
		if (condition.kind === 'hierarchy') addTimes(into.hierarchies, condition.id, 1);
	}
	return into;
}

function addTimes(named: Map<string, number>, id: string, times: number): void {
	named.set(id, (named.get(id) ?? 0) + times);
}

function nested(group: string, inner: string): InventoryError {
	return new InventoryError(
		'inventory/badQuery',
		`${storedQueryFragment} of group '${group}' names group '${inner}', which has a query of its own: name what is in that one`,
	);
}

function tooLarge(id: string, limit: number): InventoryError {
	return new InventoryError(
		'inventory/scanLimit',
		`isinhierarchyof(${id}): more than ${limit} objects are below what the query names so: name a lower one, or raise QUERY_SCAN_MAX_OBJECTS`,
		{ terms: [`isinhierarchyof(${id})`], limit },
	);
}
