import {
	beingRemoved,
	binaryIdsIn,
	compactPackage,
	type Inventory,
	InventoryError,
	type ManagedObject,
	type ManagedObjectId,
	type SoftwarePackage,
} from '../inventory/index.ts';
import type { Sequence } from '../store/index.ts';
import { documentId, type Operation, parseOperationId } from './operation.ts';
import { OperationError } from './operation-error.ts';
import type { OperationHeads } from './operation-heads.ts';
import { checkOperation, type OperationLimits } from './operation-rules.ts';
import { isFinal } from './operation-status.ts';
import { announcedTexts, completeList, toSoftwareItem } from './software-items.ts';

export interface NewOperation {
	readonly deviceId: ManagedObjectId;
	readonly description?: string;
	readonly fragments: Readonly<Record<string, unknown>>;
	/** What of it an operator asked for, when that is not all: the device may download the binaries that are named there. */
	readonly asked?: unknown;
	/** Whether the device asks itself: then it may download nothing for that. */
	readonly isByDevice?: boolean;
}

const maxAttempts = 100;

/** Creates operations: as they are given, or as the device at hand supports what is wanted. */
export function openOperationCreation(options: {
	readonly inventory: Inventory;
	readonly heads: OperationHeads;
	readonly sequence: Sequence;
	readonly clock: () => number;
	readonly limits: OperationLimits;
	/** @throws OperationError for what the device cannot do, or be sent */
	readonly checkAgainst: (device: ManagedObject, operation: Operation) => void;
	/** The newest operation of a device with a fragment. */
	readonly findNewest: (tenant: string, deviceId: ManagedObjectId, fragment: string) => Promise<Operation | undefined>;
}) {
	const { inventory, heads, sequence, clock, limits, checkAgainst, findNewest } = options;

	/**
	 * Validates against the device and stores as PENDING.
	 * @throws OperationError `operation/invalid`, `operation/unsupported`, `operation/tooLarge`; InventoryError `inventory/notFound`, `inventory/conflict`
	 */
	async function create(
		tenant: string,
		{ deviceId, description, fragments, asked = fragments, isByDevice = false }: NewOperation,
	): Promise<Operation> {
		const device = await inventory.objects.get(tenant, deviceId);
		if (device.removing) throw beingRemoved(deviceId);
		const [{ agentId, newest }, externalIds] = await Promise.all([
			findHead(tenant, device),
			inventory.externalIds.list(tenant, deviceId),
		]);
		const now = clock();
		const numberless = {
			tenant,
			deviceId,
			agentId,
			...(device.name !== undefined && { deviceName: device.name }),
			externalIds: externalIds.map(({ type, externalId }) => ({ type, externalId })),
			status: 'PENDING',
			...(description !== undefined && { description }),
			creationTime: now,
			lastUpdated: now,
			fragments,
			fragmentNames: Object.keys(fragments),
			binaryIds: isByDevice ? [] : binaryIdsIn(asked),
			revision: 1,
			delivery: { status: 'PENDING', time: now },
		} as const;
		for (let attempt = 0, before = newest; attempt < maxAttempts; attempt++) {
			const seq = await sequence.next();
			const id = parseOperationId(String(seq));
			const operation: Operation = { _id: documentId(tenant, id), ...numberless, id, seq };
			if (attempt === 0) checkAgainst(device, operation);
			if (await heads.append(device, operation, before)) return operation;
			before = await heads.newest(tenant, agentId);
		}
		throw new InventoryError(
			'inventory/conflict',
			`Others create operations for device '${deviceId}' again and again: try once more`,
		);
	}

	/** Which agent takes the operations of a device, and the number of the newest one that it has, 0 for none. */
	async function findHead(tenant: string, device: ManagedObject) {
		const agent = await inventory.objects.findAgent(tenant, device);
		const agentId = agent?.id ?? device.id;
		return { agentId, newest: await heads.newest(tenant, agentId) };
	}

	/**
	 * Creates what the device supports for these changes: a `c8y_SoftwareUpdate`, or the complete `c8y_SoftwareList`.
	 * @throws OperationError `operation/unsupported`, and all of `create`
	 */
	async function createSoftwareChange(
		tenant: string,
		deviceId: ManagedObjectId,
		changes: readonly Readonly<Record<string, unknown>>[],
		{ description, isByDevice = false }: { readonly description?: string; readonly isByDevice?: boolean } = {},
	): Promise<Operation> {
		const device = await inventory.objects.get(tenant, deviceId);
		const supported = announcedTexts(device, 'c8y_SupportedOperations') ?? [];
		const items = changes.map(toSoftwareItem);
		const text =
			description ??
			`Apply software changes: ${items.map(({ action, name, version }) => `${action} "${name}"${version && ` (version: ${version})`}`).join(', ')}`.slice(
				0,
				500,
			);
		if (supported.includes('c8y_SoftwareUpdate'))
			return create(tenant, { deviceId, description: text, fragments: { c8y_SoftwareUpdate: changes }, isByDevice });
		if (!supported.includes('c8y_SoftwareList')) {
			throw new OperationError(
				'operation/unsupported',
				`Device '${deviceId}' supports neither c8y_SoftwareUpdate nor c8y_SoftwareList: its software cannot be changed`,
			);
		}
		// The changes are checked as what they are before they disappear in the complete list.
		checkOperation(
			{ c8y_SoftwareUpdate: changes },
			{ ...device, fragments: { ...device.fragments, c8y_SupportedOperations: ['c8y_SoftwareUpdate'] } },
			limits,
		);
		const base = (await openList(tenant, deviceId)) ?? (await inventory.software.listAll(tenant, deviceId));
		const wanted = completeList(base, items);
		const list = wanted.map(({ name, version, softwareType, url }) => ({
			name,
			version,
			url: url ?? '',
			...(softwareType && { softwareType }),
		}));
		// The rest of the list has its addresses from the device.
		return create(tenant, { deviceId, description: text, fragments: { c8y_SoftwareList: list }, asked: changes, isByDevice });
	}

	/** What the device will have after the complete list that it was last asked for; a further one must not undo it. */
	async function openList(tenant: string, deviceId: ManagedObjectId): Promise<SoftwarePackage[] | undefined> {
		const last = await findNewest(tenant, deviceId, 'c8y_SoftwareList');
		const items = last && !isFinal(last.status) ? last.fragments.c8y_SoftwareList : undefined;
		if (!Array.isArray(items)) return undefined;
		return items
			.map((item) => toSoftwareItem(item))
			.map(({ name, version, softwareType, url }) => compactPackage(name, version, softwareType, url));
	}

	return { create, createSoftwareChange };
}
