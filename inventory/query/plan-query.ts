import type { Comparison, Filter, Query } from '../../store/index.ts';
import { type AccessPath, accessPaths, type ObjectIndex, orderedPaths } from '../object-indexes.ts';
import type { Term } from './compile-query.ts';

export type Sort = NonNullable<Query['sort']>;

/** One way to answer a query: by an index, and by looking at what it finds. */
export interface Plan {
	readonly index: ObjectIndex | undefined;
	/** What the index answers. */
	readonly driver: Filter;
	/** What has to be looked at in each object that the index finds. */
	readonly rest: readonly Term[];
	/** Whether objects come in the order that is wanted. */
	readonly isSorted: boolean;
}

/** What a query is about: all terms must hold. */
export interface PlannedQuery {
	readonly tenant: string;
	readonly terms: readonly Term[];
	readonly sort: Sort;
}

interface RankedPlan extends Plan {
	readonly rank: number;
	readonly isRange?: boolean;
}

/**
 * The ways to answer a query, the most promising first: one for each term that an index can answer, and one through all objects.
 * It knows no figures: how many objects a way finds is for the caller to try.
 */
export function planQuery({ tenant, terms, sort }: PlannedQuery): readonly Plan[] {
	const plans: RankedPlan[] = [];
	for (const access of accessPaths) {
		for (const term of terms) {
			const plan = planOf(access, term, { tenant, terms, sort });
			if (plan && plan.rank < Number.POSITIVE_INFINITY) plans.push(plan);
			// All ranges of one field make one way.
			if (plan?.isRange) break;
		}
	}
	for (const { index, sorted } of orderedPaths) {
		const isSorted = isSortedBy(sorted, [], sort);
		const driver = withSuffix({ tenant }, sorted, terms);
		if (index === 'all' || isSorted) plans.push({ index, ...driver, isSorted, rank: isSorted ? 30 : 31 });
	}
	return plans.sort((a, b) => a.rank - b.rank);
}

/** What a sort needs beside what was asked for: the number of an object, for an order that is always the same. */
export function totalSort(asked: Sort): Sort {
	const sort: (readonly [string, 1 | -1])[] = [];
	for (const [path, direction] of asked) {
		if (!sort.some(([known]) => known === path)) sort.push([path, direction]);
		if (path === 'seq') return sort;
	}
	return [...sort, ['seq', sort.at(-1)?.[1] ?? 1]];
}

function planOf(access: AccessPath, term: Term, { tenant, terms, sort }: PlannedQuery): RankedPlan | undefined {
	const { index, path, only, sorted } = access;
	const shape = shapeOf(term.filter, access);
	if (!shape) return undefined;
	// The `_id` begins with the tenant, and without it no other index can be taken.
	const tenantPart = index === undefined ? {} : { tenant };
	const others = without(terms, [term]);
	if (only !== undefined) {
		if (!isSortedBy(sorted, [], sort)) return undefined;
		return { index, driver: { ...tenantPart, 'search.isDevice': true }, rest: others, isSorted: true, rank: access.equal };
	}
	const start = { ...tenantPart, ...term.filter };
	if (shape === 'equal')
		return { index, ...withSuffix(start, sorted, others), isSorted: isSortedBy(sorted, [path], sort), rank: access.equal };
	// A list is a few values, each about as rare as one alone.
	if (shape === 'list') return { index, driver: start, rest: others, isSorted: false, rank: access.equal + 0.5 };
	const isSorted = isSortedBy([path, ...sorted], [], sort);
	return { index, ...withSuffix(tenantPart, [path], terms), isSorted, rank: access.range, isRange: true };
}

/** Adds the ranges of the field that the index is sorted by next, such as the `_id gt` of a walk. */
function withSuffix(start: Filter, sorted: readonly string[], terms: readonly Term[]): Pick<Plan, 'driver' | 'rest'> {
	const [path] = sorted;
	const used: Term[] = [];
	let range: Comparison = {};
	for (const term of terms) {
		const condition = path === undefined ? undefined : term.filter[path];
		if (!isComparison(condition) || Object.keys(term.filter).length > 1 || !isIndexable(condition)) continue;
		// A second `gt` stays to be looked at, and a list or a pattern stands alone.
		const isAlone = !isOrder(condition);
		if (Object.keys(condition).some((operator) => operator in range) || (isAlone && used.length > 0)) continue;
		range = { ...range, ...condition };
		used.push(term);
		if (isAlone) break;
	}
	if (path === undefined || used.length === 0) return { driver: start, rest: terms };
	return { driver: { ...start, [path]: range }, rest: without(terms, used) };
}

function shapeOf(filter: Filter, { path, only, multikey }: AccessPath): 'equal' | 'list' | 'range' | undefined {
	const condition = filter[path];
	if (condition === undefined || condition === null || Object.keys(filter).length > 1) return undefined;
	if (typeof condition !== 'object') return only === undefined || condition === only ? 'equal' : undefined;
	if (!isComparison(condition) || multikey || only !== undefined || !isIndexable(condition)) return undefined;
	return condition.$in ? 'list' : 'range';
}

function isIndexable({ $in, $wildcard, ...others }: Comparison): boolean {
	if ($in) return !$in.includes(null);
	if ($wildcard !== undefined) return !$wildcard.startsWith('*');
	return isOrder(others);
}

function isOrder(condition: Comparison): boolean {
	return Object.keys(condition).every((operator) => /^\$[gl]te?$/.test(operator));
}

function isComparison(condition: Filter[string]): condition is Comparison {
	return typeof condition === 'object' && condition !== null && !Array.isArray(condition);
}

/** Whether an index that is sorted so gives a sort, read forth or back; what is fixed to one value needs no sorting. */
function isSortedBy(sorted: readonly string[], fixed: readonly string[], sort: Sort): boolean {
	const wanted = sort.filter(([path]) => !fixed.includes(path));
	return wanted.every(([path, direction], position) => path === sorted[position] && direction === wanted[0]?.[1]);
}

function without(terms: readonly Term[], used: readonly Term[]): readonly Term[] {
	return terms.filter((term) => !used.includes(term));
}
