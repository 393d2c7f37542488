import { deviceUserPrefix, type Principal } from '../../access/index.ts';
import {
	type BinaryObject,
	type Inventory,
	InventoryError,
	isBinary,
	type ManagedObject,
	type ManagedObjectId,
	parseManagedObjectId,
} from '../../inventory/index.ts';
import { type Operation, type OperationFilter, type Operations, parseOperationId } from '../../operations/index.ts';
import { HttpError } from './http-error.ts';

/** What a caller may touch: a user everything of its tenant, a device itself, what it owns and what is below it. */
export function openDeviceScope({ inventory, operations }: { readonly inventory: Inventory; readonly operations: Operations }) {
	/** @throws HttpError `http/forbidden`; InventoryError `inventory/notFound` */
	async function getObject(principal: Principal, id: string): Promise<ManagedObject> {
		const object = await inventory.objects.get(principal.tenant, parseManagedObjectId(id));
		await checkObject(principal, object);
		return object;
	}

	/**
	 * Refuses a device the objects of others. Whether the object exists is for the caller to find out.
	 * @throws HttpError `http/forbidden`; InventoryError `inventory/notFound`
	 */
	async function admit(principal: Principal, id: string): Promise<void> {
		if (principal.role === 'device') await getObject(principal, id);
	}

	async function checkObject(principal: Principal, object: ManagedObject): Promise<void> {
		if (principal.role !== 'device' || object.owner === principal.userName) return;
		const own = await ownId(principal);
		if (own !== undefined && (object.id === own || (await inventory.objects.findAgent(principal.tenant, object))?.id === own))
			return;
		throw foreign(`Managed object '${object.id}'`);
	}

	/**
	 * A binary that the caller may change.
	 * @throws HttpError `http/forbidden`; InventoryError `inventory/notFound`
	 */
	async function getBinary(principal: Principal, id: string): Promise<BinaryObject> {
		return binaryOf(await getObject(principal, id));
	}

	/**
	 * A binary that the caller may download: a device also what an operator named in an operation for it or for what is below it,
	 * and what the software repository offers.
	 * @throws HttpError `http/forbidden`; InventoryError `inventory/notFound`
	 */
	async function getDownload(principal: Principal, id: string): Promise<BinaryObject> {
		const object = binaryOf(await inventory.objects.get(principal.tenant, parseManagedObjectId(id)));
		if (principal.role !== 'device') return object;
		const own = await ownId(principal);
		if (own !== undefined && (await operations.isBinaryNamed(principal.tenant, object.id, own))) return object;
		// What devices themselves write offers nothing.
		if (await inventory.objects.isOffered(principal.tenant, object.id, deviceUserPrefix)) return object;
		await checkObject(principal, object);
		return object;
	}

	/** @throws HttpError `http/forbidden`; OperationError `operation/notFound` */
	async function getOperation(principal: Principal, id: string): Promise<Operation> {
		const operation = await operations.get(principal.tenant, parseOperationId(id));
		if (principal.role !== 'device') return operation;
		const own = await ownId(principal);
		if (own === undefined || (operation.agentId !== own && operation.deviceId !== own))
			throw foreign(`Operation '${operation.id}'`);
		return operation;
	}

	/**
	 * The filter narrowed to what the caller may see; `undefined` where that is nothing.
	 * @throws HttpError `http/forbidden` where it asks for something of others by name
	 */
	async function narrow(principal: Principal, filter: OperationFilter): Promise<OperationFilter | undefined> {
		if (principal.role !== 'device') return filter;
		const own = await ownId(principal);
		if (filter.agentId !== undefined && filter.agentId !== own) throw foreign(`Agent '${filter.agentId}'`);
		if (own === undefined) return undefined;
		if (filter.deviceId === own) return filter;
		return { ...filter, agentId: own };
	}

	/** The owner whose objects a list may show; `undefined` for all of the tenant. */
	function ownerSeenBy(principal: Principal, owner: string | undefined): string | undefined {
		if (principal.role !== 'device') return owner;
		if (owner !== undefined && owner !== principal.userName) throw foreign(`Owner '${owner}'`);
		return principal.userName;
	}

	/** The device that the caller is; `undefined` where it is none, or is not in the inventory yet. */
	async function ownId({ tenant, serial }: Principal): Promise<ManagedObjectId | undefined> {
		return serial === undefined ? undefined : inventory.devices.find(tenant, serial);
	}

	return { getObject, getBinary, getDownload, admit, getOperation, narrow, ownerSeenBy, ownId };
}

function binaryOf(object: ManagedObject): BinaryObject {
	if (isBinary(object)) return object;
	throw new InventoryError('inventory/notFound', `No binary for id '${object.id}': the managed object has no bytes`);
}

function foreign(what: string): HttpError {
	return new HttpError('http/forbidden', `${what} is not of this device: a device may touch itself and what is below it`);
}
