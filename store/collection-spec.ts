import type { CollectionSpec, StoredDocument } from './document-store.ts';
import { isIndexPath } from './field-path.ts';

/** @throws TypeError when the specification is not one. */
export function checkSpec<T extends StoredDocument>(spec: CollectionSpec<T>): void {
	if (!/^[A-Za-z]{1,60}$/.test(spec.name)) throw new TypeError(`collection name '${spec.name}': letters only`);
	const names = new Set<string>();
	for (const index of spec.indexes) {
		const where = `index '${index.name}' of ${spec.name}`;
		if (!/^[A-Za-z][A-Za-z0-9_]{0,60}$/.test(index.name)) throw new TypeError(`${where}: letters and digits only`);
		if (names.has(index.name.toLowerCase())) throw new TypeError(`${where} is declared twice`);
		names.add(index.name.toLowerCase());
		if (index.keys.length === 0) throw new TypeError(`${where} has no keys`);
		for (const key of index.keys) if (!isIndexPath(key)) throw new TypeError(`${where}: '${key}' cannot be indexed`);
		if (index.sparse !== undefined) {
			if (!index.keys.includes(index.sparse)) throw new TypeError(`${where}: sparse is not one of its keys`);
			if (index.unique || index.multikey !== undefined) throw new TypeError(`${where}: only a plain index can be sparse`);
		}
		if (index.multikey === undefined) continue;
		if (!index.keys.includes(index.multikey)) throw new TypeError(`${where}: multikey is not one of its keys`);
		if (index.unique) throw new TypeError(`${where}: a multikey index cannot be unique`);
	}
	if (spec.expire && !isIndexPath(spec.expire.field)) {
		throw new TypeError(`${spec.name}: '${spec.expire.field}' cannot be indexed`);
	}
}
