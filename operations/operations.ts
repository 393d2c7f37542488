import { binaryIdsIn, type Inventory, type ManagedObject, type ManagedObjectId, withoutNulls } from '../inventory/index.ts';
import {
	type Collection,
	type CollectionSpec,
	type DocumentStore,
	type Filter,
	openSequence,
	type StoredDocument,
} from '../store/index.ts';
import { documentId, type Operation, type OperationId } from './operation.ts';
import { openOperationCreation } from './operation-creation.ts';
import { OperationError } from './operation-error.ts';
import { headSpec, openOperationHeads } from './operation-heads.ts';
import { openReports, type Receipt, toMark } from './operation-reports.ts';
import { checkChange, checkOperation, type OperationLimits } from './operation-rules.ts';
import { isFinal, nextStatus, type OperationStatus, statusesBefore } from './operation-status.ts';
import { openSurvey } from './operation-survey.ts';

const spec: CollectionSpec<Operation> = {
	name: 'operations',
	indexes: [
		{ name: 'all', keys: ['tenant', 'seq'] },
		{ name: 'byStatus', keys: ['tenant', 'status', 'seq'] },
		{ name: 'byDevice', keys: ['tenant', 'deviceId', 'seq'] },
		{ name: 'byDeviceStatus', keys: ['tenant', 'deviceId', 'status', 'seq'] },
		{ name: 'byAgent', keys: ['tenant', 'agentId', 'seq'] },
		{ name: 'byAgentStatus', keys: ['tenant', 'agentId', 'status', 'seq'] },
		{ name: 'byFragment', keys: ['tenant', 'fragmentNames', 'seq'], multikey: 'fragmentNames' },
		{ name: 'byDeviceFragment', keys: ['tenant', 'deviceId', 'fragmentNames', 'seq'], multikey: 'fragmentNames' },
		// What reports without an id look for, whatever the device has done before.
		{ name: 'byDeviceStatusFragment', keys: ['tenant', 'deviceId', 'status', 'fragmentNames', 'seq'], multikey: 'fragmentNames' },
		// What waits for a binary, in however many operations it has been.
		{ name: 'byBinaryStatus', keys: ['tenant', 'binaryIds', 'status', 'delivery.status'], multikey: 'binaryIds' },
		// Whether a device may download it.
		{ name: 'byBinaryAgent', keys: ['tenant', 'binaryIds', 'agentId'], multikey: 'binaryIds' },
		{ name: 'byBinaryDevice', keys: ['tenant', 'binaryIds', 'deviceId'], multikey: 'binaryIds' },
	],
};

/** Everything that operations store. */
export const operationCollections: readonly CollectionSpec<StoredDocument>[] = [spec, headSpec];

export interface OperationFilter {
	readonly deviceId?: string;
	/** One of these. */
	readonly deviceIds?: readonly string[];
	readonly agentId?: string;
	readonly status?: OperationStatus;
	readonly fragmentType?: string;
	/** Milliseconds since 1970, inclusive. */
	readonly dateFrom?: number;
	readonly dateTo?: number;
}

export interface OperationChange {
	readonly status?: OperationStatus;
	readonly failureReason?: string;
	readonly description?: string;
	readonly fragments?: Readonly<Record<string, unknown>>;
	/** Whether a device changes it: then the operation gives access to no more binaries than before. */
	readonly isByDevice?: boolean;
}

export type Operations = Awaited<ReturnType<typeof openOperations>>;

/**
 * What devices are asked to do.
 * `fault` tells why an operation could not be sent to its device (too long for a message, say), before it is created.
 */
