import type { CollectionSpec, Filter, IndexSpec, Query, StoredDocument } from '../../store/index.ts';
import { operatorsOf } from './query-recorder.ts';

/** How each field of a filter can use a sorted index. */
type Use = 'equal' | 'oneOf' | 'range' | 'residual';

/** Every collection has it; the name is that of MongoDB. */
const idIndex: IndexSpec = { name: '_id_', keys: ['_id'] };
const rangeOperators = ['$gt', '$gte', '$lt', '$lte', '…*'];

/** What keeps a query from being answered by reading one stretch of one index in order. */
export interface Misfit {
	/** Fields that are looked at in every document of the stretch. */
	readonly residual: readonly string[];
	/** All that match are found before the first one is known. */
	readonly isSorted: boolean;
	/** Nothing narrows what is read. */
	readonly isWhole: boolean;
}

/**
 * Nothing where some index fits, or the one that the query names. Any sorted index works like this: equalities on its first keys, then the order or a range.
 * No engine is asked, so it holds for all of them; `_id` is not taken for the end of an index, because it is that only on SQLite.
 */
export function misfitOf(spec: CollectionSpec<StoredDocument>, query: Query): Misfit | undefined {
	return branchesOf(query.filter)
		.map((fields) => bestFit(spec, fields, query).misfit)
		.find((misfit) => costOf(misfit) > 0);
}

/** The index that fits best, of each alternative of the filter. */
export function bestIndexes(spec: CollectionSpec<StoredDocument>, query: Query): string[] {
	return [...new Set(branchesOf(query.filter).map((fields) => bestFit(spec, fields, query).index))];
}

/** The indexes that narrow what is read by every field of the filter, whatever the order. */
export function narrowingIndexes(spec: CollectionSpec<StoredDocument>, { filter }: Query): string[] {
	return branchesOf(filter).flatMap((fields) =>
		[idIndex, ...usableIndexes(spec, fields)]
			.filter(({ keys }) => costOf(misfitOfKeys(keys, fields, [], undefined)) === 0)
			.map(({ name }) => name),
	);
}

/** The alternatives of a filter, each with the use of its fields. */
function branchesOf(filter: Filter): Map<string, Use>[] {
	let branches: Map<string, Use>[] = [new Map()];
	for (const [key, condition] of Object.entries(filter)) {
		if (key === '$and' || key === '$or') {
			const parts = Array.isArray(condition) ? condition.map(branchesOf) : [];
			const choices = key === '$or' ? [parts.flat()] : parts;
			for (const choice of choices) branches = branches.flatMap((left) => choice.map((right) => new Map([...left, ...right])));
		} else for (const branch of branches) branch.set(key, key === '$nor' ? 'residual' : useOf(condition));
	}
	return branches;
}

function useOf(condition: Filter[string]): Use {
	const operators = operatorsOf(condition);
	if (operators.includes('=')) return 'equal';
	if (operators.includes('$in')) return 'oneOf';
	return operators.some((operator) => rangeOperators.includes(operator)) ? 'range' : 'residual';
}

interface Fit {
	readonly index: string;
	readonly misfit: Misfit;
}

function bestFit(spec: CollectionSpec<StoredDocument>, fields: ReadonlyMap<string, Use>, { sort = [], limit, hint }: Query): Fit {
	// A list of ids is as long as whoever asks made it.
	const id = fields.get('_id');
	if (id === 'equal' || id === 'oneOf') return { index: idIndex.name, misfit: { residual: [], isSorted: false, isWhole: false } };
	const fitOf = ({ name, keys }: IndexSpec): Fit => ({ index: name, misfit: misfitOfKeys(keys, fields, sort, limit) });
	const usable = usableIndexes(spec, fields);
	const indexes = hint === undefined ? usable : usable.filter(({ name }) => name === hint);
	return indexes.map(fitOf).reduce((best, fit) => (costOf(fit.misfit) < costOf(best.misfit) ? fit : best), fitOf(idIndex));
}

/** A sparse index holds all that match only where its field is compared with a value. */
function usableIndexes({ indexes }: CollectionSpec<StoredDocument>, fields: ReadonlyMap<string, Use>): IndexSpec[] {
	return indexes.filter(({ sparse }) => sparse === undefined || (fields.get(sparse) ?? 'residual') !== 'residual');
}

function costOf({ residual, isSorted, isWhole }: Misfit): number {
	return 2 * residual.length + (isSorted ? 1 : 0) + (isWhole ? 1 : 0);
}

function misfitOfKeys(
	keys: readonly string[],
	fields: ReadonlyMap<string, Use>,
	sort: NonNullable<Query['sort']>,
	limit: number | undefined,
): Misfit {
	const served = new Set<string>();
	let isOneStretch = true;
	for (const key of keys) {
		const use = fields.get(key);
		if (use !== 'equal' && use !== 'oneOf') break;
		if (use === 'oneOf') isOneStretch = false;
		served.add(key);
	}
	const next = served.size;
	const following = keys[next];
	const order = sort.map(([path]) => path).filter((path) => fields.get(path) !== 'equal');
	if (following !== undefined && fields.get(following) === 'range') served.add(following);
	const residual = [...fields.keys()].filter((path) => !served.has(path));
	const isSorted = order.length > 0 && !(isOneStretch && order.every((path, n) => path === keys[next + n]));
	// Without any condition, as many are read as are wanted.
	const isBounded = fields.size === 0 && limit !== undefined && !isSorted;
	return { residual, isSorted, isWhole: served.size === 0 && !isBounded };
}
