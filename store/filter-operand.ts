import type { Scalar } from './document-store.ts';
import { toWellFormed } from './text.ts';

/** What a filter may compare with. @throws TypeError */
export function scalarOf(value: unknown): Scalar {
	if (typeof value === 'string') return toWellFormed(value);
	if (value === null || typeof value === 'boolean') return value;
	if (typeof value === 'number' && Number.isFinite(value)) return value;
	throw new TypeError(`a filter compares with text, finite numbers, booleans and null, not with ${typeof value}`);
}

/** What a filter may order by. @throws TypeError */
export function orderedOf(value: unknown): string | number {
	const scalar = scalarOf(value);
	if (typeof scalar === 'string' || typeof scalar === 'number') return scalar;
	throw new TypeError('order comparisons need a text or a number');
}