export async function openOperations(options: {
	readonly store: DocumentStore;
	readonly inventory: Inventory;
	readonly clock: () => number;
	readonly limits: OperationLimits;
	readonly fault: (operation: Operation, device: ManagedObject) => string | undefined;
	/** Numbers that this process reserves at a time: 1 where other processes create operations too, or theirs come too late. */
	readonly numbersAtATime: number;
}) {
	const { store, inventory, clock, limits, fault } = options;
	const operations: Collection<Operation> = await store.collection(spec);
	const heads = await openOperationHeads({ store, operations });
	const sequence = await openSequence(store, 'operations', { first: 1, block: options.numbersAtATime });
	const reports = openReports({ store, operations, clock });

	const checkAgainst = (device: ManagedObject, operation: Operation) => {
		checkOperation(operation.fragments, device, limits);
		const reason = fault(operation, device);
		if (reason) throw new OperationError('operation/tooLarge', reason);
	};
	const creation = openOperationCreation({ inventory, heads, sequence, clock, limits, checkAgainst, findNewest });

	async function findNewest(tenant: string, deviceId: ManagedObjectId, fragmentType: string): Promise<Operation | undefined> {
		return (await list(tenant, { deviceId, fragmentType }, { skip: 0, limit: 1, revert: true }))[0];
	}

	async function find(tenant: string, id: OperationId): Promise<Operation | undefined> {
		return operations.get(documentId(tenant, id));
	}

	/** @throws OperationError `operation/notFound` */
	async function get(tenant: string, id: OperationId): Promise<Operation> {
		const operation = await find(tenant, id);
		if (!operation) throw new OperationError('operation/notFound', `No operation for id '${id}'`);
		return operation;
	}

	/** Oldest first, or newest first with `revert`. */
	async function list(
		tenant: string,
		filter: OperationFilter,
		page: { skip: number; limit: number; revert: boolean },
	): Promise<Operation[]> {
		const { skip, limit, revert } = page;
		return operations.find({ filter: operationFilter(tenant, filter), sort: [['seq', revert ? -1 : 1]], skip, limit });
	}

	async function count(tenant: string, filter: OperationFilter): Promise<number> {
		return operations.count(operationFilter(tenant, filter));
	}

	/**
	 * Changes status, reason, description or fragments by id. Repeating the present status changes nothing.
	 * @throws OperationError `operation/notFound`, `operation/transition`, `operation/tooLarge`
	 */
	async function update(tenant: string, id: OperationId, change: OperationChange): Promise<Operation> {
		for (;;) {
			const changed = await tryChange(await get(tenant, id), change);
			if (changed) return changed;
		}
	}

	/**
	 * Changes the operation that `findOpen` finds, as a device reports. A publish that is sent again moves no further one.
	 * @throws OperationError `operation/transition`, `operation/tooLarge`, `operation/invalid`
	 */
	async function updateOpen(
		tenant: string,
		deviceId: ManagedObjectId,
		fragment: string,
		change: OperationChange,
		receipt: Receipt,
	): Promise<Operation | undefined> {
		const field = change.status === 'EXECUTING' ? 'startedBy' : 'endedBy';
		if (change.status !== undefined && (await reports.isKnown(tenant, deviceId, field, receipt))) return undefined;
		for (;;) {
			const operation = await findOpen(tenant, deviceId, fragment);
			const changed =
				operation && (await tryChange(operation, { ...change, isByDevice: true }, change.status && { [field]: toMark(receipt) }));
			if (changed || !operation) return changed;
		}
	}

	/** The oldest EXECUTING operation of a device with that fragment, else its oldest PENDING one. [SR-10] */
	async function findOpen(tenant: string, deviceId: ManagedObjectId, fragment: string): Promise<Operation | undefined> {
		for (const status of ['EXECUTING', 'PENDING'] as const) {
			const filter = operationFilter(tenant, { deviceId, status, fragmentType: fragment });
			const [oldest] = await operations.find({ filter, sort: [['seq', 1]], limit: 1 });
			if (oldest) return oldest;
		}
		return undefined;
	}

	/** The operation as it is then, with `also` where its status changed; `undefined` when another writer was faster. */
	async function tryChange(
		operation: Operation,
		{ status, failureReason, description, fragments, isByDevice = false }: OperationChange,
		also?: Partial<Pick<Operation, 'startedBy' | 'endedBy'>>,
	): Promise<Operation | undefined> {
		const outcome = status === undefined ? 'unchanged' : nextStatus(operation.status, status);
		if (outcome === 'refused') {
			throw new OperationError(
				'operation/transition',
				`Operation '${operation.id}' is ${operation.status} and cannot become ${status}`,
			);
		}
		const merged = fragments ? withoutNulls({ ...operation.fragments, ...fragments }) : operation.fragments;
		if (fragments) await checkMerged(operation, merged);
		const set = {
			...(outcome === 'changed' && { status, lastUpdated: clock(), ...also }),
			...(failureReason !== undefined && !isFinal(operation.status) && { failureReason }),
			...(description !== undefined && { description }),
			...(fragments && { fragments: merged, fragmentNames: Object.keys(merged), revision: operation.revision + 1 }),
			...(fragments && !isByDevice && { binaryIds: askedBinaryIds(operation, fragments, merged) }),
		};
		if (Object.keys(set).length === 0) return operation;
		// Fragments are merged into those that were read: nobody else may have changed them since.
		const expected = { _id: operation._id, status: operation.status, revision: operation.revision };
		return operations.findOneAndUpdate(expected, { $set: set });
	}

	// What the device may still be sent has to be as right as what is created.
	async function checkMerged(operation: Operation, fragments: Operation['fragments']): Promise<void> {
		checkChange(fragments, limits);
		const device = isFinal(operation.status) ? undefined : await inventory.objects.find(operation.tenant, operation.deviceId);
		if (device) checkAgainst(device, { ...operation, fragments });
	}

	/** Whether an operation of this device, or of one below it, names the binary. */
	async function isBinaryNamed(tenant: string, binaryId: string, device: ManagedObjectId): Promise<boolean> {
		for (const key of ['agentId', 'deviceId']) {
			const [named] = await operations.find({ filter: { tenant, binaryIds: binaryId, [key]: device }, limit: 1 });
			if (named) return true;
		}
		return false;
	}

	/** Removes what matches, a bounded number at a time. Returns how many. */
	async function removeMatching(tenant: string, filter: OperationFilter): Promise<number> {
		let removed = 0;
		for (;;) {
			const found = await list(tenant, filter, { skip: 0, limit: 500, revert: false });
			if (found.length === 0) return removed;
			await store.batch(found.map(({ _id }) => ({ kind: 'remove', collection: spec.name, id: _id }) as const));
			removed += found.length;
		}
	}

	/** Fails what waits for a device. Once the device is marked as being removed, nothing more comes. */
	async function failFor(tenant: string, deviceId: ManagedObjectId, reason: string): Promise<void> {
		const open: Filter = { tenant, deviceId, status: { $in: statusesBefore('FAILED') } };
		while (await operations.findOneAndUpdate(open, { $set: { status: 'FAILED', failureReason: reason, lastUpdated: clock() } }));
	}

	/** Fails what names a binary that goes, and has not reached its device: what has, the device itself ends. */
	async function failNaming(tenant: string, binaryId: string, reason: string): Promise<void> {
		const waiting: Filter = { tenant, binaryIds: binaryId, status: 'PENDING', 'delivery.status': 'PENDING' };
		while (
			await operations.findOneAndUpdate(waiting, { $set: { status: 'FAILED', failureReason: reason, lastUpdated: clock() } })
		);
	}

	/** PENDING operations of an agent and of what is below it, oldest first. [SR-500] */
	async function listPending(tenant: string, agentId: ManagedObjectId, after: number, limit: number): Promise<Operation[]> {
		return operations.find({ filter: { tenant, agentId, status: 'PENDING', seq: { $gt: after } }, sort: [['seq', 1]], limit });
	}

	/** Notes that the device has the operation; a second time changes nothing. */
	async function setDelivered(tenant: string, id: OperationId): Promise<void> {
		await operations.findOneAndUpdate(
			{ _id: documentId(tenant, id), 'delivery.status': 'PENDING' },
			{ $set: { delivery: { status: 'DELIVERED', time: clock() } } },
		);
	}

	/** Calls back with each operation that became PENDING, in order; `onGap` when some may have been missed. */
	function watchPending(listener: (operation: Operation) => void, onGap?: () => void): () => void {
		return operations.watch((changes) => {
			for (const { kind, document } of changes) if (kind === 'inserted' && document?.status === 'PENDING') listener(document);
		}, onGap);
	}

	return {
		...creation,
		find,
		get,
		list,
		looksAtMany,
		count,
		update,
		isBinaryNamed,
		updateOpen,
		findOpen,
		removeMatching,
		failFor,
		failNaming,
		/** The device is no more. */
		forgetDevice: heads.remove,
		listPending,
		setDelivered,
		watchPending,
		newestNumber: heads.newest,
		...openSurvey(operations),
		...reports,
	};
}

