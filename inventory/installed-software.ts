import type { Collection, DocumentsText, Filter, Step } from '../store/index.ts';
import { parentTokens, searchFieldsOf } from './derived-fields.ts';
import type { InventoryContext } from './inventory-context.ts';
import { InventoryError, noSuchObject } from './inventory-error.ts';
import {
	documentId,
	fragmentNamesOf,
	installedSoftwareListType,
	type ManagedObject,
	type ManagedObjectId,
	type SoftwareMode,
	softwareListFragment,
} from './managed-object.ts';
import { childLink } from './object-links.ts';
import {
	type PackageDocument,
	type PackageFilter,
	packageFilter,
	packageId,
	samePackage,
	shownPackages,
	toPackageDocument,
} from './package-document.ts';
import { checkPackageCount, type SentPackage, type SoftwarePackage } from './software-package.ts';

const collection = 'packages';

export type SoftwareChange =
	| { readonly action: 'put'; readonly item: SoftwarePackage }
	| { readonly action: 'remove'; readonly name: string; readonly version: string };

interface Range {
	readonly skip: number;
	readonly limit: number;
}

/** What a patch leaves of an object: a name or type that is not there is removed. */
type ObjectFields = Pick<ManagedObject, 'fragments' | 'name' | 'type'>;

export type InstalledSoftware = ReturnType<typeof openInstalledSoftware>;

