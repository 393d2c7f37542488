import type { Step } from '../store/index.ts';
import type { BinaryChange, BinaryFacts } from './binary-records.ts';
import { InventoryError } from './inventory-error.ts';

/** Decimal digits, unique in the service. */
export type ManagedObjectId = string & { readonly managedObjectId: unique symbol };

/** How a device's installed-software list was last written as a whole; it decides where the inventory shows it. */
export type SoftwareMode = 'legacy' | 'advanced';

/** Copies of what clients ask for by an index, as single values: a fragment may hold an array where an index cannot. */
export interface SearchFields {
	readonly isDevice?: true;
	readonly softwareVersion?: string | number;
	readonly serialNumber?: string | number;
	/** Milliseconds since 1970: the device counts as available until then, unless it is heard of. */
	readonly availableUntil?: number;
	/** What `text=` finds. */
	readonly texts: readonly string[];
}

export interface ManagedObject {
	readonly _id: string;
	readonly tenant: string;
	readonly id: ManagedObjectId;
	/** The id as a number: the order of creation. */
	readonly seq: number;
	readonly owner: string;
	readonly name?: string;
	readonly type?: string;
	/** Milliseconds since 1970. */
	readonly creationTime: number;
	readonly lastUpdated: number;
	readonly fragments: Readonly<Record<string, unknown>>;
	/** What `fragmentType=` finds: the keys of `fragments`, and `c8y_SoftwareList` where a legacy list is shown. */
	readonly fragmentNames: readonly string[];
	/** Grows with every change: the expected value of conditional updates. */
	readonly revision: number;
	/** The installed-software list of this device; its packages are documents of their own. */
	readonly software?: { readonly mode: SoftwareMode; readonly revision: number; readonly listId?: ManagedObjectId };
	/** Set on the child addition that shows the list of that device. */
	readonly softwareOf?: ManagedObjectId;
	/** The bytes of this object; fragments show the same to clients. */
	readonly binary?: BinaryFacts;
	/** Binaries that this object, of the software repository, offers to devices. */
	readonly binaryIds?: readonly string[];
	/** Copies of what is searched for by an index. */
	readonly search: SearchFields;
	/** What it is a child of, see `parentTokens`: a copy of its links, changed with them. */
	readonly parents: readonly string[];
	/** Grows with every change of `parents`. */
	readonly linkRevision?: number;
	/** Grows with every external id that is given to it after it was made. */
	readonly externalIdRevision?: number;
	/** Set while it is removed with what is below it: nothing is linked below it any more. */
	readonly removing?: true;
}

export const dynamicGroupFragment = 'c8y_IsDynamicGroup';
export const softwareListFragment = 'c8y_SoftwareList';
/** Marks an object that has a connection of its own. */
export const agentFragment = 'com_cumulocity_model_Agent';
export const installedSoftwareListType = 'c8y_InstalledSoftwareList';

const idPattern = /^[0-9]{1,15}$/;
const serverFields: ReadonlySet<string> = new Set([
	'id',
	'self',
	'owner',
	'creationTime',
	'lastUpdated',
	'childDevices',
	'childAssets',
	'childAdditions',
	'deviceParents',
	'assetParents',
	'additionParents',
	'c8y_Availability',
]);

/** @throws InventoryError `inventory/notFound`: what is not an id cannot exist. */
export function parseManagedObjectId(text: string): ManagedObjectId {
	if (!isManagedObjectId(text))
		throw new InventoryError(
			'inventory/notFound',
			`No managed object for id '${text.slice(0, 40)}': an id has decimal digits only`,
		);
	return text;
}

export function isManagedObjectId(text: string): text is ManagedObjectId {
	return idPattern.test(text);
}

/** Whether a device connects by itself. */
export function isAgent({ fragments }: Pick<ManagedObject, 'fragments'>): boolean {
	return agentFragment in fragments;
}

/** Whether a group is a query, so that nothing is linked below it. */
export function isDynamicGroup({ fragments }: Pick<ManagedObject, 'fragments'>): boolean {
	return dynamicGroupFragment in fragments;
}

export function documentId(tenant: string, id: ManagedObjectId): string {
	return `${tenant}/${id}`;
}

export const objectCollection = 'managedObjects';

/** An object that may get children and operations. */
export const notRemoving = Object.freeze({ removing: { $exists: false } });

/** Makes its batch fail when the object is not there, or is being removed. */
export function requireKeptObjectStep(tenant: string, id: ManagedObjectId): Step {
	return { kind: 'require', collection: objectCollection, id: documentId(tenant, id), where: notRemoving };
}

