/** Field paths: `a.b` reaches into objects, never into arrays. */

const forbiddenSegments = new Set(['__proto__', 'constructor', 'prototype']);
const indexPath = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;
const segmentsOfPath = new Map<string, readonly string[]>();
const rememberedPaths = 2000;

/** The segments of a path. @throws TypeError when it is empty, too long or would reach a prototype. */
export function segmentsOf(path: string): readonly string[] {
	const known = segmentsOfPath.get(path);
	if (known) return known;
	const segments = path.split('.');
	for (const segment of segments) {
		if (segment === '' || segment.length > 200 || forbiddenSegments.has(segment) || hasUnquotable(segment)) {
			throw new TypeError(`'${path}' is not a field path`);
		}
	}
	// Paths can come from clients, so the memory is bounded.
	if (segmentsOfPath.size >= rememberedPaths) segmentsOfPath.clear();
	segmentsOfPath.set(path, segments);
	return segments;
}

/** The value at the path, or undefined; arrays are not entered. */
export function valueAt(document: object, path: string): unknown {
	let value: unknown = document;
	for (const segment of segmentsOf(path)) {
		if (!isPlainObject(value) || !Object.hasOwn(value, segment)) return undefined;
		value = value[segment];
	}
	return value;
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An index path becomes the name of a column, so it is narrower than what a filter may name. */
export function isIndexPath(path: string): boolean {
	return indexPath.test(path) && path.length <= 200;
}

// JSON writes these characters escaped; SQLite compares keys as they are written.
function hasUnquotable(segment: string): boolean {
	for (let position = 0; position < segment.length; position++) {
		const code = segment.charCodeAt(position);
		if (code < 32 || code === 34 || code === 92) return true;
	}
	return false;
}