/** The installed software of devices: one list a device, however it is written. */
export function openInstalledSoftware({
	store,
	objects,
	packages,
	nextId,
	clock,
	limits,
	room,
}: InventoryContext & { readonly packages: Collection<PackageDocument> }) {
	/** An upper bound of each device's number of packages, so that appending needs no count; good for a while, for others add too. */
	const upperBounds = new Map<string, { readonly bound: number; readonly countedAt: number }>();

	/** A page, sorted by name, then version. The device is not checked. */
	async function list(tenant: string, device: ManagedObjectId, filter: PackageFilter, page: Range): Promise<SoftwarePackage[]> {
		return packages.find({ filter: packageFilter(tenant, device, filter), sort: [['_id', 1]], ...page });
	}

	/** The same page as JSON text for an answer: most packages are passed on as they are stored. */
	async function listText(tenant: string, device: ManagedObjectId, filter: PackageFilter, page: Range): Promise<DocumentsText> {
		const found = await packages.findText({ filter: packageFilter(tenant, device, filter), sort: [['_id', 1]], ...page });
		return { ...found, text: shownPackages(found.text) };
	}

	async function count(tenant: string, device: ManagedObjectId, filter: PackageFilter): Promise<number> {
		return packages.count(packageFilter(tenant, device, filter));
	}

	/** The whole list in the order in which `c8y_SoftwareList` shows it; one that is replaced meanwhile is read again. */
	async function listAll(tenant: string, device: ManagedObjectId): Promise<PackageDocument[]> {
		for (let attempt = 0; ; attempt++) {
			const before = await listRevision(tenant, device);
			const all: PackageDocument[] = [];
			for await (const item of packages.scan(packageFilter(tenant, device, {}))) all.push(item);
			if (before === (await listRevision(tenant, device)))
				return all.sort((a, b) => (a.position ?? Number.MAX_SAFE_INTEGER) - (b.position ?? Number.MAX_SAFE_INTEGER));
			if (attempt >= maxAttempts) throw tooManyWriters(device);
		}
	}

	async function listRevision(tenant: string, device: ManagedObjectId): Promise<number | undefined> {
		return (await objects.get(documentId(tenant, device)))?.software?.revision;
	}

	/**
	 * Replaces the whole list; readers see the old one or the new one. An unchanged list writes nothing. [SR-140] [SR-116]
	 * @throws InventoryError `inventory/notFound`, `inventory/tooLarge`
	 */
	async function set(tenant: string, device: ManagedObjectId, items: readonly SentPackage[], mode: SoftwareMode): Promise<void> {
		for (let attempt = 0; attempt < maxAttempts; attempt++) {
			const object = await objects.get(documentId(tenant, device));
			if (!object) throw noSuchObject(device);
			checkHasSoftware(object);
			const steps = await replacementSteps(object, items, mode, undefined);
			if (steps.length === 0 || (await store.batch(steps)).ok) return;
		}
		throw tooManyWriters(device);
	}

	/**
	 * The steps that replace the list of `object`, without a `mode` take it away, and set `fields` of it in the same write;
	 * none where nothing changes. The first step is the conditional update of the object.
	 */
	async function replacementSteps(
		object: ManagedObject,
		items: readonly SentPackage[],
		mode: SoftwareMode | undefined,
		fields: ObjectFields | undefined,
	): Promise<Step[]> {
		checkPackageCount(items.length, limits.packages);
		const { tenant, id } = object;
		const wanted = new Map<string, PackageDocument>();
		items.forEach((item, index) => {
			const _id = packageId(tenant, id, item.name, item.version);
			// A later entry with the same name and version wins, in the place of the earlier one.
			const position = mode === 'legacy' ? (wanted.get(_id)?.position ?? index) : undefined;
			wanted.set(_id, toPackageDocument(_id, item, position));
		});
		const changes: Step[] = [];
		let growth = wanted.size;
		for await (const stored of packages.scan(packageFilter(tenant, id, {}))) {
			growth--;
			const item = wanted.get(stored._id);
			if (!item) changes.push({ kind: 'remove', collection, id: stored._id });
			else if (samePackage(item, stored)) wanted.delete(stored._id);
		}
		for (const document of wanted.values()) changes.push({ kind: 'put', collection, document });
		if (changes.length === 0 && object.software?.mode === mode && !fields) return [];
		await room.admit(tenant, 'packages', growth);
		upperBounds.delete(object._id);
		return [...(await modeSteps(object, mode, fields)), ...changes];
	}

	/** Shows the list where `mode` wants it, in the same conditional update that sets `fields`. */
	async function modeSteps(
		object: ManagedObject,
		mode: SoftwareMode | undefined,
		fields: ObjectFields | undefined,
	): Promise<Step[]> {
		const { tenant, id } = object;
		const now = clock();
		const steps: Step[] = [];
		let listId = object.software?.listId;
		if (mode === 'advanced' && !listId) {
			const list = await newListObject(object, now);
			listId = list.id;
			steps.push({ kind: 'insert', collection: objects.name, document: list });
			steps.push({ kind: 'put', collection: 'children', document: childLink(tenant, id, 'childAdditions', list) });
		}
		if (mode !== 'advanced' && listId) {
			steps.push({ kind: 'remove', collection: objects.name, id: documentId(tenant, listId) });
			steps.push({
				kind: 'remove',
				collection: 'children',
				id: childLink(tenant, id, 'childAdditions', { id: listId, seq: 0 })._id,
			});
			listId = undefined;
		}
		const { fragments, name, type } = fields ?? object;
		const search = fields && searchFieldsOf({ owner: object.owner, ...fields });
		const revision = (object.software?.revision ?? 0) + 1;
		steps.unshift({
			kind: 'update',
			collection: objects.name,
			id: object._id,
			where: { revision: object.revision },
			update: {
				$set: {
					...fields,
					...(search && { search }),
					...(mode && { software: { mode, revision, ...(listId && { listId }) } }),
					fragmentNames: fragmentNamesOf(fragments, mode),
					revision: object.revision + 1,
					lastUpdated: now,
				},
				$unset: [...(mode ? [] : ['software']), ...(name === undefined ? ['name'] : []), ...(type === undefined ? ['type'] : [])],
			},
		});
		return steps;
	}

	async function newListObject(device: ManagedObject, now: number): Promise<ManagedObject> {
		const { id, seq } = await nextId();
		const own = { owner: device.owner, type: installedSoftwareListType, fragments: {} };
		return {
			_id: documentId(device.tenant, id),
			tenant: device.tenant,
			id,
			seq,
			...own,
			creationTime: now,
			lastUpdated: now,
			fragmentNames: [softwareListFragment],
			revision: 1,
			softwareOf: device.id,
			search: searchFieldsOf(own),
			parents: parentTokens([{ parent: device.id, kind: 'childAdditions' }]),
		};
	}

	/**
	 * Adds, updates and removes packages in the order given, all or nothing. A list that was not there becomes an advanced one. [SR-141] [SR-142]
	 * @throws InventoryError `inventory/notFound`, `inventory/tooLarge`
	 */
	async function change(tenant: string, device: ManagedObjectId, changes: readonly SoftwareChange[]): Promise<void> {
		const objectId = documentId(tenant, device);
		let added = 0;
		for (const item of changes) if (item.action === 'put') added++;
		const bound = boundOf(objectId);
		if (added > 0 && bound + added > limits.packages.maxPackages) await checkRoom(tenant, device, objectId, changes);
		// What is there already takes no room: a full tenant is looked at more closely.
		if (!(await room.tryAdmit(tenant, 'packages', added)))
			await room.admit(tenant, 'packages', await growthOf(tenant, device, changes));
		const steps = changes.map((item) => changeStep(tenant, device, item));
		const known: Step = { kind: 'require', collection: objects.name, id: objectId, where: hasList };
		if (!(await store.batch([known, ...steps])).ok) await changeNewList(objectId, device, [known, ...steps]);
		noteAdded(objectId, added);
	}

	function changeStep(tenant: string, device: ManagedObjectId, item: SoftwareChange): Step {
		if (item.action === 'remove') return { kind: 'remove', collection, id: packageId(tenant, device, item.name, item.version) };
		const { name, version } = item.item;
		const document = toPackageDocument(packageId(tenant, device, name, version), item.item);
		return { kind: 'put', collection, document };
	}

	/** The same change of a device that had no list; `changes` begins with the condition that it has one. */
	async function changeNewList(objectId: string, device: ManagedObjectId, changes: readonly Step[]): Promise<void> {
		for (let attempt = 0; attempt < maxAttempts; attempt++) {
			const object = await objects.get(objectId);
			if (!object) throw noSuchObject(device);
			checkHasSoftware(object);
			const steps = object.software ? changes : [...(await modeSteps(object, 'advanced', undefined)), ...changes.slice(1)];
			if ((await store.batch(steps)).ok) return;
		}
		throw tooManyWriters(device);
	}

	/** Throws when the packages do not fit any more; counts only where the bound that is known does not tell. */
	async function checkRoom(
		tenant: string,
		device: ManagedObjectId,
		objectId: string,
		changes: readonly SoftwareChange[],
	): Promise<void> {
		const stored = await count(tenant, device, {});
		if (stored + changes.length > limits.packages.maxPackages) {
			const growth = await growthOf(tenant, device, changes);
			if (growth > 0) checkPackageCount(stored + growth, limits.packages);
		}
		upperBounds.set(objectId, { bound: stored, countedAt: clock() });
		if (upperBounds.size > maxBounds) upperBounds.delete(upperBounds.keys().next().value ?? '');
	}

	/** How many packages more there are after `changes`: what is there already, or goes again, takes no room. */
	async function growthOf(tenant: string, device: ManagedObjectId, changes: readonly SoftwareChange[]): Promise<number> {
		const isThere = new Map<string, boolean>();
		for (const item of changes) {
			const { name, version } = item.action === 'put' ? item.item : item;
			isThere.set(packageId(tenant, device, name, version), item.action === 'put');
		}
		const present = await packages.find({ filter: { _id: { $in: [...isThere.keys()] } } });
		const kept = [...isThere.values()].filter(Boolean).length;
		return kept - present.length;
	}

	function boundOf(objectId: string): number {
		const known = upperBounds.get(objectId);
		const isFresh = known && Math.abs(clock() - known.countedAt) < boundMilliseconds;
		return isFresh ? known.bound : Number.POSITIVE_INFINITY;
	}

	function noteAdded(objectId: string, added: number): void {
		const known = upperBounds.get(objectId);
		if (known) upperBounds.set(objectId, { ...known, bound: known.bound + added });
	}

	/** The steps that remove the list with its device. */
	function removalSteps(object: ManagedObject): Step[] {
		upperBounds.delete(object._id);
		return [{ kind: 'removeWhere', collection, filter: packageFilter(object.tenant, object.id, {}) }];
	}

	return { list, listText, count, listAll, set, change, replacementSteps, removalSteps };
}

const maxAttempts = 100;
const maxBounds = 100_000;
const boundMilliseconds = 60_000;
const hasList: Filter = Object.freeze({ 'software.mode': { $exists: true } });

/** @throws InventoryError `inventory/invalid` for the object that shows the list of another one. */
export function refuseListObject({ id, softwareOf }: ManagedObject): void {
	if (softwareOf)
		throw new InventoryError(
			'inventory/invalid',
			`Managed object '${id}' shows the software of '${softwareOf}': change it there`,
		);
}

/** Any object may have software but a file, and the object that shows the software of another one. */
export function checkHasSoftware(object: ManagedObject): void {
	refuseListObject(object);
	if (object.binary) throw noSoftwareOfBinary();
}

export function noSoftwareOfBinary(): InventoryError {
	return new InventoryError('inventory/invalid', 'A binary has no c8y_SoftwareList, nor other software: leave it out');
}

function tooManyWriters(device: ManagedObjectId): InventoryError {
	return new InventoryError(
		'inventory/conflict',
		`Managed object '${device}' was changed by others again and again: try once more`,
	);
}
