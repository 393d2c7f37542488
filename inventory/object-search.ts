import type { Collection, Filter } from '../store/index.ts';
import { longestSearchedText, rootToken } from './derived-fields.ts';
import { InventoryError } from './inventory-error.ts';
import { documentId, isManagedObjectId, type ManagedObject, type ManagedObjectId } from './managed-object.ts';
import type { ChildKind, ChildLink } from './object-links.ts';
import { compileTerms, nothing, parentToken, sortPath, type Term } from './query/compile-query.ts';
import { parseQuery } from './query/parse-query.ts';
import { type Plan, planQuery, type Sort, totalSort } from './query/plan-query.ts';
import { joined, type Order, type ParsedQuery, type QueryLimits } from './query/query-tree.ts';
import { type InTurn, openQueryResolver } from './query/resolve-query.ts';

/** What objects are asked for; all must hold. */
export interface ObjectFilter {
	readonly type?: string | undefined;
	readonly fragmentType?: string | undefined;
	readonly owner?: string | undefined;
	readonly ids?: readonly string[] | undefined;
	/** Objects with a property whose whole text this is. */
	readonly text?: string | undefined;
	/** In the query language. */
	readonly query?: string | undefined;
	/** The same, and only devices. */
	readonly q?: string | undefined;
	/** Parents of these objects. */
	readonly childDeviceId?: string | undefined;
	readonly childAssetId?: string | undefined;
	readonly childAdditionId?: string | undefined;
	/** Objects that are one of these, or below one. */
	readonly within?: readonly ManagedObjectId[] | undefined;
	/** Objects without parents. */
	readonly onlyRoots?: boolean | undefined;
	/** Children of an object; of a group with a stored query what that finds, unless `isLinked`. */
	readonly below?: { readonly id: ManagedObjectId; readonly kind: ChildKind; readonly isLinked?: boolean } | undefined;
}

export interface Page {
	readonly skip: number;
	readonly limit: number;
}

/** A search whose query has been read. */
export interface ObjectSearch {
	/** Whether an index answers all of it: then a page costs no more than the page. */
	readonly isIndexed: boolean;
	/** @throws InventoryError `inventory/scanLimit`; the signal's reason */
	list(page: Page, signal?: AbortSignal): Promise<ManagedObject[]>;
	/** @throws InventoryError `inventory/scanLimit`; the signal's reason */
	count(signal?: AbortSignal): Promise<number>;
}

export interface SearchLimits extends QueryLimits {
	/** Objects that one search may look at where no index answers it. */
	readonly maxScanned: number;
}

/** So few objects are looked at without asking further. */
const few = 1000;

