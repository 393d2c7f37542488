import type { Comparison, Filter, Scalar } from './document-store.ts';
import { valueAt } from './field-path.ts';
import { compareText } from './text.ts';
import { matchesWildcard } from './wildcard.ts';

/** Whether a document matches, for the conditions of steps, where the document is at hand. */
export function matches(document: object, filter: Filter): boolean {
	for (const [key, condition] of Object.entries(filter)) {
		if (key === '$and' || key === '$or' || key === '$nor') {
			const filters = filter[key] ?? [];
			const isMatch = (part: Filter) => matches(document, part);
			if (key === '$and' ? !filters.every(isMatch) : filters.some(isMatch) !== (key === '$or')) return false;
		} else if (!matchesField(valueAt(document, key), condition)) return false;
	}
	return true;
}

function matchesField(value: unknown, condition: Filter[string]): boolean {
	if (typeof condition !== 'object' || condition === null) return condition !== undefined && equals(value, condition);
	if (isList(condition)) return false;
	return Object.entries(condition).every(([operator, operand]) => compares(value, operator, operand));
}

function compares(value: unknown, operator: string, operand: Comparison[keyof Comparison]): boolean {
	if (operand === undefined) return true;
	if (isList(operand)) return operand.some((scalar) => equals(value, scalar));
	switch (operator) {
		case '$eq':
			return equals(value, operand);
		case '$ne':
			return !equals(value, operand);
		case '$exists':
			return (value !== undefined) === operand;
		case '$wildcard':
			return elements(value).some((element) => typeof element === 'string' && matchesWildcard(element, String(operand)));
		case '$gt':
			return elements(value).some((element) => order(element, operand) > 0);
		case '$gte':
			return elements(value).some((element) => order(element, operand) >= 0);
		case '$lt':
			return elements(value).some((element) => order(element, operand) < 0);
		case '$lte':
			return elements(value).some((element) => order(element, operand) <= 0);
		default:
			return false;
	}
}

function equals(value: unknown, scalar: Scalar): boolean {
	if (scalar === null && value === undefined) return true;
	return elements(value).includes(scalar);
}

/** NaN, which no comparison accepts, for values of different types. */
function order(value: unknown, operand: unknown): number {
	if (typeof value === 'number' && typeof operand === 'number') return value - operand;
	if (typeof value === 'string' && typeof operand === 'string') return compareText(value, operand);
	return Number.NaN;
}

function elements(value: unknown): readonly unknown[] {
	return Array.isArray(value) ? value : [value];
}

function isList<T>(value: unknown): value is readonly T[] {
	return Array.isArray(value);
}
