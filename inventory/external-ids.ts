import type { Collection, DocumentStore, Step } from '../store/index.ts';
import { InventoryError, noSuchObject } from './inventory-error.ts';
import { type ManagedObjectId, requireObjectStep } from './managed-object.ts';

export interface ExternalId {
	readonly _id: string;
	readonly tenant: string;
	readonly type: string;
	readonly externalId: string;
	readonly managedObjectId: ManagedObjectId;
}

/** A serial and the object that has it now; none when it was removed. */
export interface SerialChange {
	readonly tenant: string;
	readonly serial: string;
	readonly owner: ManagedObjectId | undefined;
	/** Nothing had it before. */
	readonly isNew: boolean;
}

/** The type of external id that MQTT clients are known by. */
export const serialType = 'c8y_Serial';

const maxLength = 1024;

export type ExternalIds = ReturnType<typeof openExternalIds>;

/** The names by which the outside knows managed objects; one object may have several. */
export function openExternalIds({
	store,
	externalIds,
}: {
	readonly store: DocumentStore;
	readonly externalIds: Collection<ExternalId>;
}) {
	async function find(tenant: string, type: string, externalId: string): Promise<ExternalId | undefined> {
		return externalIds.get(documentIdOf(tenant, type, externalId));
	}

	/** @throws InventoryError `identity/notFound` */
	async function get(tenant: string, type: string, externalId: string): Promise<ExternalId> {
		const found = await find(tenant, type, externalId);
		if (!found) throw new InventoryError('identity/notFound', `No managed object has the external id '${type}/${externalId}'`);
		return found;
	}

	/** @throws InventoryError `identity/duplicate` */
	async function checkFree(tenant: string, type: string, externalId: string): Promise<void> {
		if (await find(tenant, type, externalId)) throw taken(type, externalId);
	}

	async function list(tenant: string, managedObjectId: ManagedObjectId): Promise<ExternalId[]> {
		return externalIds.find({ filter: { tenant, managedObjectId }, sort: [['_id', 1]], limit: 1000 });
	}

	/** Every serial of an object, however many other external ids a device has given it. */
	async function* serialsOf(tenant: string, managedObjectId: ManagedObjectId): AsyncGenerator<string> {
		for await (const { type, externalId } of externalIds.scan({ tenant, managedObjectId }))
			if (type === serialType) yield externalId;
	}

	/** The external ids of several objects, `c8y_Serial` first. */
	async function listOf(tenant: string, ids: readonly ManagedObjectId[]): Promise<ExternalId[]> {
		if (ids.length === 0) return [];
		return externalIds.find({ filter: { tenant, managedObjectId: { $in: ids } }, sort: [['_id', 1]] });
	}

	/**
	 * The step that gives an object an external id; the object must exist.
	 * @throws InventoryError `inventory/invalid`
	 */
	function bindStep(tenant: string, type: string, externalId: string, managedObjectId: ManagedObjectId): Step {
		checkText('type', type);
		checkText('externalId', externalId);
		const document: ExternalId = { _id: documentIdOf(tenant, type, externalId), tenant, type, externalId, managedObjectId };
		return { kind: 'insert', collection: externalIds.name, document };
	}

	/** @throws InventoryError `identity/duplicate`, `inventory/notFound`, `inventory/invalid` */
	async function bind(tenant: string, type: string, externalId: string, managedObjectId: ManagedObjectId): Promise<ExternalId> {
		const outcome = await store.batch([
			requireObjectStep(tenant, managedObjectId),
			bindStep(tenant, type, externalId, managedObjectId),
		]);
		if (!outcome.ok && outcome.duplicate) throw taken(type, externalId);
		if (!outcome.ok) throw noSuchObject(managedObjectId);
		return get(tenant, type, externalId);
	}

	/** @throws InventoryError `identity/notFound` */
	async function remove(tenant: string, type: string, externalId: string): Promise<void> {
		const id = documentIdOf(tenant, type, externalId);
		const outcome = await store.batch([
			{ kind: 'require', collection: externalIds.name, id },
			{ kind: 'remove', collection: externalIds.name, id },
		]);
		if (!outcome.ok)
			throw new InventoryError('identity/notFound', `No managed object has the external id '${type}/${externalId}'`);
	}

	/** Calls back with serials that were bound or removed, by whichever process; `onGap` when some may have been missed. */
	function watchSerials(listener: (changes: readonly SerialChange[]) => void, onGap: () => void): () => void {
		return externalIds.watch((changes) => {
			const serials = changes.flatMap(({ kind, id, document }) => {
				const [tenant = '', type, ...rest] = id.split('/');
				return type === serialType
					? [{ tenant, serial: rest.join('/'), owner: document?.managedObjectId, isNew: kind === 'inserted' }]
					: [];
			});
			if (serials.length > 0) listener(serials);
		}, onGap);
	}

	return { find, get, checkFree, list, serialsOf, listOf, bind, bindStep, remove, watchSerials };
}

function documentIdOf(tenant: string, type: string, externalId: string): string {
	return `${tenant}/${encodeURIComponent(wellFormed(type))}/${wellFormed(externalId)}`;
}

function taken(type: string, externalId: string): InventoryError {
	return new InventoryError('identity/duplicate', `The external id '${type}/${externalId}' is taken`);
}

// A lone surrogate cannot be stored as UTF-8; U+FFFD keeps the look-up from failing.
function wellFormed(text: string): string {
	return /[\uD800-\uDFFF]/.test(text) ? Buffer.from(text, 'utf8').toString('utf8') : text;
}

function checkText(field: string, text: string): void {
	if (text.length === 0 || text.length > maxLength) {
		throw new InventoryError('inventory/invalid', `${field} must have 1 to ${maxLength} characters, found ${text.length}`);
	}
	if (/\p{Cc}/u.test(text)) throw new InventoryError('inventory/invalid', `${field} has a control character: use printable text`);
}