export function openObjectSearch({
	objects,
	links,
	clock,
	limits,
}: {
	readonly objects: Collection<ManagedObject>;
	readonly links: Collection<ChildLink>;
	readonly clock: () => number;
	readonly limits: SearchLimits;
}) {
	const resolver = openQueryResolver({ objects, links, limits });

	/**
	 * In the order of the query, else in the order of creation. `inTurn` runs what many links are looked at for to begin with.
	 * @throws QueryError; InventoryError `inventory/scanLimit`
	 */
	async function search(tenant: string, filter: ObjectFilter, inTurn: InTurn = atOnce): Promise<ObjectSearch> {
		const { terms, order } = await read(tenant, filter, inTurn);
		const sort = totalSort(order.map(([path, direction]) => [sortPath(path), direction]));
		const plans = planQuery({ tenant, terms, sort });
		const indexed = plans.find((plan) => plan.rest.length === 0 && plan.isSorted);
		return {
			isIndexed: indexed !== undefined,
			list: async (page, signal) => (indexed ? find(indexed, sort, page) : listScanning(plans, sort, page, signal)),
			count: async (signal) => countMatching(plans, signal),
		};
	}

	async function read(
		tenant: string,
		filter: ObjectFilter,
		inTurn: InTurn,
	): Promise<{ readonly terms: Term[]; readonly order: Order }> {
		const queries: ParsedQuery[] = [];
		if (filter.query !== undefined) queries.push(parseQuery(filter.query, limits));
		if (filter.q !== undefined) queries.push(devicesOf(parseQuery(filter.q, limits)));
		const conditions = queries.flatMap(({ condition }) => condition ?? []);
		const { below } = filter;
		const mayBeDynamic = below?.kind === 'childAssets' && !below.isLinked;
		const dynamic = mayBeDynamic ? await resolver.storedCondition(tenant, below.id) : undefined;
		if (dynamic) conditions.push(dynamic);
		const condition = conditions.length > 0 ? joined('and', conditions) : undefined;
		const surroundings = { now: clock(), ...(await resolver.resolve(tenant, condition, inTurn)) };
		const parameters = await parameterTerms(tenant, dynamic ? { ...filter, below: undefined } : filter);
		const terms = [...parameters, ...compileTerms(condition, surroundings)];
		return { terms, order: queries.flatMap(({ order }) => order) };
	}

	async function parameterTerms(tenant: string, filter: ObjectFilter): Promise<Term[]> {
		const { type, fragmentType, owner, ids, text, onlyRoots, below, within } = filter;
		const terms: Term[] = [];
		if (type !== undefined) terms.push({ filter: { type }, text: 'type' });
		if (owner !== undefined) terms.push({ filter: { owner }, text: 'owner' });
		if (fragmentType !== undefined) terms.push({ filter: { fragmentNames: fragmentType }, text: 'fragmentType' });
		if (ids) terms.push({ filter: withIds(tenant, ids.filter(isManagedObjectId)), text: 'ids' });
		if (text !== undefined)
			terms.push({ filter: text.length > longestSearchedText ? nothing : { 'search.texts': text }, text: 'text' });
		if (within) terms.push({ filter: withIds(tenant, await idsWithin(tenant, within)), text: 'what the user may see' });
		if (onlyRoots) terms.push({ filter: { parents: rootToken }, text: 'onlyRoots' });
		if (below) terms.push({ filter: { parents: parentToken(below.kind, below.id) }, text: below.kind });
		for (const [parameter, kind] of childParameters) {
			const child = filter[parameter];
			if (child === undefined) continue;
			const found = await links.find({ filter: { tenant, child, kind }, sort: [['seq', 1]], limit: few });
			terms.push({ filter: withIds(tenant, found.map(({ parent }) => parent)), text: parameter }); // biome-ignore format: one line a parameter
		}
		return terms;
	}

	/** Ids of objects and of all that is below them. @throws InventoryError `inventory/scanLimit` */
	async function idsWithin(tenant: string, tops: readonly ManagedObjectId[]): Promise<ManagedObjectId[]> {
		const found = await Promise.all(tops.map((top) => resolver.idsAtAndBelow(tenant, top)));
		return [...new Set(found.flat())];
	}

	function find({ driver, rest, index }: Plan, sort: Sort, page: Page, also: Filter = {}): Promise<ManagedObject[]> {
		return objects.find({ filter: whole(driver, rest, also), sort, ...page, ...(index && { hint: index }) });
	}

	async function listScanning(
		plans: readonly Plan[],
		sort: Sort,
		page: Page,
		signal: AbortSignal | undefined,
	): Promise<ManagedObject[]> {
		const narrow = await narrowPlan(plans, few, signal);
		if (narrow) return find(narrow, sort, page);
		const ordered = plans.find(({ isSorted }) => isSorted);
		// Most pages are full after a few objects.
		for (const most of ordered ? [few, limits.maxScanned] : []) {
			signal?.throwIfAborted();
			const partly = ordered && (await listInOrder(ordered, sort, page, most));
			if (partly) return partly;
		}
		const possible = await narrowPlan(plans, limits.maxScanned, signal);
		if (!possible) throw tooMuch(plans, limits.maxScanned);
		return find(possible, sort, page);
	}

	async function countMatching(plans: readonly Plan[], signal: AbortSignal | undefined): Promise<number> {
		const plan =
			plans.find(({ rest }) => rest.length === 0) ??
			(await narrowPlan(plans, few, signal)) ??
			(await narrowPlan(plans, limits.maxScanned, signal));
		if (!plan) throw tooMuch(plans, limits.maxScanned);
		signal?.throwIfAborted();
		return objects.count(whole(plan.driver, plan.rest), plan.index);
	}

	/** The first plan whose index finds no more objects than that. */
	async function narrowPlan(plans: readonly Plan[], most: number, signal: AbortSignal | undefined): Promise<Plan | undefined> {
		for (const plan of plans) {
			signal?.throwIfAborted();
			if (!(await objectBehind(plan, most))) return plan;
		}
		return undefined;
	}

	/** The object at that place of what the plan's index finds, in the order of `sort` or in any. */
	async function objectBehind({ driver, index }: Plan, skip: number, sort?: Sort): Promise<ManagedObject | undefined> {
		const [object] = await objects.find({ filter: driver, ...(sort && { sort }), skip, limit: 1, ...(index && { hint: index }) });
		return object;
	}

	/**
	 * A page out of the first objects in order, as many as may be looked at. `undefined` when the page is not full then, and there
	 * are more objects.
	 */
	async function listInOrder(plan: Plan, sort: Sort, { skip, limit }: Page, most: number): Promise<ManagedObject[] | undefined> {
		const last = await objectBehind(plan, most, sort);
		if (!last) return find(plan, sort, { skip, limit });
		const found: ManagedObject[] = [];
		let left = skip;
		for (const part of partsUpTo(last, sort)) {
			const some = await find(plan, sort, { skip: left, limit: limit - found.length }, part);
			found.push(...some);
			if (found.length >= limit) return found;
			left = some.length > 0 || left === 0 ? 0 : left - (await objects.count(whole(plan.driver, plan.rest, part), plan.index));
		}
		return undefined;
	}

	return { search, idsWithin };
}

