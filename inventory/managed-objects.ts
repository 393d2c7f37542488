import type { Collection, Step } from '../store/index.ts';
import { openAncestry } from './ancestry.ts';
import { binaryFragments, binaryIdsIn, offeredBinaryIds, withoutBinaryFragments } from './binary-fragments.ts';
import { referenceSteps } from './binary-records.ts';
import { parentTokens, searchFieldsOf } from './derived-fields.ts';
import { checkHasSoftware, type InstalledSoftware, noSoftwareOfBinary, refuseListObject } from './installed-software.ts';
import type { InventoryContext, InventoryLimits } from './inventory-context.ts';
import { InventoryError, noSuchObject } from './inventory-error.ts';
import {
	documentId,
	fragmentNamesOf,
	type ManagedObject,
	type ManagedObjectId,
	mergePatch,
	notRemoving,
	type ObjectPatch,
	withoutNulls,
} from './managed-object.ts';
import { type ChildKind, type ChildLink, childLink } from './object-links.ts';
import type { ObjectFilter, openObjectSearch, Page } from './object-search.ts';
import { parseLegacyList } from './software-package.ts';
import { deviceFragment } from './tenant-room.ts';

export interface NewObject {
	readonly owner: string;
	readonly patch: ObjectPatch;
	/** Links the new object to a parent in the same write. */
	readonly parent?: { readonly id: ManagedObjectId; readonly kind: ChildKind };
}

interface ChangeSteps {
	readonly steps: readonly Step[];
	readonly changed?: ManagedObject;
}

export type ManagedObjects = ReturnType<typeof openManagedObjects>;

