import type { ManagedObjectId } from '../inventory/index.ts';
import type { Collection, DocumentStore, Filter, Step } from '../store/index.ts';
import { documentId, type Operation, type OperationId, type ReportMark } from './operation.ts';
import { OperationError } from './operation-error.ts';
import { nextStatus } from './operation-status.ts';

/** Names one line of one publish, so that what it reports is done once. */
export interface Receipt {
	/** The same when the device sends the publish again; after a while another publish has it. */
	readonly key: string;
	/** Whether the device says that it sends it again. */
	readonly redelivered: boolean;
	/** Of this arrival of the publish alone, for ever. */
	readonly arrival: string;
	/** Whether this arrival was tried before: the store may have done it and not have answered. */
	readonly retried: boolean;
}

/** The failure reason of an operation whose device gave none. */
export const unknownReason = 'The device gave no reason';

export interface Ending {
	readonly status: 'SUCCESSFUL' | 'FAILED';
	readonly failureReason?: string;
	/** Parameters of 503 and 506. */
	readonly results?: readonly string[];
}

// How long a publish that arrives again is known: longer than a device usually takes to come back and send it again, and short,
// because a device that was restarted begins anew with its packet ids. One that is taken for known wrongly leaves its operation
// PENDING, and it is sent again when the device subscribes next.
const receiptMilliseconds = 3600 * 1000;

/** What devices report about their operations. Reports without an id take the oldest operation in the state before. [SR-501] … [SR-507] */
export function openReports({
	store,
	operations,
	clock,
}: {
	readonly store: DocumentStore;
	readonly operations: Collection<Operation>;
	readonly clock: () => number;
}) {
	/** 501: the oldest PENDING operation with that fragment is EXECUTING. `undefined` when there is none. */
	async function startOldest(
		tenant: string,
		deviceId: ManagedObjectId,
		fragment: string,
		receipt: Receipt,
	): Promise<Operation | undefined> {
		if (await isKnown(tenant, deviceId, 'startedBy', receipt)) return undefined;
		return operations.findOneAndUpdate(
			{ tenant, deviceId, status: 'PENDING', fragmentNames: fragment },
			{ $set: { status: 'EXECUTING', startedBy: toMark(receipt), lastUpdated: clock() } },
			{ sort: [['seq', 1]] },
		);
	}

	/** 502, 503: the oldest EXECUTING operation with that fragment ends. `undefined` when there is none, and nothing changes. */
	async function endOldest(
		tenant: string,
		deviceId: ManagedObjectId,
		fragment: string,
		ending: Ending,
		receipt: Receipt,
	): Promise<Operation | undefined> {
		if (await isKnown(tenant, deviceId, 'endedBy', receipt)) return undefined;
		const filter = { tenant, deviceId, status: 'EXECUTING', fragmentNames: fragment };
		return operations.findOneAndUpdate(
			filter,
			{ $set: { ...endFields(ending, fragment), endedBy: toMark(receipt) } },
			{ sort: [['seq', 1]] },
		);
	}

	/**
	 * 504, 505, 506: the operation with that id, which must be of this device. A repeated or late report changes nothing.
	 * @throws OperationError `operation/notFound`, `operation/transition`
	 */
	async function report(
		tenant: string,
		deviceId: ManagedObjectId,
		id: OperationId,
		ending: Ending | { readonly status: 'EXECUTING' },
	): Promise<Operation> {
		for (;;) {
			const operation = await operations.get(documentId(tenant, id));
			if (!operation || (operation.deviceId !== deviceId && operation.agentId !== deviceId)) {
				throw new OperationError('operation/notFound', `No operation '${id}' of this device`);
			}
			const outcome = nextStatus(operation.status, ending.status);
			if (outcome === 'unchanged') return operation;
			if (outcome === 'refused')
				throw new OperationError(
					'operation/transition',
					`Operation '${id}' is ${operation.status} and cannot become ${ending.status}`,
				);
			const fields =
				ending.status === 'EXECUTING'
					? { status: ending.status, lastUpdated: clock() }
					: endFields(ending, operation.fragmentNames.includes('c8y_Command') ? 'c8y_Command' : '');
			const changed = await operations.findOneAndUpdate({ _id: operation._id, status: operation.status }, { $set: fields });
			if (changed) return changed;
		}
	}

	/** 507: all EXECUTING operations with that fragment, or all, have FAILED, in one write. Returns how many. */
	async function failExecuting(
		tenant: string,
		deviceId: ManagedObjectId,
		fragment: string,
		failureReason: string,
		receipt: Receipt,
	): Promise<number> {
		if (await isKnown(tenant, deviceId, 'endedBy', receipt)) return 0;
		const filter: Filter = { tenant, deviceId, status: 'EXECUTING', ...(fragment && { fragmentNames: fragment }) };
		const update = { $set: { ...endFields({ status: 'FAILED', failureReason }, ''), endedBy: toMark(receipt) } };
		for (;;) {
			const executing = await operations.find({ filter, sort: [['seq', 1]] });
			const steps = executing.map(
				({ _id }): Step => ({ kind: 'update', collection: operations.name, id: _id, where: { status: 'EXECUTING' }, update }),
			);
			// All of them or none: a part would make the publish, sent again, look as if it had been handled.
			if (steps.length === 0 || (await store.batch(steps)).ok) return steps.length;
		}
	}

	function endFields({ status, failureReason, results }: Ending, fragment: string): Record<string, unknown> {
		return {
			status,
			lastUpdated: clock(),
			...(status === 'FAILED' && { failureReason: failureReason || unknownReason }),
			...(fragment === 'c8y_Command' && results && results.length > 0 && { 'fragments.c8y_Command.result': results.join(',') }),
		};
	}

	/** Whether the publish was handled before. Only one that may have been is looked for, so the usual report pays nothing. */
	async function isKnown(
		tenant: string,
		deviceId: ManagedObjectId,
		field: 'startedBy' | 'endedBy',
		receipt: Receipt,
	): Promise<boolean> {
		const { key, redelivered, arrival, retried } = receipt;
		const marks: Filter[] = [];
		if (redelivered) marks.push({ [`${field}.key`]: key, lastUpdated: { $gt: clock() - receiptMilliseconds } });
		if (retried) marks.push({ [`${field}.arrival`]: arrival });
		if (marks.length === 0) return false;
		const found = await operations.find({ filter: { tenant, deviceId, $or: marks }, sort: [['seq', -1]], limit: 1 });
		return found.length > 0;
	}

	return { startOldest, endOldest, report, failExecuting, isKnown };
}

/** What is kept of a receipt. */
export function toMark({ key, arrival }: Receipt): ReportMark {
	return { key, arrival };
}