const atOnce: InTurn = (work) => work();

const childParameters = [
	['childDeviceId', 'childDevices'],
	['childAssetId', 'childAssets'],
	['childAdditionId', 'childAdditions'],
] as const satisfies readonly (readonly [keyof ObjectFilter, ChildKind])[];

function devicesOf({ condition, order }: ParsedQuery): ParsedQuery {
	const isDevice = { kind: 'has', path: 'c8y_IsDevice' } as const;
	return { condition: condition ? joined('and', [isDevice, condition]) : isDevice, order };
}

function withIds(tenant: string, ids: readonly ManagedObjectId[]): Filter {
	return { _id: { $in: ids.map((id) => documentId(tenant, id)) } };
}

function whole(driver: Filter, rest: readonly Term[], also: Filter = {}): Filter {
	const others = [also, ...rest.map(({ filter }) => filter)].filter((filter) => Object.keys(filter).length > 0);
	return others.length === 0 ? driver : { ...driver, $and: others };
}

/** The objects up to `last` in the order of `sort`, in parts of which each is one range of an index: a missing name sorts first. */
function partsUpTo(last: ManagedObject, sort: Sort): Filter[] {
	const [path, direction] = sort[0] ?? ['seq', 1];
	const value = path === 'name' ? last.name : path === 'creationTime' ? last.creationTime : last.seq;
	const upTo = (bound: string | number) => (direction === 1 ? { $lte: bound } : { $gte: bound });
	if (path !== 'name') return [{ [path]: upTo(value ?? 0) }];
	const unnamed = { name: null, ...(value === undefined && { seq: upTo(last.seq) }) };
	if (direction === 1) return value === undefined ? [unnamed] : [{ name: null }, { name: upTo(value) }];
	return value === undefined ? [{ name: { $gte: '' } }, unnamed] : [{ name: upTo(value) }];
}

function tooMuch(plans: readonly Plan[], limit: number): InventoryError {
	const fewest = plans.reduce((best, plan) => (plan.rest.length < best.rest.length ? plan : best));
	const named = fewest.rest.map(({ text }) => text.slice(0, 200)).slice(0, 5);
	const why = named.length > 0 ? `no index answers ${named.join(' and ')}` : 'no index gives this order';
	return new InventoryError(
		'inventory/scanLimit',
		`More than ${limit} objects would have to be looked at, for ${why}: add a term that leaves fewer, such as type, name, owner, has(), bygroupid() or _id, or raise QUERY_SCAN_MAX_OBJECTS`,
		{ terms: named, limit },
	);
}