/** The binaries that are named in what an operator asked for, before or now: what else the device may have written names none. */
function askedBinaryIds(
	{ binaryIds: before = [] }: Operation,
	asked: Operation['fragments'],
	merged: Operation['fragments'],
): readonly string[] {
	const allowed = new Set([...before, ...binaryIdsIn(asked)]);
	return binaryIdsIn(merged).filter((id) => allowed.has(id));
}

/** Whether no index answers such a filter, so that all that match a part of it may be looked at. */
function looksAtMany(filter: OperationFilter): boolean {
	// Those of many devices are not in order.
	if (filter.deviceIds) return true;
	const { tenant: _, ...fields } = operationFilter('', filter);
	const names = Object.keys(fields);
	// All begin with the tenant and end with the order.
	return !spec.indexes.some(({ keys }) => keys.length === names.length + 2 && names.every((name) => keys.includes(name)));
}

function operationFilter(
	tenant: string,
	{ deviceId, deviceIds, agentId, status, fragmentType, dateFrom, dateTo }: OperationFilter,
): Filter {
	const created = { ...(dateFrom !== undefined && { $gte: dateFrom }), ...(dateTo !== undefined && { $lte: dateTo }) };
	return {
		tenant,
		...(deviceIds && { deviceId: { $in: deviceIds } }),
		...(deviceId !== undefined && { deviceId }),
		...(agentId !== undefined && { agentId }),
		...(status !== undefined && { status }),
		...(fragmentType !== undefined && { fragmentNames: fragmentType }),
		...(Object.keys(created).length > 0 && { creationTime: created }),
	};
}
