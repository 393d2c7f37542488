import type { Principal } from '../../access/index.ts';
import {
	type ChildKind,
	type ChildLink,
	childKinds,
	formatTime,
	type Inventory,
	isGone,
	legacyItem,
	type ManagedObject,
	type ManagedObjectId,
	parseTime,
	type SentPackage,
} from '../../inventory/index.ts';
import type { DeviceScope } from './device-scope.ts';

export type Json = Readonly<Record<string, unknown>>;

/** What of a managed object an answer shows. */
export interface ObjectView {
	readonly base: string;
	readonly withChildren: boolean;
	/** Who is shown the parents, those that it may read; absent where nobody is. */
	readonly parentsFor?: Principal;
	readonly skipChildrenNames: boolean;
	/** Whether an advanced software list is shown as `c8y_SoftwareList` too. */
	readonly withAdvancedList: boolean;
}

const parentNames = {
	childDevices: 'deviceParents',
	childAssets: 'assetParents',
	childAdditions: 'additionParents',
} as const satisfies Readonly<Record<ChildKind, string>>;

/** Child references in one answer with several objects. */
const maxReferencesOfPage = 10_000;
/** Packages in one answer with several objects: the lists of further devices are left out, so that a page stays one that fits into memory. */
const maxPackages = 50_000;

/** Managed objects as clients see them, with what is stored beside them: children, parents, software. */
export function createManagedObjectRenderer({
	inventory,
	scope,
	clock,
	maxReferences,
}: {
	readonly inventory: Inventory;
	readonly scope: Pick<DeviceScope, 'readable'>;
	readonly clock: () => number;
	/** Children that one object shows in itself. */
	readonly maxReferences: number;
}) {
	async function one(object: ManagedObject, view: ObjectView): Promise<Json> {
		const [rendered] = await render(object.tenant, [object], view, true);
		return rendered ?? {};
	}

	/** Objects of one tenant, in their order. The list of an advanced device is shown only in `one`. */
	async function many(tenant: string, objects: readonly ManagedObject[], view: ObjectView): Promise<Json[]> {
		return render(tenant, objects, view, false);
	}

	async function render(tenant: string, objects: readonly ManagedObject[], view: ObjectView, alone: boolean): Promise<Json[]> {
		const ids = objects.map(({ id }) => id);
		const [children, parentLinks, software] = await Promise.all([
			view.withChildren ? inventory.objects.listChildren(tenant, ids, alone ? maxReferences : maxReferencesOfPage) : [],
			view.parentsFor ? Promise.all(ids.map((id) => inventory.objects.listParents(tenant, id))) : [],
			softwareLists(tenant, objects, alone, view.withAdvancedList),
		]);
		const parents = await inventory.objects.listByIds(tenant, distinct(parentLinks.flat().map(({ parent }) => parent)));
		const visible = view.parentsFor && (await scope.readable(view.parentsFor, parents));
		const childIds = view.skipChildrenNames ? [] : distinct(children.map(({ child }) => child));
		const named = [...parents, ...(await inventory.objects.listByIds(tenant, childIds))];
		const names = new Map(named.map(({ id, name }) => [id, name]));
		const byParent = groupLinks(children, 'parent');
		const byChild = groupLinks(
			parentLinks.flat().filter(({ parent }) => visible?.has(parent)),
			'child',
		);
		return objects.map((object) => {
			const list = software.get(object.id);
			return {
				...fieldsOf(object, view.base, clock()),
				...(list && { c8y_SoftwareList: list }),
				...(view.withChildren && childReferences(object.id, byParent, names, view.base)),
				...(view.parentsFor && parentReferences(object.id, byChild, names, view.base)),
			};
		});
	}

	async function softwareLists(
		tenant: string,
		objects: readonly ManagedObject[],
		alone: boolean,
		withAdvancedList: boolean,
	): Promise<Map<ManagedObjectId, unknown[]>> {
		const lists = new Map<ManagedObjectId, unknown[]>();
		let shown = 0;
		for (const { id, software, softwareOf } of objects) {
			const legacy = software?.mode === 'legacy';
			const advanced = alone && (softwareOf || (software && withAdvancedList));
			if (shown >= maxPackages || !(legacy || advanced)) continue;
			const packages = await inventory.software.listAll(tenant, softwareOf ?? id);
			lists.set(id, packages.map(legacy ? legacyItem : packageJson));
			shown += packages.length;
		}
		return lists;
	}

	return { one, many };
}

