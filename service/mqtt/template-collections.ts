import type { Logger } from 'pino';
import type { Principal } from '../../access/index.ts';
import type { Inventory, ManagedObject, ManagedObjectId } from '../../inventory/index.ts';
import {
	type CollectionDocument,
	type CollectionLimits,
	compileCollection,
	type TemplateCollection,
} from '../../smartrest/index.ts';

/** The type of external id that a collection is known by: its X-ID. */
export const collectionIdType = 'c8y_SmartRest2DeviceIdentifier';
const collectionType = 'c8y_SmartRest2Template';
const collectionFragment = 'com_cumulocity_model_smartrest_csv_CsvSmartRestTemplate';

const maxShownFaults = 5;

/** A collection as it was last read. */
export interface KnownCollection {
	readonly id: ManagedObjectId;
	/** Of the managed object: the same revision need not be prepared again. */
	readonly revision: number;
	readonly templates: TemplateCollection;
}

interface CacheEntry {
	readonly readAt: number;
	readonly reading: Promise<KnownCollection | undefined>;
}

export type TemplateCollections = ReturnType<typeof createTemplateCollections>;

/**
 * The template collections of all tenants: managed objects, whoever created them. What is remembered is read again after a while,
 * because others may change or remove it, in other processes too.
 */
export function createTemplateCollections(options: {
	readonly inventory: Inventory;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	readonly log: Logger;
	readonly limits: CollectionLimits & { readonly cacheMaxCollections: number; readonly cacheMilliseconds: number };
}) {
	const { inventory, elapsed, log, limits } = options;
	const cache = new Map<string, CacheEntry>();

	/** The collection of that X-ID, as it is or was a moment ago. */
	async function find(tenant: string, xId: string): Promise<KnownCollection | undefined> {
		const key = `${tenant}/${xId}`;
		const present = cache.get(key);
		const age = present ? elapsed() - present.readAt : Number.POSITIVE_INFINITY;
		if (present && age < limits.cacheMilliseconds) return present.reading;
		return readAgain(tenant, xId, key, present);
	}

	async function readAgain(tenant: string, xId: string, key: string, present?: CacheEntry): Promise<KnownCollection | undefined> {
		const entry: CacheEntry = { readAt: elapsed(), reading: read(tenant, xId, await present?.reading) };
		cache.delete(key);
		cache.set(key, entry);
		if (cache.size > limits.cacheMaxCollections) cache.delete(cache.keys().next().value ?? key);
		try {
			const known = await entry.reading;
			// What is missing may be there in the next moment.
			if (!known) forget(key, entry);
			return known;
		} catch (error) {
			forget(key, entry);
			throw error;
		}
	}

	function forget(key: string, entry: CacheEntry): void {
		if (cache.get(key) === entry) cache.delete(key);
	}

	async function read(tenant: string, xId: string, before: KnownCollection | undefined): Promise<KnownCollection | undefined> {
		const object = await findObject(tenant, xId);
		if (!object) return undefined;
		const { id, revision, fragments } = object;
		if (before?.id === id && before.revision === revision) return before;
		const templates = compileCollection(fragments[collectionFragment], limits);
		const faults = templates.faults.length;
		const shown = templates.faults.slice(0, maxShownFaults);
		if (faults > 0)
			log.warn({ tenant, collection: xId, managedObject: id, faults, shown }, 'templates of a collection cannot be used');
		return { id, revision, templates };
	}

	async function findObject(tenant: string, xId: string): Promise<ManagedObject | undefined> {
		const known = await inventory.externalIds.find(tenant, collectionIdType, xId);
		const object = known && (await inventory.objects.find(tenant, known.managedObjectId));
		return object && isCollection(object) ? object : undefined;
	}

	/** The id of the collection as it is now. */
	async function findId(tenant: string, xId: string): Promise<ManagedObjectId | undefined> {
		return (await findObject(tenant, xId))?.id;
	}

	/**
	 * Creates a collection. `same` where it exists with these very templates, so that a publish that is sent again does no harm.
	 * @throws InventoryError `inventory/tooLarge`, `inventory/invalid`
	 */
	async function create(
		{ tenant, userName }: Principal,
		xId: string,
		document: CollectionDocument,
	): Promise<'created' | 'same' | 'exists'> {
		const isSame = (object: ManagedObject) => JSON.stringify(object.fragments[collectionFragment]) === JSON.stringify(document);
		const present = await findObject(tenant, xId);
		if (present) return isSame(present) ? 'same' : 'exists';
		const fragments = { [collectionFragment]: document, __externalId: xId };
		const created = await inventory.objects.create(
			tenant,
			{ owner: userName, patch: { name: xId, type: collectionType, fragments } },
			(id) => [inventory.externalIds.bindStep(tenant, collectionIdType, xId, id)],
		);
		if (!created) {
			const faster = await findObject(tenant, xId);
			return faster && isSame(faster) ? 'same' : 'exists';
		}
		cache.delete(`${tenant}/${xId}`);
		log.info({ tenant, collection: xId, managedObject: created.id }, 'template collection created');
		return 'created';
	}

	return { find, findId, create };
}

/** Whether a managed object holds templates. */
export function isCollection({ fragments }: ManagedObject): boolean {
	return collectionFragment in fragments;
}
