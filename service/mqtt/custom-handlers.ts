import {
	fragmentNameFault,
	type Inventory,
	type ManagedObject,
	type ManagedObjectId,
	parseManagedObjectId,
	parseObjectBody,
	serialType,
} from '../../inventory/index.ts';
import {
	type Operation,
	type OperationChange,
	type Operations,
	operationServerFields,
	operationStatuses,
	type Receipt,
	unknownReason,
} from '../../operations/index.ts';
import type { CustomRequest, RequestKind } from '../../smartrest/index.ts';
import type { SerialCheck } from '../serial-check.ts';
import { LineError } from './line-error.ts';
import { toOperationDocument } from './operation-messages.ts';
import { mayBeDone } from './receipt.ts';
import type { Session } from './session.ts';
import type { Target } from './targets.ts';
import { isCollection } from './template-collections.ts';

export type Json = Readonly<Record<string, unknown>>;

/** What a handler knows of the line besides the message. */
export interface CustomContext {
	readonly session: Session;
	/** The device or child that the topic names. */
	readonly target: Target;
	/** Names the line, the same when its publish is sent again. */
	readonly receipt: Receipt;
}

/** Does what a message asks for; returns what response templates take their values from, nothing where nothing was done. */
type Handler = (context: CustomContext, message: CustomRequest) => Promise<Json | undefined>;
export type CustomHandlers = { readonly [Kind in RequestKind]: Handler };

/** What each kind of request template does. A kind without a handler does not compile. */
export function createCustomHandlers(options: {
	readonly inventory: Inventory;
	readonly operations: Operations;
	readonly serialFault: SerialCheck;
	readonly maxFragments: number;
}): CustomHandlers {
	const { inventory, operations, serialFault } = options;

	/** The object that a message names, if the device may touch it. */
	async function getObject(context: CustomContext, { selectors }: CustomRequest): Promise<ManagedObject> {
		const { tenant } = context.session.principal;
		const { id, externalIdType, externalId } = selectors;
		if (externalIdType === '' && externalId === '') return admit(context, parseManagedObjectId(id));
		const found = await inventory.externalIds.find(tenant, externalIdType, externalId);
		if (!found) throw new LineError('refused', `No managed object has the external id '${externalIdType}/${externalId}'`);
		return admit(context, found.managedObjectId);
	}

	/** @throws LineError for an object that is neither the device, nor below it, nor created by it; InventoryError `inventory/notFound` */
	async function admit({ session }: CustomContext, id: ManagedObjectId): Promise<ManagedObject> {
		const { principal, device } = session;
		const object = await inventory.objects.get(principal.tenant, id);
		// Administrators own what all devices that connect as them have created: here they are one device, too.
		if (principal.role === 'device' && object.owner === principal.userName) return object;
		if (device !== undefined && (await inventory.objects.isAtOrBelow(principal.tenant, id, device))) return object;
		throw new LineError('refused', `Managed object '${id}' is not of this device: it may touch itself and what is below it`);
	}

	async function createObject(context: CustomContext, { selectors, document }: CustomRequest): Promise<Json> {
		const { principal } = context.session;
		const { externalIdType: type, externalId } = selectors;
		const fault = type === serialType ? await serialFault(principal, externalId) : undefined;
		if (fault !== undefined) throw new LineError('refused', fault);
		const created = await inventory.objects.create(
			principal.tenant,
			{ owner: principal.userName, patch: parseObjectBody(document, options) },
			(id) => (externalId === '' ? [] : [inventory.externalIds.bindStep(principal.tenant, type, externalId, id)]),
		);
		if (created) return toObjectDocument(created);
		// A publish that is sent again finds what it has created.
		const taken = await inventory.externalIds.find(principal.tenant, type, externalId);
		if (taken && mayBeDone(context.receipt)) return toObjectDocument(await admit(context, taken.managedObjectId));
		throw new LineError('refused', `The external id '${type}/${externalId}' is taken`);
	}

	async function updateObject(context: CustomContext, message: CustomRequest): Promise<Json> {
		const object = await getObject(context, message);
		if (isCollection(object)) throw new LineError('refused', 'a template collection cannot be changed over MQTT');
		const patch = parseObjectBody(message.document, options);
		const mayOffer = context.session.principal.role !== 'device';
		return toObjectDocument(await inventory.objects.update(object.tenant, object.id, { ...patch, mayOffer }));
	}

	async function updateOperation(context: CustomContext, { selectors, document }: CustomRequest): Promise<Json | undefined> {
		const { session, target, receipt } = context;
		const { fragment } = selectors;
		const change = toOperationChange(document);
		const changed = await operations.updateOpen(session.principal.tenant, target.id, fragment, change, receipt);
		if (!changed && !mayBeDone(receipt)) throw noOperation(fragment);
		return changed && toOperationDocument(changed);
	}

	async function getOperation({ session, target }: CustomContext, { selectors }: CustomRequest): Promise<Json> {
		const found: Operation | undefined = await operations.findOpen(session.principal.tenant, target.id, selectors.fragment);
		if (!found) throw noOperation(selectors.fragment);
		return toOperationDocument(found);
	}

	// Measurements, alarms and events are accepted for the sake of the devices; they are no part of this product and not kept.
	async function accept({ target }: CustomContext, { document }: CustomRequest): Promise<Json> {
		return { ...document, source: { id: target.id } };
	}

	return {
		GetObject: async (context, message) => toObjectDocument(await getObject(context, message)),
		UpdateObject: updateObject,
		CreateObject: createObject,
		CreateMeasurement: accept,
		CreateEvent: accept,
		CreateAlarm: accept,
		UpdateAlarm: accept,
		GetOperation: getOperation,
		UpdateOperation: updateOperation,
	};
}

function toObjectDocument({ id, owner, name, type, creationTime, lastUpdated, fragments }: ManagedObject): Json {
	return {
		id,
		owner,
		creationTime: new Date(creationTime).toISOString(),
		lastUpdated: new Date(lastUpdated).toISOString(),
		...(name !== undefined && { name }),
		...(type !== undefined && { type }),
		...fragments,
	};
}

function toOperationChange(document: Json): OperationChange {
	const { deviceId: _, status, failureReason, description, ...rest } = document;
	const fragments = Object.entries(rest).filter(([name]) => !operationServerFields.has(name));
	for (const [name] of fragments) {
		const fault = fragmentNameFault(name);
		if (fault) throw new LineError('refused', fault);
	}
	const wanted = operationStatuses.find((each) => each === status);
	if (status !== undefined && !wanted) {
		const found = textOf(status)?.slice(0, 60) ?? 'nothing';
		throw new LineError('refused', `status must be one of ${operationStatuses.join(' ')} - found ${found}`);
	}
	const reason = textOf(failureReason) ?? (wanted === 'FAILED' ? unknownReason : undefined);
	return {
		...(wanted && { status: wanted }),
		...(reason !== undefined && { failureReason: reason }),
		...(description !== undefined && { description: textOf(description) ?? '' }),
		...(fragments.length > 0 && { fragments: Object.fromEntries(fragments) }),
	};
}

function textOf(value: unknown): string | undefined {
	return value === undefined || value === '' ? undefined : typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function noOperation(fragment: string): LineError {
	return new LineError('refused', `no EXECUTING or PENDING operation with ${fragment}`);
}