/** A package as the software lists show it. */
export function packageJson({ name, version, url, softwareType }: SentPackage): Json {
	return { name, version, url, softwareType };
}

export function objectUrl(base: string, id: string): string {
	return `${base}/inventory/managedObjects/${id}`;
}

function fieldsOf(object: ManagedObject, base: string, now: number): Json {
	const { id, owner, name, type, creationTime, lastUpdated, fragments } = object;
	const availability = availabilityOf(object, now);
	return {
		id,
		self: objectUrl(base, id),
		owner,
		creationTime: formatTime(creationTime),
		lastUpdated: formatTime(lastUpdated),
		name,
		type,
		...fragments,
		...(availability && {
			c8y_Availability: { ...(availability.status && { status: availability.status }), lastMessage: availability.lastMessage },
		}),
	};
}

export interface Availability {
	readonly lastMessage: string;
	/** Absent where nobody said how often the device must be heard of. */
	readonly status?: 'AVAILABLE' | 'UNAVAILABLE';
	/** Minutes. */
	readonly interval?: number;
}

/** Whether a device was heard of within the time it promised, and is not known to be gone; `undefined` where it was never heard of. */
export function availabilityOf({ fragments }: ManagedObject, now: number): Availability | undefined {
	const lastMessage = fieldOf(fragments.c8y_Availability, 'lastMessage');
	const interval = fieldOf(fragments.c8y_RequiredAvailability, 'responseInterval');
	if (typeof lastMessage !== 'string') return undefined;
	const heardAt = parseTime(lastMessage);
	if (typeof interval !== 'number' || interval <= 0 || heardAt === undefined) return { lastMessage };
	const isAvailable = !isGone(fragments) && now - heardAt <= interval * 60_000;
	return { lastMessage, interval, status: isAvailable ? 'AVAILABLE' : 'UNAVAILABLE' };
}

function fieldOf(value: unknown, field: string): unknown {
	return typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
}

type Names = ReadonlyMap<ManagedObjectId, string | undefined>;

type LinksByObject = ReadonlyMap<string, readonly ChildLink[]>;

function distinct(ids: readonly ManagedObjectId[]): ManagedObjectId[] {
	return [...new Set(ids)];
}

/** Once for the whole page, by the object that shows them and their kind. */
function groupLinks(links: readonly ChildLink[], end: 'parent' | 'child'): LinksByObject {
	const groups = new Map<string, ChildLink[]>();
	for (const link of links) {
		const key = `${link[end]}/${link.kind}`;
		const group = groups.get(key);
		if (group) group.push(link);
		else groups.set(key, [link]);
	}
	return groups;
}

function childReferences(id: ManagedObjectId, links: LinksByObject, names: Names, base: string): Json {
	const collections = childKinds.map((kind) => {
		const self = `${objectUrl(base, id)}/${kind}`;
		const own = links.get(`${id}/${kind}`) ?? [];
		return [kind, { self, references: own.map(({ child }) => reference(child, names, base, `${self}/${child}`)) }];
	});
	return Object.fromEntries(collections);
}

function parentReferences(id: ManagedObjectId, links: LinksByObject, names: Names, base: string): Json {
	const collections = childKinds.map((kind) => {
		const self = `${objectUrl(base, id)}/${parentNames[kind]}`;
		const own = links.get(`${id}/${kind}`) ?? [];
		return [
			parentNames[kind],
			{ self, references: own.map(({ parent }) => reference(parent, names, base, `${self}/${parent}`)) },
		];
	});
	return Object.fromEntries(collections);
}

function reference(id: ManagedObjectId, names: Names, base: string, self: string): Json {
	return { managedObject: { id, name: names.get(id), self: objectUrl(base, id) }, self };
}
