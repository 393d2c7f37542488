import type { DocumentsText, Filter, Query } from '../document-store.ts';
import { natural } from '../query-range.ts';
import { decodedSql, wholeTextSql } from './document-text.ts';
import { compileFilter, jsonPath, type Resolve, type Sql, valueExpression } from './filter-sql.ts';
import type { Layout, SideLayout } from './layout.ts';
import { indexName, quote, sideTable, tableName } from './names.ts';
import { marks } from './values.ts';

/** A document by its id. */
export function getSql(layout: Layout): string {
	return `SELECT ${wholeTextSql} FROM ${tableName(layout.name)} WHERE id = ?`;
}

/** The matching documents without their ids, and their ids, one row each. */
export function selectSql(layout: Layout, query: Query): Sql {
	return rowsSql('m.doc AS doc, m.id AS id', layout, query);
}

function rowsSql(columns: string, layout: Layout, query: Query): Sql {
	const source = sourceOf(layout, query.filter, query.hint);
	const order = (query.sort ?? []).map(([path, direction]) => {
		return `${valueExpression(path, source.resolve)}${direction === -1 ? ' DESC' : ''}`;
	});
	const orderBy = order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`;
	const limit = natural('limit', query.limit) ?? -1;
	const skip = natural('skip', query.skip) ?? 0;
	return {
		sql: `SELECT ${columns} FROM ${source.from} WHERE ${source.where.sql}${orderBy} LIMIT ? OFFSET ?`,
		params: [...source.where.params, limit, skip],
	};
}

/** The matching documents joined to one text: a tenth of the calls into the driver. */
export function joinedSql(layout: Layout, query: Query): Sql {
	const { sql, params } = selectSql(layout, query);
	return { sql: `SELECT group_concat(${wholeTextSql}, ',') FROM (${sql})`, params };
}

/**
 * The matching documents without their ids: how many, and a text of a line each, with one document more than `limit` allows,
 * where there is one. JSON holds no line break of its own, so `readTextAnswer` finds the last line without parsing.
 */
export function textSql(layout: Layout, query: Query): Sql {
	const limit = natural('limit', query.limit);
	const { sql, params } = selectSql(layout, limit === undefined ? query : { ...query, limit: limit + 1 });
	return { sql: `SELECT count(*) || char(10) || coalesce(group_concat(doc, ',' || char(10)), '') FROM (${sql})`, params };
}

/** What the answer to `textSql` says. */
export function readTextAnswer(answer: string, limit: number | undefined): DocumentsText {
	const start = answer.indexOf('\n') + 1;
	const hasMore = limit !== undefined && Number(answer.slice(0, start)) > limit;
	const end = hasMore ? Math.max(start, answer.lastIndexOf(',\n')) : answer.length;
	return { text: `[${answer.slice(start, end)}]`, hasMore };
}

/** The values at the paths, a list for each matching document, joined to the text of one JSON array. */
export function valuesSql(layout: Layout, paths: readonly string[], query: Query): Sql {
	if (paths.length === 0) throw new TypeError('findValues needs at least one path');
	const { resolve } = sourceOf(layout, query.filter, query.hint);
	const { sql, params } = rowsSql(
		`json_array(${paths.map((path) => scalarSql(path, resolve)).join(', ')}) AS row`,
		layout,
		query,
	);
	return { sql: `SELECT '[' || coalesce(group_concat(row, ','), '') || ']' FROM (${sql})`, params };
}

/** A value as JSON has it; null for objects and arrays. */
function scalarSql(path: string, resolve: Resolve): string {
	const column = resolve(path);
	if (path === '_id' && column) return decodedSql(column);
	if (!column) {
		const json = jsonPath(path);
		return `CASE json_type(m.doc, ${json}) WHEN 'object' THEN NULL WHEN 'array' THEN NULL ELSE json(coalesce(m.doc -> ${json}, 'null')) END`;
	}
	return `CASE typeof(${column}) WHEN 'text' THEN ${decodedSql(column)} WHEN 'blob' THEN CASE ${column} WHEN ${marks.true} THEN json('true') WHEN ${marks.false} THEN json('false') END WHEN 'real' THEN nullif(${column}, -9e999) ELSE ${column} END`;
}

export function countSql(layout: Layout, filter: Filter, hint?: string): Sql {
	const source = sourceOf(layout, filter, hint);
	return { sql: `SELECT count(*) FROM ${source.from} WHERE ${source.where.sql}`, params: source.where.params };
}

/** Groups and their counts. Keys that are no columns come as JSON text, as `isJson` says for each. */
export function groupCountSql(
	layout: Layout,
	keys: readonly string[],
	filter: Filter,
): Sql & { readonly isJson: readonly boolean[] } {
	const source = sourceOf(layout, filter);
	if (keys.length === 0) throw new TypeError('groupCount needs at least one key');
	const isJson = keys.map((key) => source.resolve(key) === undefined);
	const columns = keys.map((key) => source.resolve(key) ?? `coalesce(m.doc -> ${jsonPath(key)}, 'null')`);
	const groups = keys.map((_, position) => position + 1).join(',');
	return {
		sql: `SELECT ${columns.join(', ')}, count(*) FROM ${source.from} WHERE ${source.where.sql} GROUP BY ${groups}`,
		params: source.where.params,
		isJson,
	};
}

/** The condition alone, for statements on the table itself, called `m`. */
export function conditionSql(layout: Layout, filter: Filter): Sql {
	return compileFilter(filter, resolveColumns(layout));
}

interface Source {
	readonly from: string;
	readonly where: Sql;
	readonly resolve: Resolve;
}

function sourceOf(layout: Layout, filter: Filter, hint?: string): Source {
	const resolve = resolveColumns(layout);
	const side = hint === undefined ? chooseSide(layout, filter) : hintedSide(layout, filter, hint);
	if (side) return joinSide(layout, side, filter, resolve);
	// The planner has no statistics: of two indexes that fit alike it takes any.
	const by = hint === undefined ? '' : ` INDEXED BY ${hintedIndex(layout, hint)}`;
	return { from: `${tableName(layout.name)} AS m${by}`, where: compileFilter(filter, resolve), resolve };
}

function hintedSide(layout: Layout, filter: Filter, hint: string): SideLayout | undefined {
	const side = layout.sides.find(({ name }) => name === hint);
	// Several rows of one document would be several answers.
	if (side && !isFixed(filter[side.multikey])) throw new TypeError(`hint '${hint}': the filter has no one value for its array`);
	return side;
}

function hintedIndex(layout: Layout, hint: string): string {
	if (!layout.indexes.some(({ name }) => name === hint)) throw new TypeError(`hint '${hint}': ${layout.name} has no such index`);
	return indexName(layout.name, hint);
}

function resolveColumns(layout: Layout): Resolve {
	return (path) => (path === '_id' ? 'm.id' : layout.columns.includes(path) ? `m.${quote(path)}` : undefined);
}

/** The array index of which the filter fixes the keys up to the array, and then as many more as possible. */
function chooseSide(layout: Layout, filter: Filter): SideLayout | undefined {
	// A list of ids is shorter than what an array holds.
	if (filter._id !== undefined && !isRange(filter._id)) return undefined;
	let best: SideLayout | undefined;
	let bestFixed = 0;
	for (const side of layout.sides) {
		const firstOpen = side.keys.findIndex((key) => !isFixed(filter[key]));
		const fixed = firstOpen < 0 ? side.keys.length : firstOpen;
		if (fixed > side.keys.indexOf(side.multikey) && fixed > bestFixed) {
			best = side;
			bestFixed = fixed;
		}
	}
	return best;
}

function joinSide(layout: Layout, side: SideLayout, filter: Filter, resolve: Resolve): Source {
	const onSide = (path: string) => {
		if (path === '_id') return 's.id';
		const position = side.keys.indexOf(path);
		return position < 0 ? resolve(path) : `s.k${position}`;
	};
	const indexed: Record<string, Filter[string]> = {};
	const rest: Record<string, Filter[string]> = {};
	for (const [key, condition] of Object.entries(filter)) {
		if (side.keys.includes(key) && (isFixed(condition) || isRange(condition))) indexed[key] = condition;
		else rest[key] = condition;
	}
	const left = compileFilter(indexed, onSide);
	const right = compileFilter(rest, resolve);
	return {
		// CROSS JOIN fixes the order: the side table is read first.
		from: `${sideTable(layout.name, side.name)} AS s CROSS JOIN ${tableName(layout.name)} AS m ON m.id = s.id`,
		where: { sql: `${left.sql} AND ${right.sql}`, params: [...left.params, ...right.params] },
		resolve: onSide,
	};
}

/** An equality with something else than null: at most one row of a side table for each document. */
function isFixed(condition: Filter[string]): boolean {
	if (condition === undefined || condition === null) return false;
	if (typeof condition !== 'object') return true;
	const operators = Object.entries(condition).filter(([, operand]) => operand !== undefined);
	const [first] = operators;
	return operators.length === 1 && first !== undefined && first[0] === '$eq' && first[1] !== null;
}

function isRange(condition: Filter[string]): boolean {
	return typeof condition === 'object' && condition !== null && Object.keys(condition).every((name) => /^\$[gl]te?$/.test(name));
}
