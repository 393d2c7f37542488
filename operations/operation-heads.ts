import { type ManagedObject, type ManagedObjectId, noSuchObject, requireKeptObjectStep } from '../inventory/index.ts';
import type { Collection, CollectionSpec, DocumentStore, Step, StoredDocument } from '../store/index.ts';
import type { Operation } from './operation.ts';

interface OperationHead extends StoredDocument {
	readonly lastSeq: number;
}

export const headSpec: CollectionSpec<OperationHead> = { name: 'operationHeads', indexes: [] };

export type OperationHeads = Awaited<ReturnType<typeof openOperationHeads>>;

/**
 * The newest operation of each agent, whichever process created it: devices get operations, and take them, in the order of their
 * numbers, so none may appear behind one that is there already.
 */
export async function openOperationHeads({
	store,
	operations,
}: {
	readonly store: DocumentStore;
	readonly operations: Collection<Operation>;
}) {
	const heads: Collection<OperationHead> = await store.collection(headSpec);

	/**
	 * Stores a new operation as the newest one of its agent. False when a newer one is there: then it needs another number.
	 * @throws InventoryError `inventory/notFound`
	 */
	async function append(device: ManagedObject, operation: Operation): Promise<boolean> {
		const { tenant, agentId, seq } = operation;
		const id = headId(tenant, agentId);
		const next: Step = {
			kind: 'update',
			collection: heads.name,
			id,
			where: { lastSeq: { $lt: seq } },
			update: { $set: { lastSeq: seq } },
		};
		const outcome = await store.batch(appendSteps(device, next, operation));
		if (outcome.ok) return true;
		if (outcome.failed === 0) throw noSuchObject(device.id);
		if (await heads.get(id)) return false;
		const document: OperationHead = { _id: id, lastSeq: seq };
		const first: Step = { kind: 'insert', collection: heads.name, document };
		const made = await store.batch(appendSteps(device, first, operation));
		if (!made.ok && made.failed === 0) throw noSuchObject(device.id);
		return made.ok;
	}

	// Together with the proof that the device stays: what waits for a device that is gone would wait for ever.
	function appendSteps(device: ManagedObject, head: Step, operation: Operation): Step[] {
		return [
			requireKeptObjectStep(device.tenant, device.id),
			head,
			{ kind: 'insert', collection: operations.name, document: operation },
		];
	}

	/** The number of the newest operation of an agent, 0 when there is none. */
	async function newest(tenant: string, agentId: ManagedObjectId): Promise<number> {
		return (await heads.get(headId(tenant, agentId)))?.lastSeq ?? 0;
	}

	/** The agent is no more. */
	async function remove(tenant: string, agentId: ManagedObjectId): Promise<void> {
		await store.batch([{ kind: 'remove', collection: heads.name, id: headId(tenant, agentId) }]);
	}

	return { append, newest, remove };
}

function headId(tenant: string, agentId: ManagedObjectId): string {
	return `${tenant}/${agentId}`;
}