/** Managed objects, their fragments and their place below each other. */
export function openManagedObjects({
	store,
	objects,
	links,
	nextId,
	clock,
	limits,
	room,
	software,
	search,
}: InventoryContext & {
	readonly links: Collection<ChildLink>;
	readonly software: InstalledSoftware;
	readonly search: ReturnType<typeof openObjectSearch>['search'];
}) {
	async function find(tenant: string, id: ManagedObjectId): Promise<ManagedObject | undefined> {
		return objects.get(documentId(tenant, id));
	}

	/** @throws InventoryError `inventory/notFound` */
	async function get(tenant: string, id: ManagedObjectId): Promise<ManagedObject> {
		const object = await find(tenant, id);
		if (!object) throw noSuchObject(id);
		return object;
	}

	/** In the order of the query, else in the order of creation. @throws QueryError; InventoryError `inventory/scanLimit` */
	async function list(tenant: string, filter: ObjectFilter, page: Page): Promise<ManagedObject[]> {
		return (await search(tenant, filter)).list(page);
	}

	/** @throws QueryError; InventoryError `inventory/scanLimit` */
	async function count(tenant: string, filter: ObjectFilter): Promise<number> {
		return (await search(tenant, filter)).count();
	}

	/**
	 * Stores a new object, with `also` (external ids, say) in the same write; `undefined` where `also` met somebody who was faster.
	 * @throws InventoryError `inventory/invalid`, `inventory/tooLarge`
	 */
	async function create(
		tenant: string,
		{ owner, patch, parent }: NewObject,
		also: (id: ManagedObjectId) => readonly Step[] = () => [],
	): Promise<ManagedObject | undefined> {
		const { id, seq } = await nextId();
		const now = clock();
		const fragments = withoutNulls(withBinary(undefined, patch).fragments);
		checkSize(fragments, limits);
		await room.admit(tenant, 'devices', deviceFragment in fragments ? 1 : 0);
		if (patch.binary && patch.softwareList != null) throw noSoftwareOfBinary();
		const list = patch.softwareList == null ? undefined : parseLegacyList(patch.softwareList, limits.packages);
		const own = {
			owner,
			...(patch.name != null && { name: patch.name }),
			...(patch.type != null && { type: patch.type }),
			fragments,
		};
		const object: ManagedObject = {
			_id: documentId(tenant, id),
			tenant,
			id,
			seq,
			...own,
			creationTime: now,
			lastUpdated: now,
			fragmentNames: fragmentNamesOf(fragments, undefined),
			revision: 1,
			...offers(patch.type ?? undefined, fragments, () => patch.mayOffer !== false),
			...(patch.binary && { binary: patch.binary.facts }),
			search: searchFieldsOf(own),
			parents: parentTokens(parent ? [{ parent: parent.id, kind: parent.kind }] : []),
		};
		const steps: Step[] = [];
		if (parent)
			steps.push({ kind: 'require', collection: objects.name, id: documentId(tenant, parent.id), where: mayHaveChildren });
		steps.push({ kind: 'insert', collection: objects.name, document: object });
		if (parent) steps.push({ kind: 'put', collection: links.name, document: childLink(tenant, parent.id, parent.kind, object) });
		if (list) steps.push(...(await software.replacementSteps(object, list, 'legacy', undefined)));
		if (patch.binary) steps.push(...referenceSteps(object._id, tenant, patch.binary));
		const outcome = await store.batch([...steps, ...also(id)]);
		if (outcome.ok) return list ? get(tenant, id) : object;
		if (outcome.duplicate || outcome.failed >= steps.length) return undefined;
		throw noSuchObject(parent?.id ?? id);
	}

	/**
	 * Merges a patch: named fragments are replaced whole, `null` removes. A patch that changes nothing writes nothing.
	 * @throws InventoryError `inventory/notFound`, `inventory/invalid`, `inventory/tooLarge`, `inventory/conflict`
	 */
	async function update(tenant: string, id: ManagedObjectId, patch: ObjectPatch): Promise<ManagedObject> {
		return change(tenant, id, () => patch);
	}

	/** `update` with a patch that depends on the object as it is; it is asked again when another writer was faster. */
	async function change(
		tenant: string,
		id: ManagedObjectId,
		patchOf: (object: ManagedObject) => ObjectPatch | undefined | Promise<ObjectPatch | undefined>,
	): Promise<ManagedObject> {
		for (let attempt = 0; attempt < maxAttempts; attempt++) {
			const object = await get(tenant, id);
			const { steps, changed } = await changeSteps(object, await patchOf(object));
			if (steps.length === 0) return object;
			if ((await store.batch(steps)).ok) return changed ?? get(tenant, id);
		}
		throw new InventoryError('inventory/conflict', `Managed object '${id}' was changed by others again and again: try once more`);
	}

	/** The steps that change an object, none where nothing changes, and the object as they leave it where that is known. */
	async function changeSteps(object: ManagedObject, asked: ObjectPatch | undefined): Promise<ChangeSteps> {
		if (!asked) return { steps: [] };
		const patch = withBinary(object, asked);
		const named = new Set(patch.mayOffer ? binaryIdsNamedBy(patch, object) : []);
		const merged = mergePatch(object, patch) ?? (offersLess(object, named) ? ownFieldsOf(object) : undefined);
		if (merged) checkSize(merged.fragments, limits);
		const becomesDevice = merged && deviceFragment in merged.fragments && !(deviceFragment in object.fragments);
		await room.admit(object.tenant, 'devices', becomesDevice ? 1 : 0);
		// What `null` removes is the list that the object shows: the one of the other door stays.
		const isUntouched = patch.softwareList === null && object.software?.mode !== 'legacy';
		if (patch.softwareList !== undefined && !isUntouched) {
			if (patch.softwareList === null) refuseListObject(object);
			else checkHasSoftware(object);
			const list = patch.softwareList === null ? [] : parseLegacyList(patch.softwareList, limits.packages);
			const mode = patch.softwareList === null ? undefined : 'legacy';
			return { steps: await software.replacementSteps(object, list, mode, merged) };
		}
		if (!merged) return { steps: [] };
		const mayOffer = (binaryId: string) => named.has(binaryId) || object.binaryIds?.includes(binaryId) === true;
		const { name, type, binaryIds, ...kept } = object;
		const $set = {
			...merged,
			search: searchFieldsOf({ owner: object.owner, ...merged }),
			fragmentNames: object.softwareOf ? object.fragmentNames : fragmentNamesOf(merged.fragments, object.software?.mode),
			revision: object.revision + 1,
			lastUpdated: clock(),
			...offers(merged.type, merged.fragments, mayOffer),
			...(patch.binary && { binary: patch.binary.facts }),
		};
		const $unset = ['name', 'type', 'binaryIds'].filter((field) => !Object.hasOwn($set, field));
		const where = { revision: object.revision };
		const step: Step = { kind: 'update', collection: objects.name, id: object._id, where, update: { $set, $unset } };
		const references = patch.binary ? referenceSteps(object._id, object.tenant, patch.binary) : [];
		return { steps: [step, ...references], changed: { ...kept, ...$set } };
	}

	/** The children of several objects, those of one kind or all, in the order of creation; at most `limit`. */
	async function listChildren(
		tenant: string,
		parents: readonly ManagedObjectId[],
		limit: number,
		kind?: ChildKind,
	): Promise<ChildLink[]> {
		if (parents.length === 0) return [];
		return links.find({ filter: { tenant, parent: { $in: parents }, ...(kind && { kind }) }, sort: [['seq', 1]], limit });
	}

	async function listParents(tenant: string, child: ManagedObjectId): Promise<ChildLink[]> {
		return links.find({ filter: { tenant, child }, sort: [['seq', 1]], limit: limits.maxChildReferences });
	}

	/** The objects with these ids that exist, in no order. */
	async function listByIds(tenant: string, ids: readonly ManagedObjectId[]): Promise<ManagedObject[]> {
		if (ids.length === 0) return [];
		return objects.find({ filter: { _id: { $in: ids.map((id) => documentId(tenant, id)) } } });
	}

	/** Whether an object of the software repository offers this binary; one whose owner begins with `untrustedOwner` does not count. */
	async function isOffered(tenant: string, binaryId: string, untrustedOwner: string): Promise<boolean> {
		const filter = { tenant, binaryIds: binaryId, $nor: [{ owner: { $wildcard: `${untrustedOwner}*` } }] };
		return (await objects.find({ filter, limit: 1 })).length > 0;
	}

	return {
		find,
		get,
		list,
		count,
		search,
		create,
		update,
		change,
		listChildren,
		listParents,
		listByIds,
		isOffered,
		...openAncestry({ links, listByIds }),
	};
}

