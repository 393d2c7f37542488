import type { IndexSpec } from '../store/index.ts';
import { availableUntil } from './query/fields.ts';

/** The indexes of managed objects. All end with `seq`, so that what an index finds comes in the order of creation. */
export const objectIndexes = [
	{ name: 'all', keys: ['tenant', 'seq'] },
	{ name: 'byType', keys: ['tenant', 'type', 'seq'] },
	{ name: 'byOwner', keys: ['tenant', 'owner', 'seq'] },
	{ name: 'byFragment', keys: ['tenant', 'fragmentNames', 'seq'], multikey: 'fragmentNames' },
	{ name: 'byName', keys: ['tenant', 'name', 'seq'] },
	{ name: 'byDeviceName', keys: ['tenant', 'search.isDevice', 'name', 'seq'] },
	{ name: 'bySoftwareVersion', keys: ['tenant', 'search.softwareVersion', 'seq'] },
	{ name: 'bySerialNumber', keys: ['tenant', 'search.serialNumber', 'seq'] },
	{ name: 'byAvailability', keys: ['tenant', availableUntil, 'seq'] },
	{ name: 'byCreation', keys: ['tenant', 'creationTime', 'seq'] },
	{ name: 'byText', keys: ['tenant', 'search.texts', 'seq'], multikey: 'search.texts' },
	{ name: 'byParent', keys: ['tenant', 'parents', 'seq'], multikey: 'parents' },
	{ name: 'byBinary', keys: ['tenant', 'binaryIds', 'seq'], multikey: 'binaryIds' },
] as const satisfies readonly IndexSpec[];

export type ObjectIndex = (typeof objectIndexes)[number]['name'];

/** A way into the objects: the term that an index answers, and how few objects it is expected to leave (lower is fewer). */
export interface AccessPath {
	/** Absent for `_id`, which every collection is found by. */
	readonly index?: ObjectIndex;
	readonly path: string;
	/** Only for this value; the index holds `isDevice` then. */
	readonly only?: string;
	readonly multikey?: true;
	/** By one value, or by a list of them. */
	readonly equal: number;
	/** By a range of values. */
	readonly range: number;
	/** What comes sorted behind the path. */
	readonly sorted: readonly string[];
}

const never = Number.POSITIVE_INFINITY;

/** THE table of what drives a query. */
export const accessPaths: readonly AccessPath[] = [
	{ path: '_id', equal: 0, range: never, sorted: [] },
	{ index: 'all', path: 'seq', equal: 0, range: 20, sorted: [] },
	{ index: 'bySerialNumber', path: 'search.serialNumber', equal: 2, range: 10, sorted: ['seq'] },
	{ index: 'byName', path: 'name', equal: 3, range: 11, sorted: ['seq'] },
	{ index: 'byText', path: 'search.texts', multikey: true, equal: 4, range: never, sorted: ['seq'] },
	{ index: 'byParent', path: 'parents', multikey: true, equal: 5, range: never, sorted: ['seq'] },
	{ index: 'bySoftwareVersion', path: 'search.softwareVersion', equal: 6, range: 12, sorted: ['seq'] },
	{ index: 'byType', path: 'type', equal: 7, range: 14, sorted: ['seq'] },
	{ index: 'byOwner', path: 'owner', equal: 8, range: 15, sorted: ['seq'] },
	{ index: 'byFragment', path: 'fragmentNames', multikey: true, equal: 9, range: never, sorted: ['seq'] },
	{ index: 'byDeviceName', path: 'fragmentNames', only: 'c8y_IsDevice', equal: 13, range: never, sorted: ['name', 'seq'] },
	{ index: 'byCreation', path: 'creationTime', equal: 10, range: 16, sorted: ['seq'] },
	{ index: 'byAvailability', path: availableUntil, equal: never, range: 17, sorted: ['seq'] },
];

/** Ways through all objects of a tenant, by what they come sorted by. */
export const orderedPaths: readonly { readonly index: ObjectIndex; readonly sorted: readonly string[] }[] = [
	{ index: 'all', sorted: ['seq'] },
	{ index: 'byName', sorted: ['name', 'seq'] },
	{ index: 'byCreation', sorted: ['creationTime', 'seq'] },
];
