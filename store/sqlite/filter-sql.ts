import type { Comparison, Filter, Scalar } from '../document-store.ts';
import { segmentsOf } from '../field-path.ts';
import { orderedOf, scalarOf } from '../filter-operand.ts';
import { toWellFormed } from '../text.ts';
import { endOfPrefix } from '../wildcard.ts';
import { type Cell, encodeText, marks } from './values.ts';

/** A piece of SQL and the values of its question marks. */
export interface Sql {
	readonly sql: string;
	readonly params: readonly Cell[];
}

/** Where a field's values are found: in a column, or inside the JSON text. */
export type Resolve = (path: string) => string | undefined;

/** What is compared: an SQL expression, how text is bound against it, and where the whole JSON value is. */
interface Target {
	readonly sql: string;
	readonly isColumn: boolean;
	/** `json_type(...)` of the field: NULL when it is missing; undefined for a column that is never missing. */
	readonly type: string | undefined;
}

const no: Sql = { sql: '0', params: [] };
const yes: Sql = { sql: '1', params: [] };
/** A longer list goes as one text: to look up 20 ids so takes a quarter less of the processor. */
const longList = 8;

/** Translates a filter. @throws TypeError when it is not one. */
export function compileFilter(filter: Filter, resolve: Resolve): Sql {
	const parts: Sql[] = [];
	for (const [key, condition] of Object.entries(filter)) {
		if (key === '$and' || key === '$or' || key === '$nor') {
			if (condition !== undefined) parts.push(compileLogic(key, condition, resolve));
		} else if (key.startsWith('$')) throw new TypeError(`unknown filter operator '${key}'`);
		else parts.push(compileField(key, condition, resolve));
	}
	return join(parts, ' AND ', yes);
}

/** The SQL expression whose order is the field's. */
export function valueExpression(path: string, resolve: Resolve): string {
	return targetOf(path, resolve).sql;
}

function compileLogic(key: '$and' | '$or' | '$nor', filters: Filter[string], resolve: Resolve): Sql {
	if (!isList<Filter>(filters)) throw new TypeError(`${key} needs a list of filters`);
	const parts = filters.map((filter) => compileFilter(filter, resolve));
	if (key === '$and') return join(parts, ' AND ', yes);
	const any = join(parts, ' OR ', no);
	return key === '$or' ? any : not(any);
}

function compileField(path: string, condition: Filter[string], resolve: Resolve): Sql {
	if (condition === undefined) throw new TypeError(`filter: '${path}' is undefined; leave the key out to match anything`);
	if (isList(condition)) throw new TypeError(`filter: '${path}' cannot be compared with a list; use $in`);
	const comparison: Comparison = typeof condition === 'object' && condition !== null ? condition : { $eq: condition };
	const operators = Object.keys(comparison).filter((operator) => comparisonOf(operator, comparison) !== undefined);
	if (operators.length === 0) throw new TypeError(`filter: '${path}' has no condition`);
	const target = targetOf(path, resolve);
	if (target.isColumn) return compareAll(target, comparison, operators);
	// On an array each operator may be met by another element, as in MongoDB.
	return join(
		operators.map((operator) => compileJson(path, target, comparison, operator)),
		' AND ',
		yes,
	);
}

function comparisonOf(operator: string, comparison: Comparison): unknown {
	return new Map<string, unknown>(Object.entries(comparison)).get(operator);
}

function compileJson(path: string, target: Target, comparison: Comparison, operator: string): Sql {
	if (operator === '$exists') return compareAll(target, comparison, [operator]);
	if (operator === '$ne') return not(compileJson(path, target, { $eq: comparison.$ne }, '$eq'));
	const plain = compareAll(target, comparison, [operator]);
	const element: Target = { sql: valueSql('e.type', 'e.atom'), isColumn: false, type: undefined };
	const inside = compareAll(element, comparison, [operator]);
	const json = jsonPath(path);
	return {
		sql: `(${plain.sql} OR (${target.type} = 'array' AND EXISTS (SELECT 1 FROM json_each(m.doc, ${json}) e WHERE ${inside.sql})))`,
		params: [...plain.params, ...inside.params],
	};
}

function compareAll(target: Target, comparison: Comparison, operators: readonly string[]): Sql {
	const parts = operators.map((operator) => compare(target, operator, comparison));
	const guard = typeGuard(target, comparison, operators);
	return join(guard ? [...parts, guard] : parts, ' AND ', yes);
}

function compare(target: Target, operator: string, comparison: Comparison): Sql {
	switch (operator) {
		case '$eq':
			return equal(target, scalarOf(comparison.$eq));
		case '$ne': {
			const value = scalarOf(comparison.$ne);
			return value === null ? { sql: `${target.sql} IS NOT NULL`, params: [] } : bind(target, 'IS NOT', value);
		}
		case '$gt':
			return bind(target, '>', orderedOf(comparison.$gt));
		case '$gte':
			return bind(target, '>=', orderedOf(comparison.$gte));
		case '$lt':
			return bind(target, '<', orderedOf(comparison.$lt));
		case '$lte':
			return bind(target, '<=', orderedOf(comparison.$lte));
		case '$in':
			return among(target, comparison.$in ?? []);
		case '$exists':
			return exists(target, comparison.$exists);
		case '$wildcard':
			return wildcard(target, comparison.$wildcard);
		default:
			throw new TypeError(`unknown filter operator '${operator}'`);
	}
}