const maxAttempts = 100;

// The object that shows a software list comes and goes with it.
const mayHaveChildren = Object.freeze({ ...notRemoving, softwareOf: { $exists: false } });

/** What clients see of a binary is what the bytes are, whatever a client says. */
function withBinary(object: ManagedObject | undefined, patch: ObjectPatch): ObjectPatch {
	if (!object?.binary && !patch.binary) return patch;
	const facts = patch.binary && binaryFragments(patch.binary.facts);
	return { ...patch, fragments: { ...withoutBinaryFragments(patch.fragments), ...facts } };
}

function offers(
	type: string | undefined,
	fragments: Readonly<Record<string, unknown>>,
	mayOffer: (binaryId: string) => boolean,
): { readonly binaryIds?: string[] } {
	const binaryIds = offeredBinaryIds(type, fragments).filter(mayOffer);
	return binaryIds.length > 0 ? { binaryIds } : {};
}

/** What an operator names by a change: what the change itself holds, and all there is where it makes another thing of the object. */
function binaryIdsNamedBy({ type, fragments }: ObjectPatch, object: ManagedObject): string[] {
	const isOtherType = type !== undefined && (type ?? undefined) !== object.type;
	return binaryIdsIn(isOtherType ? { ...object.fragments, ...fragments } : fragments);
}

/** Whether an operator names binaries again that it does not offer, because a device had named them. */
function offersLess({ type, fragments, binaryIds = [] }: ManagedObject, named: ReadonlySet<string>): boolean {
	return offeredBinaryIds(type, fragments).some((id) => named.has(id) && !binaryIds.includes(id));
}

function ownFieldsOf({ fragments, name, type }: ManagedObject): ReturnType<typeof mergePatch> {
	return { fragments, ...(name !== undefined && { name }), ...(type !== undefined && { type }) };
}

function checkSize(fragments: Readonly<Record<string, unknown>>, { objectMaxBytes, maxFragments }: InventoryLimits): void {
	const count = Object.keys(fragments).length;
	if (count > maxFragments)
		throw new InventoryError(
			'inventory/tooLarge',
			`The managed object would have ${count} fragments: at most ${maxFragments} are allowed`,
		);
	const bytes = Buffer.byteLength(JSON.stringify(fragments));
	if (bytes > objectMaxBytes)
		throw new InventoryError(
			'inventory/tooLarge',
			`The managed object would have ${bytes} bytes: at most ${objectMaxBytes} are allowed`,
		);
}