/** What a client may set, taken out of a body: read-only fields are ignored, `null` stands for "remove". */
export interface ObjectPatch {
	readonly name?: string | null;
	readonly type?: string | null;
	readonly fragments: Readonly<Record<string, unknown>>;
	/** `undefined`: untouched; `null`: removed. */
	readonly softwareList?: unknown;
	/** Other bytes; never in what a client sent. */
	readonly binary?: BinaryChange;
	/**
	 * Whether devices may download what the change names, as an operator decides; else only what the object offered before. A new
	 * object: unless it is false.
	 */
	readonly mayOffer?: boolean;
}

/**
 * Reads a managed object body as clients send it, the whole object they fetched included.
 * @throws InventoryError `inventory/invalid` with the name of the field
 */
export function parseObjectBody(body: unknown, limits: { readonly maxFragments: number }): ObjectPatch {
	if (typeof body !== 'object' || body === null || Array.isArray(body)) {
		throw new InventoryError(
			'inventory/invalid',
			`A managed object must be a JSON object, found ${Array.isArray(body) ? 'an array' : body === null ? 'null' : typeof body}`,
		);
	}
	const fragments: Record<string, unknown> = {};
	let name: string | null | undefined;
	let type: string | null | undefined;
	let softwareList: unknown;
	let count = 0;
	for (const [key, value] of Object.entries(body)) {
		if (serverFields.has(key)) continue;
		if (isDeeperThan(value, maxDepth))
			throw new InventoryError(
				'inventory/invalid',
				`'${key.slice(0, 60)}' is nested too deep: at most ${maxDepth} levels are stored`,
			);
		if (key === 'name') name = parseText(key, value);
		else if (key === 'type') type = parseText(key, value);
		else if (key === softwareListFragment) softwareList = value;
		else {
			checkFragmentName(key);
			fragments[key] = value;
			count++;
		}
	}
	if (count > limits.maxFragments)
		throw new InventoryError('inventory/invalid', `${count} fragments are too many: at most ${limits.maxFragments} are allowed`);
	return {
		...(name !== undefined && { name }),
		...(type !== undefined && { type }),
		fragments,
		...(softwareList !== undefined && { softwareList }),
	};
}

// What is nested deeper cannot be written as JSON again, nor read by the databases.
const maxDepth = 100;

/** Whether a JSON value has more levels than that; it looks no deeper. */
function isDeeperThan(value: unknown, levels: number): boolean {
	if (typeof value !== 'object' || value === null) return false;
	if (levels === 0) return true;
	for (const item of Array.isArray(value) ? value : Object.values(value)) if (isDeeperThan(item, levels - 1)) return true;
	return false;
}

function parseText(key: string, value: unknown): string | null {
	if (value === null) return null;
	if (typeof value !== 'string') throw new InventoryError('inventory/invalid', `${key} must be text, found ${typeof value}`);
	if (value.length > 1024)
		throw new InventoryError('inventory/invalid', `${key} has ${value.length} characters: at most 1024 are allowed`);
	return value;
}

const forbiddenNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype', '_id']);

function checkFragmentName(key: string): void {
	const fault = fragmentNameFault(key);
	if (fault) throw new InventoryError('inventory/invalid', fault);
}

/** Why a text cannot be the name of a fragment, of managed objects and operations alike, or `undefined`. */
export function fragmentNameFault(key: string): string | undefined {
	if (key.length > 0 && key.length <= 255 && !/[.$\s\p{Cc}]/u.test(key) && !forbiddenNames.has(key)) return undefined;
	return `'${key.slice(0, 60)}' cannot be the name of a fragment: use 1 to 255 characters without '.', '$' and white space`;
}

/** The changed part of an object after a shallow merge, or `undefined` where the patch changes nothing. */
export function mergePatch(
	object: ManagedObject,
	patch: ObjectPatch,
): (Pick<ManagedObject, 'fragments'> & { readonly name?: string; readonly type?: string }) | undefined {
	const fragments: Record<string, unknown> = { ...object.fragments };
	for (const [key, value] of Object.entries(patch.fragments)) {
		if (value === null) delete fragments[key];
		else fragments[key] = value;
	}
	const name = patch.name === undefined ? object.name : (patch.name ?? undefined);
	const type = patch.type === undefined ? object.type : (patch.type ?? undefined);
	if (name === object.name && type === object.type && JSON.stringify(fragments) === JSON.stringify(object.fragments))
		return undefined;
	return { fragments, ...(name !== undefined && { name }), ...(type !== undefined && { type }) };
}

/** What `fragmentType=` finds an object by. */
export function fragmentNamesOf(fragments: Readonly<Record<string, unknown>>, mode: SoftwareMode | undefined): string[] {
	const names = Object.keys(fragments);
	if (mode === 'legacy') names.push(softwareListFragment);
	return names;
}

/** The fields that are not null: over JSON, null stands for "remove". */
export function withoutNulls(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
