import type { Comparison, Filter, Query, Scalar, Step, Update } from '../../../store/index.ts';
import type { AnyDocument } from '../engine.ts';

/** The port's promises in the plainest words, with nothing of an engine's in them. */

type ModelStep = Step extends infer S ? (S extends Step ? Omit<S, 'collection'> : never) : never;

/** The documents after the batch, or undefined when a step fails. */
export function applyNaively(documents: readonly AnyDocument[], steps: readonly ModelStep[]): readonly AnyDocument[] | undefined {
	let state = documents;
	for (const step of steps) {
		const id = 'document' in step ? step.document._id : 'id' in step ? step.id : '';
		const before = state.find((document) => document._id === id);
		const others = state.filter((document) => document._id !== id);
		if (step.kind === 'put') state = [...others, step.document as AnyDocument];
		else if (step.kind === 'insert') {
			if (before) return undefined;
			state = [...others, step.document as AnyDocument];
		} else if (step.kind === 'remove') state = others;
		else if (step.kind === 'removeWhere') state = state.filter((document) => !matchesNaively(document, step.filter));
		else {
			if (!before || !matchesNaively(before, step.where ?? {})) return undefined;
			if (step.kind === 'update') state = [...others, updateNaively(before, step.update)];
		}
	}
	return state;
}

function updateNaively(document: AnyDocument, update: Update): AnyDocument {
	const copy = structuredClone(document);
	for (const [path, value] of Object.entries(update.$set ?? {})) walk(copy, path, () => value);
	for (const path of update.$unset ?? []) if (valueAt(copy, path) !== undefined) walk(copy, path, () => undefined);
	for (const [path, amount] of Object.entries(update.$inc ?? {}))
		walk(copy, path, (old) => (typeof old === 'number' ? old : 0) + amount);
	return JSON.parse(JSON.stringify(copy));
}

function walk(target: Record<string, unknown>, path: string, change: (value: unknown) => unknown): void {
	const [key = '', ...rest] = path.split('.');
	if (rest.length === 0) target[key] = change(target[key]);
	else {
		target[key] ??= {};
		walk(target[key] as Record<string, unknown>, rest.join('.'), change);
	}
}

export function matchesNaively(document: AnyDocument, filter: Filter): boolean {
	return Object.entries(filter).every(([key, condition]) => {
		const parts = Array.isArray(condition) ? condition.map((part: Filter) => matchesNaively(document, part)) : [];
		if (key === '$and') return parts.every(Boolean);
		if (key === '$or') return parts.some(Boolean);
		if (key === '$nor') return !parts.some(Boolean);
		const value = valueAt(document, key);
		if (condition === null || typeof condition !== 'object') return isEqual(value, condition as Scalar);
		return Object.entries(condition as Comparison).every(([operator, operand]) => meets(value, operator, operand));
	});
}

function meets(value: unknown, operator: string, operand: unknown): boolean {
	const values: readonly unknown[] = Array.isArray(value) ? value : [value];
	const compare = (test: (order: number) => boolean) =>
		values.some(
			(one) => typeof one === typeof operand && (typeof one === 'string' || typeof one === 'number') && test(order(one, operand)),
		);
	switch (operator) {
		case '$eq':
			return isEqual(value, operand as Scalar);
		case '$ne':
			return !isEqual(value, operand as Scalar);
		case '$gt':
			return compare((n) => n > 0);
		case '$gte':
			return compare((n) => n >= 0);
		case '$lt':
			return compare((n) => n < 0);
		case '$lte':
			return compare((n) => n <= 0);
		case '$in':
			return (operand as Scalar[]).some((scalar) => isEqual(value, scalar));
		case '$exists':
			return (value !== undefined) === operand;
		case '$wildcard': {
			const pattern = String(operand)
				.split('*')
				.map((part) => part.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&'))
				.join('.*');
			return values.some((one) => typeof one === 'string' && new RegExp(`^${pattern}$`, 'su').test(one));
		}
		default:
			throw new Error(operator);
	}
}

function isEqual(value: unknown, scalar: Scalar): boolean {
	if (Array.isArray(value)) return value.includes(scalar);
	return value === scalar || (scalar === null && value === undefined);
}

export function sortNaively(documents: readonly AnyDocument[], sort: NonNullable<Query['sort']>): AnyDocument[] {
	return [...documents].sort((left, right) => {
		for (const [path, direction] of sort) {
			const difference = order(valueAt(left, path), valueAt(right, path));
			if (difference !== 0) return difference * direction;
		}
		return 0;
	});
}

/** Nothing, then numbers, texts by their bytes, false, true. */
function order(left: unknown, right: unknown): number {
	if (typeof left === 'number' && typeof right === 'number') return left - right;
	if (typeof left === 'string' && typeof right === 'string') return Buffer.compare(Buffer.from(left), Buffer.from(right));
	return rank(left) - rank(right);
}

function rank(value: unknown): number {
	if (value === undefined || value === null) return 0;
	return typeof value === 'number' ? 1 : typeof value === 'string' ? 2 : value ? 4 : 3;
}

/** The value at a path; arrays are not entered. */
export function valueAt(document: object, path: string): unknown {
	return path
		.split('.')
		.reduce<unknown>(
			(value, key) =>
				typeof value === 'object' && value !== null && !Array.isArray(value)
					? (value as Record<string, unknown>)[key]
					: undefined,
			document,
		);
}
