import type { Condition, ParsedQuery, Value } from './query-tree.ts';

/** A query as a text that is read as the same query. */
export function printQuery({ condition, order }: ParsedQuery): string {
	const keys = order.map(([path, direction]) => (direction === 1 ? path : `${path} desc`)).join(',');
	return `$filter=${condition ? printCondition(condition) : ''}${keys && ` $orderby=${keys}`}`;
}

/** A condition as it stands in a query. */
export function printCondition(condition: Condition): string {
	switch (condition.kind) {
		case 'and':
		case 'or':
			return condition.parts
				.map((part) => (isJoined(part) ? `(${printCondition(part)})` : printCondition(part)))
				.join(` ${condition.kind} `);
		case 'not':
			return `not(${printCondition(condition.part)})`;
		case 'has':
			return `has(${condition.path})`;
		case 'group':
			return `bygroupid(${condition.id})`;
		case 'hierarchy':
			return `isinhierarchyof(${condition.id})`;
		case 'compare':
			return `${condition.path} ${condition.operator} ${printValue(condition.value)}`;
	}
}

function isJoined({ kind }: Condition): boolean {
	return kind === 'and' || kind === 'or';
}

function printValue(value: Value): string {
	if (value.kind === 'null') return 'null';
	if (value.kind === 'boolean') return String(value.value);
	if (value.kind === 'number') return value.text;
	return `'${value.parts.map((part) => part.replace(/[\\*]/g, '\\$&').replaceAll("'", "''")).join('*')}'`;
}
