import { DocumentRefusedError, type Update } from './document-store.ts';
import { isPlainObject, segmentsOf } from './field-path.ts';

/** @throws TypeError when the update is wrong whatever the document holds. */
export function checkUpdate(update: Update): void {
	const paths = [...Object.keys(update.$set ?? {}), ...(update.$unset ?? []), ...Object.keys(update.$inc ?? {})];
	for (const [position, path] of paths.entries()) {
		const segments = segmentsOf(path);
		if (segments[0] === '_id') throw new TypeError('an update cannot change _id');
		for (const other of paths.slice(position + 1)) {
			if (path === other || path.startsWith(`${other}.`) || other.startsWith(`${path}.`)) {
				throw new TypeError(`the update changes '${path}' and '${other}', which overlap`);
			}
		}
	}
	for (const [path, amount] of Object.entries(update.$inc ?? {})) {
		if (!Number.isFinite(amount)) throw new TypeError(`$inc of '${path}' needs a finite number`);
	}
}

/** Changes the document in place. @throws DocumentRefusedError when a path leads through something that is no object. */
export function applyUpdate(document: Record<string, unknown>, update: Update): void {
	for (const [path, value] of Object.entries(update.$set ?? {})) {
		const [parent, key] = parentOf(document, path);
		parent[key] = value;
	}
	for (const path of update.$unset ?? []) unset(document, path);
	for (const [path, amount] of Object.entries(update.$inc ?? {})) {
		const [parent, key] = parentOf(document, path);
		const before = Object.hasOwn(parent, key) ? parent[key] : 0;
		if (typeof before !== 'number') throw new DocumentRefusedError(`$inc of '${path}': the field holds no number`);
		parent[key] = before + amount;
	}
}

function parentOf(document: Record<string, unknown>, path: string): [parent: Record<string, unknown>, key: string] {
	const segments = segmentsOf(path);
	const key = segments[segments.length - 1] ?? path;
	let parent = document;
	for (const segment of segments.slice(0, -1)) {
		const child = Object.hasOwn(parent, segment) ? parent[segment] : undefined;
		if (isPlainObject(child)) parent = child;
		else if (child === undefined) {
			const made: Record<string, unknown> = {};
			parent[segment] = made;
			parent = made;
		} else throw new DocumentRefusedError(`cannot set '${path}': '${segment}' holds no object`);
	}
	return [parent, key];
}

function unset(document: Record<string, unknown>, path: string): void {
	const segments = segmentsOf(path);
	let parent = document;
	for (const segment of segments.slice(0, -1)) {
		const child = Object.hasOwn(parent, segment) ? parent[segment] : undefined;
		if (!isPlainObject(child)) return;
		parent = child;
	}
	delete parent[segments[segments.length - 1] ?? path];
}
