import type { Filter, Comparison as StoredComparison } from '../../store/index.ts';
import { formatTime } from '../time-text.ts';
import { availableUntil, type Field, fieldOf, idNumber, plainText, timeNumber } from './fields.ts';
import { printCondition } from './print-query.ts';
import type { Comparison, Condition, Operator, Value } from './query-tree.ts';
import { matchesPieces } from './wildcard.ts';

/** One of several conditions that must all hold: what the store is asked, and how a client would write it. */
export interface Term {
	readonly filter: Filter;
	readonly text: string;
}

/** What a query needs to know beside itself. */
export interface QuerySurroundings {
	/** Milliseconds since 1970. */
	readonly now: number;
	/** The conditions that stand for groups with a stored query. */
	readonly dynamicGroups: ReadonlyMap<string, Condition>;
	/** The `_id`s of an object and of all that is below it. */
	readonly hierarchies: ReadonlyMap<string, readonly string[]>;
}

/** Matches nothing. */
export const nothing: Filter = Object.freeze({ _id: Object.freeze({ $in: Object.freeze([]) }) });

/** The name under which children of an object, of one kind or `group`, are found. */
export function parentToken(kind: string, id: string): string {
	return `${kind}/${id}`;
}

/** Asked for by `bygroupid`: child assets and child additions. */
export const groupKind = 'group';

/** The conditions of a query that must all hold, as filters of the store. */
export function compileTerms(condition: Condition | undefined, surroundings: QuerySurroundings): Term[] {
	if (!condition) return [];
	const parts = condition.kind === 'and' ? condition.parts : [condition];
	return parts.flatMap((part) => {
		const dynamic = part.kind === 'group' ? surroundings.dynamicGroups.get(part.id) : undefined;
		return dynamic
			? compileTerms(dynamic, surroundings)
			: { filter: compileCondition(part, surroundings), text: printCondition(part) };
	});
}

function compileCondition(condition: Condition, surroundings: QuerySurroundings): Filter {
	switch (condition.kind) {
		case 'and':
			return { $and: condition.parts.map((part) => compileCondition(part, surroundings)) };
		case 'or':
			return anyOf(condition.parts.map((part) => compileCondition(part, surroundings)));
		case 'not':
			return { $nor: [compileCondition(condition.part, surroundings)] };
		case 'has':
			return existence(condition.path);
		case 'group': {
			const dynamic = surroundings.dynamicGroups.get(condition.id);
			return dynamic ? compileCondition(dynamic, surroundings) : { parents: parentToken(groupKind, condition.id) };
		}
		case 'hierarchy':
			return { _id: { $in: surroundings.hierarchies.get(condition.id) ?? [] } };
		case 'compare':
			return compileComparison(condition, surroundings.now);
	}
}

/** Alternatives for one field become one list, which an index can answer. */
function anyOf(filters: readonly Filter[]): Filter {
	const values: (string | number)[] = [];
	const paths = new Set<string>();
	for (const filter of filters) {
		for (const [path, condition] of Object.entries(filter)) {
			paths.add(path);
			if (typeof condition === 'string' || typeof condition === 'number') values.push(condition);
			else return { $or: filters };
		}
	}
	const [path] = paths;
	return path !== undefined && paths.size === 1 && values.length === filters.length
		? { [path]: { $in: values } }
		: { $or: filters };
}

function existence(path: string): Filter {
	const { kind, stored } = fieldOf(path);
	// What every object has.
	if (kind === 'id' || kind === 'time' || path === 'owner') return {};
	if (kind === 'fragment' && !path.includes('.')) return { fragmentNames: path };
	return { [stored]: { $exists: true } };
}

function compileComparison({ path, operator, value }: Comparison, now: number): Filter {
	if (operator === 'ne') return { $nor: [compileComparison({ kind: 'compare', path, operator: 'eq', value }, now)] };
	const field = fieldOf(path);
	if (field.kind === 'availability') return availability(operator, value, now);
	if (value.kind === 'null') return { [field.stored]: null };
	if (field.kind === 'id') return compared(field.stored, operator, idNumber(value));
	if (field.kind === 'time') return compared(field.stored, operator, timeNumber(value));
	if (field.kind === 'timeText') {
		const time = timeNumber(value);
		return compared(field.stored, operator, time === undefined ? undefined : formatTime(time));
	}
	if (value.kind === 'boolean' && field.kind === 'fragment') return { [field.stored]: value.value };
	const stored = field.indexed ?? field.stored;
	if (value.kind === 'number' && field.kind === 'fragment') {
		// Without quotes, a text of digits looks like a number: both are meant.
		return operator === 'eq' ? { [stored]: { $in: [value.value, value.text] } } : compared(stored, operator, value.value);
	}
	if (operator === 'eq' && value.kind === 'text' && value.parts.length > 1)
		return { [stored]: { $wildcard: value.parts.join('*') } };
	return compared(stored, operator, plainText(value) ?? writtenText(value));
}

const orders = { lt: '$lt', le: '$lte', gt: '$gt', ge: '$gte' } as const;

function compared(path: string, operator: Exclude<Operator, 'ne'>, value: string | number | undefined): Filter {
	if (value === undefined) return nothing;
	return { [path]: operator === 'eq' ? value : { [orders[operator]]: value } };
}

/** In an order, an asterisk is one. */
function writtenText(value: Value): string | undefined {
	return value.kind === 'text' ? value.parts.join('*') : undefined;
}

const statuses = {
	AVAILABLE: (now: number): StoredComparison => ({ $gte: now }),
	UNAVAILABLE: (now: number): StoredComparison => ({ $lt: now }),
} as const;

/** The status of a device is not stored: it changes by time alone. */
function availability(operator: Exclude<Operator, 'ne'>, value: Value, now: number): Filter {
	if (value.kind === 'null') return { [availableUntil]: null };
	const meant = Object.entries(statuses).filter(([status]) => meets(status, operator, value));
	const [first] = meant;
	if (!first) return nothing;
	return { [availableUntil]: meant.length > 1 ? { $exists: true } : first[1](now) };
}

function meets(status: string, operator: Exclude<Operator, 'ne'>, value: Value): boolean {
	const text = plainText(value) ?? writtenText(value) ?? '';
	if (operator === 'lt') return status < text;
	if (operator === 'le') return status <= text;
	if (operator === 'gt') return status > text;
	if (operator === 'ge') return status >= text;
	return value.kind === 'text' ? matchesPieces(status, value.parts) : status === text;
}

/** Where a sort key is stored. */
export function sortPath(path: string): string {
	const field: Field = fieldOf(path);
	return field.kind === 'fragment' ? (field.indexed ?? field.stored) : field.stored;
}
