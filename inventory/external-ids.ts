import type { Collection, Step } from '../store/index.ts';
import type { InventoryContext } from './inventory-context.ts';
import { InventoryError, noSuchObject } from './inventory-error.ts';
import { documentId, type ManagedObjectId } from './managed-object.ts';

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
const maxAttempts = 100;
/** As many as the limit can be: a lower one hides none of those that were there before. */
const maxListed = 1000;

export type ExternalIds = ReturnType<typeof openExternalIds>;

/** The names by which the outside knows managed objects; one object may have several. */
export function openExternalIds({
	store,
	objects,
	limits,
	externalIds,
}: Pick<InventoryContext, 'store' | 'objects' | 'limits'> & {
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
		return externalIds.find({ filter: { tenant, managedObjectId }, sort: [['_id', 1]], limit: maxListed });
	}

	/** Every serial of an object, however many other external ids a device has given it. */
	async function* serialsOf(tenant: string, managedObjectId: ManagedObjectId): AsyncGenerator<string> {
		for await (const { type, externalId } of externalIds.scan({ tenant, managedObjectId }))
			if (type === serialType) yield externalId;
	}

	/** The serials of several objects. */
	async function listSerials(tenant: string, ids: readonly ManagedObjectId[]): Promise<ExternalId[]> {
		if (ids.length === 0) return [];
		const filter = { tenant, managedObjectId: { $in: ids }, type: serialType };
		return externalIds.find({ filter, sort: [['_id', 1]], limit: ids.length * maxListed });
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

	/** @throws InventoryError `identity/duplicate`, `inventory/notFound`, `inventory/invalid`, `inventory/tooLarge`, `inventory/conflict` */
	async function bind(tenant: string, type: string, externalId: string, managedObjectId: ManagedObjectId): Promise<ExternalId> {
		const step = bindStep(tenant, type, externalId, managedObjectId);
		for (let attempt = 0; attempt < maxAttempts; attempt++) {
			const object = await objects.get(documentId(tenant, managedObjectId));
			if (!object) throw noSuchObject(managedObjectId);
			const count = await externalIds.count({ tenant, managedObjectId });
			if (count >= limits.maxExternalIds) throw tooMany(managedObjectId, limits.maxExternalIds);
			const { _id: id, externalIdRevision = null } = object;
			const outcome = await store.batch([
				// Whoever adds one meanwhile changes it, and has been counted at the next attempt.
				{
					kind: 'update',
					collection: objects.name,
					id,
					where: { externalIdRevision },
					update: { $inc: { externalIdRevision: 1 } },
				},
				step,
			]);
			if (outcome.ok) return get(tenant, type, externalId);
			if (outcome.duplicate) throw taken(type, externalId);
		}
		throw new InventoryError(
			'inventory/conflict',
			`Others give external ids to managed object '${managedObjectId}' again and again: try once more`,
		);
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

	return { find, get, checkFree, list, serialsOf, listSerials, bind, bindStep, remove, watchSerials };
}

function documentIdOf(tenant: string, type: string, externalId: string): string {
	return `${tenant}/${encodeURIComponent(wellFormed(type))}/${wellFormed(externalId)}`;
}

function tooMany(id: ManagedObjectId, limit: number): InventoryError {
	return new InventoryError(
		'inventory/tooLarge',
		`Managed object '${id}' has ${limit} external ids already, and at most ${limit} are allowed (EXTERNAL_IDS_MAX): remove one of them first`,
	);
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
