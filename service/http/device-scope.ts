import { deviceUserPrefix, groupsWith, mayDo, type Permission, type Principal } from '../../access/index.ts';
import { type DeviceEvent, type EventFilter, type Events, parseEventId } from '../../events/index.ts';
import {
	type BinaryObject,
	type Inventory,
	InventoryError,
	isBinary,
	isManagedObjectId,
	type ManagedObject,
	type ManagedObjectId,
	type ObjectFilter,
	parseManagedObjectId,
} from '../../inventory/index.ts';
import { type Operation, type OperationFilter, type Operations, parseOperationId } from '../../operations/index.ts';
import { HttpError } from './http-error.ts';

export type DeviceScope = ReturnType<typeof openDeviceScope>;

/**
 * What a caller may touch: a user everything of its tenant, or what is below some groups; a device itself, what it owns and what is
 * below it.
 */
export function openDeviceScope({
	inventory,
	operations,
	events,
}: {
	readonly inventory: Inventory;
	readonly operations: Operations;
	readonly events: Events;
}) {
	/**
	 * An object with which the caller may do what the permission says.
	 * @throws HttpError `http/forbidden`; InventoryError `inventory/notFound`
	 */
	async function getObject(principal: Principal, id: string, permission: Permission): Promise<ManagedObject> {
		const object = await inventory.objects.get(principal.tenant, parseManagedObjectId(id));
		await checkObject(principal, object, permission);
		return object;
	}

	/**
	 * Refuses the objects of others. Whether the object exists is for those to find out who may touch everything.
	 * @throws HttpError `http/forbidden`; InventoryError `inventory/notFound`
	 */
	async function admit(principal: Principal, id: string, permission: Permission): Promise<void> {
		if (isLimited(principal, permission)) await getObject(principal, id, permission);
	}

	async function checkObject(principal: Principal, object: ManagedObject, permission: Permission): Promise<void> {
		if (!isLimited(principal, permission)) return;
		const what = `Managed object '${object.id}'`;
		if (principal.role !== 'device') {
			const groups = groupsWith(principal, permission);
			if (await inventory.objects.isAtOrBelow(principal.tenant, object.id, ...groups)) return;
			throw outside(what, permission);
		}
		if (object.owner === principal.userName) return;
		const own = await ownId(principal);
		if (own !== undefined && (object.id === own || (await inventory.objects.findAgent(principal.tenant, object))?.id === own))
			return;
		throw foreign(what);
	}

	/** Those of the caller's tenant that it may read, by their ids; a few looks at the links, however many they are. */
	async function readable(principal: Principal, objects: readonly ManagedObject[]): Promise<ReadonlySet<ManagedObjectId>> {
		const { tenant, role, userName } = principal;
		const ids = objects.map(({ id }) => id);
		if (!isLimited(principal, 'inventory:read')) return new Set(ids);
		if (role !== 'device') return inventory.objects.filterAtOrBelow(tenant, ids, groupsWith(principal, 'inventory:read'));
		const own = await ownId(principal);
		const isOwn = ({ id, owner }: ManagedObject) => owner === userName || id === own;
		const others = objects.filter((each) => !isOwn(each));
		const agents = own === undefined ? undefined : await inventory.objects.findAgents(tenant, others);
		return new Set(
			objects.filter((each) => isOwn(each) || (own !== undefined && agents?.get(each.id)?.id === own)).map(({ id }) => id),
		);
	}

	/**
	 * A binary that the caller may change.
	 * @throws HttpError `http/forbidden`; InventoryError `inventory/notFound`
	 */
	async function getBinary(principal: Principal, id: string): Promise<BinaryObject> {
		return binaryOf(await getObject(principal, id, 'inventory:write'));
	}

	/**
	 * A binary that the caller may download: a device also what an operator named in an operation for it or for what is below it,
	 * and what the software repository offers.
	 * @throws HttpError `http/forbidden`; InventoryError `inventory/notFound`
	 */
	async function getDownload(principal: Principal, id: string): Promise<BinaryObject> {
		const object = binaryOf(await inventory.objects.get(principal.tenant, parseManagedObjectId(id)));
		if (principal.role === 'device') {
			const own = await ownId(principal);
			if (own !== undefined && (await operations.isBinaryNamed(principal.tenant, object.id, own))) return object;
			// What devices themselves write offers nothing.
			if (await inventory.objects.isOffered(principal.tenant, object.id, deviceUserPrefix)) return object;
		}
		await checkObject(principal, object, 'inventory:read');
		return object;
	}

	/** @throws HttpError `http/forbidden`; OperationError `operation/notFound` */
	async function getOperation(principal: Principal, id: string, permission: Permission): Promise<Operation> {
		const operation = await operations.get(principal.tenant, parseOperationId(id));
		if (!isLimited(principal, permission)) return operation;
		const what = `Operation '${operation.id}'`;
		if (principal.role !== 'device') {
			const groups = groupsWith(principal, permission);
			if (await inventory.objects.isAtOrBelow(principal.tenant, operation.deviceId, ...groups)) return operation;
			throw outside(what, permission);
		}
		const own = await ownId(principal);
		if (own === undefined || (operation.agentId !== own && operation.deviceId !== own)) throw foreign(what);
		return operation;
	}

	/**
	 * The filter narrowed to what the caller may see, or change; `undefined` where that is nothing.
	 * @throws HttpError `http/forbidden` where it asks for something of others by name
	 */
	async function narrow(
		principal: Principal,
		filter: OperationFilter,
		permission: Permission,
	): Promise<OperationFilter | undefined> {
		if (!isLimited(principal, permission)) return filter;
		if (principal.role !== 'device') return narrowToGroups(principal, filter, permission);
		const own = await ownId(principal);
		if (filter.agentId !== undefined && filter.agentId !== own) throw foreign(`Agent '${filter.agentId}'`);
		if (own === undefined) return undefined;
		if (filter.deviceId === own) return filter;
		return { ...filter, agentId: own };
	}

	async function narrowToGroups(principal: Principal, filter: OperationFilter, permission: Permission): Promise<OperationFilter> {
		const { tenant } = principal;
		const groups = groupsWith(principal, permission).filter(isManagedObjectId);
		if (filter.deviceId === undefined) return { ...filter, deviceIds: await inventory.objects.idsWithin(tenant, groups) };
		const isWithin =
			isManagedObjectId(filter.deviceId) && (await inventory.objects.isAtOrBelow(tenant, filter.deviceId, ...groups));
		if (!isWithin) throw outside(`Device '${filter.deviceId}'`, permission);
		return filter;
	}

	/** @throws HttpError `http/forbidden`; EventError `event/notFound` */
	async function getEvent(principal: Principal, id: string, permission: Permission): Promise<DeviceEvent> {
		const event = await events.get(principal.tenant, parseEventId(id));
		await admit(principal, event.source, permission);
		return event;
	}

	/**
	 * The filter narrowed to what the caller may see, or remove, a device to its own; `undefined` where that is nothing.
	 * @throws HttpError `http/forbidden` where it asks for something of others by name; InventoryError `inventory/notFound`
	 */
	async function narrowEvents(
		principal: Principal,
		filter: EventFilter,
		permission: Permission,
	): Promise<EventFilter | undefined> {
		if (!isLimited(principal, permission)) return filter;
		if (filter.source !== undefined) {
			await getObject(principal, filter.source, permission);
			return filter;
		}
		if (principal.role === 'device') {
			const source = await ownId(principal);
			return source && { ...filter, source };
		}
		const groups = groupsWith(principal, permission).filter(isManagedObjectId);
		return { ...filter, sources: await inventory.objects.idsWithin(principal.tenant, groups) };
	}

	/** What a list of objects may show of those with this owner; `owner` is `undefined` for all. */
	function visible(principal: Principal, owner: string | undefined): Pick<ObjectFilter, 'owner' | 'within'> {
		if (!isLimited(principal, 'inventory:read')) return { owner };
		if (principal.role !== 'device') return { owner, within: groupsWith(principal, 'inventory:read').filter(isManagedObjectId) };
		if (owner !== undefined && owner !== principal.userName) throw foreign(`Owner '${owner}'`);
		return { owner: principal.userName };
	}

	/** The device that the caller is; `undefined` where it is none, or is not in the inventory yet. */
	async function ownId({ tenant, serial }: Principal): Promise<ManagedObjectId | undefined> {
		return serial === undefined ? undefined : inventory.devices.find(tenant, serial);
	}

	return { getObject, readable, getBinary, getDownload, admit, getOperation, narrow, getEvent, narrowEvents, visible, ownId };
}

/** Whether what somebody writes lets devices download the binaries that it names: only who may read them all gives them away. */
export function mayGiveFiles(principal: Principal): boolean {
	return principal.role !== 'device' && mayDo(principal, 'inventory:read');
}

/** Whether somebody may do it with a part of the tenant's objects only. */
export function isLimited(principal: Principal, permission: Permission): boolean {
	return principal.role === 'device' || !mayDo(principal, permission);
}

function binaryOf(object: ManagedObject): BinaryObject {
	if (isBinary(object)) return object;
	throw new InventoryError('inventory/notFound', `No binary for id '${object.id}': the managed object has no bytes`);
}

function foreign(what: string): HttpError {
	return new HttpError('http/forbidden', `${what} is not of this device: a device may touch itself and what is below it`);
}

function outside(what: string, permission: Permission): HttpError {
	return new HttpError('http/forbidden', `${what} is not below a group with which this user may do this: it needs ${permission}`);
}