/** SQLite compares values of different types, too (numbers before text before blobs): an open end must stop at the type's own. */
function typeGuard(target: Target, comparison: Comparison, operators: readonly string[]): Sql | undefined {
	const bounds = operators.filter((operator) => /^\$[gl]te?$/.test(operator)).map((name) => comparisonOf(name, comparison));
	if (bounds.length === 0) return undefined;
	const isText = typeof bounds[0] === 'string';
	if (bounds.some((bound) => (typeof bound === 'string') !== isText)) return no;
	const parts: string[] = [];
	if (!operators.some((operator) => operator.startsWith('$l'))) parts.push(`${target.sql} < ${isText ? "x''" : "''"}`);
	if (!operators.some((operator) => operator.startsWith('$g'))) parts.push(`${target.sql} ${isText ? ">= ''" : '> -9e999'}`);
	return parts.length === 0 ? undefined : { sql: parts.join(' AND '), params: [] };
}

function equal(target: Target, value: Scalar): Sql {
	return value === null ? { sql: `${target.sql} IS NULL`, params: [] } : bind(target, '=', value);
}

function among(target: Target, values: readonly Scalar[]): Sql {
	if (!Array.isArray(values)) throw new TypeError('$in needs a list');
	const scalars = values.map(scalarOf);
	const set = [...new Set(scalars)].filter((value) => value !== null);
	const parts: Sql[] = set.length === 0 ? [] : [inList(target, set)];
	if (scalars.includes(null)) parts.push({ sql: `${target.sql} IS NULL`, params: [] });
	return join(parts, ' OR ', no);
}

function inList(target: Target, values: readonly (string | number | boolean)[]): Sql {
	if (values.length === 1) return equal(target, values[0] ?? null);
	if (values.length > longList && values.every((value) => typeof value !== 'boolean' && !String(value).includes('\u0000'))) {
		const list = values.map((value) => (typeof value === 'string' && target.isColumn ? encodeText(value) : value));
		return { sql: `${target.sql} IN (SELECT value FROM json_each(?))`, params: [JSON.stringify(list)] };
	}
	// Few lengths make few statements to prepare.
	const length = 2 ** Math.ceil(Math.log2(values.length));
	const padding = values.slice(0, 1).flatMap((first) => Array.from({ length: length - values.length }, () => first));
	const terms = [...values, ...padding].map((value) => term(target, value));
	return { sql: `${target.sql} IN (${terms.map((t) => t.sql).join(',')})`, params: terms.flatMap((t) => t.params) };
}

function exists(target: Target, wanted: unknown): Sql {
	if (typeof wanted !== 'boolean') throw new TypeError('$exists needs true or false');
	if (target.type === undefined) return wanted ? yes : no;
	if (wanted) return { sql: `${target.type} IS NOT NULL`, params: [] };
	return { sql: `(${target.sql} IS NULL AND ${target.type} IS NULL)`, params: [] };
}

function wildcard(target: Target, text: unknown): Sql {
	if (typeof text !== 'string') throw new TypeError('$wildcard needs a text');
	const pattern = toWellFormed(text);
	const star = pattern.indexOf('*');
	if (star < 0) return equal(target, pattern);
	if (!target.isColumn && pattern.includes('\u0000')) return no;
	const prefix = pattern.slice(0, star);
	const end = endOfPrefix(prefix);
	const lower = prefix === '' ? { sql: `${target.sql} >= ''`, params: [] } : bind(target, '>=', prefix);
	const upper = end === undefined ? { sql: `${target.sql} < x''`, params: [] } : bind(target, '<', end);
	return join([lower, upper, bind(target, 'GLOB', toGlob(pattern))], ' AND ', yes);
}

/** `$wildcard` as a pattern for SQLite's GLOB, where `?` and `[` are special, too. */
function toGlob(pattern: string): string {
	return pattern.replace(/[?[]/g, '[$&]').replace(/\*{2,}/g, '*');
}

function bind(target: Target, operator: string, value: string | number | boolean): Sql {
	const { sql, params } = term(target, value);
	return { sql: `${target.sql} ${operator} ${sql}`, params };
}

function term(target: Target, value: string | number | boolean): Sql {
	if (typeof value !== 'string') return { sql: '?', params: [value] };
	if (target.isColumn) return { sql: '?', params: [encodeText(value)] };
	// The driver cuts bound text at U+0000; as JSON it is escaped.
	return value.includes('\u0000') ? { sql: "(? ->> '$')", params: [JSON.stringify(value)] } : { sql: '?', params: [value] };
}

function targetOf(path: string, resolve: Resolve): Target {
	const column = resolve(path);
	if (path === '_id' && column) return { sql: column, isColumn: true, type: undefined };
	const json = jsonPath(path);
	const type = `json_type(m.doc, ${json})`;
	if (column) return { sql: column, isColumn: true, type };
	return { sql: valueSql(type, `json_extract(m.doc, ${json})`), isColumn: false, type };
}

/** The value as a column would hold it: `json_extract` alone takes true for 1 and objects for text. */
function valueSql(type: string, value: string): string {
	const { object, array } = marks;
	return `CASE ${type} WHEN 'true' THEN ${marks.true} WHEN 'false' THEN ${marks.false} WHEN 'object' THEN ${object} WHEN 'array' THEN ${array} ELSE ${value} END`;
}

/** A path as an SQL literal; its segments hold no double quote and no backslash. */
export function jsonPath(path: string): string {
	const quoted = segmentsOf(path).map((segment) => `."${segment}"`);
	return `'$${quoted.join('').replaceAll("'", "''")}'`;
}

function not(part: Sql): Sql {
	return { sql: `((${part.sql}) IS NOT TRUE)`, params: part.params };
}

function join(parts: readonly Sql[], operator: string, empty: Sql): Sql {
	const [first] = parts;
	if (first === undefined) return empty;
	if (parts.length === 1) return first;
	return { sql: `(${parts.map((part) => part.sql).join(operator)})`, params: parts.flatMap((part) => part.params) };
}

function isList<T>(value: unknown): value is readonly T[] {
	return Array.isArray(value);
}
