import { type ManagedObject, type ManagedObjectId, noSuchObject, requireKeptObjectStep } from '../inventory/index.ts';
import type { Collection, CollectionSpec, DocumentStore, StoredDocument } from '../store/index.ts';
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
	 * Stores a new operation as the newest one of its agent. `before` is the number of the one that was. False when there is another
	 * by now: then it needs another number.
	 * @throws InventoryError `inventory/notFound`
	 */
	async function append(device: ManagedObject, operation: Operation, before: number): Promise<boolean> {
		const { tenant, agentId, seq } = operation;
		const id = headId(tenant, agentId);
		const first: OperationHead = { _id: id, lastSeq: seq };
		const [where, update] = [{ lastSeq: { $lt: seq } }, { $set: { lastSeq: seq } }];
		const collection = heads.name;
		const outcome = await store.batch([
			// The proof that the device stays: what waits for a device that is gone would wait for ever.
			requireKeptObjectStep(tenant, device.id),
			before === 0 ? { kind: 'insert', collection, document: first } : { kind: 'update', collection, id, where, update },
			{ kind: 'insert', collection: operations.name, document: operation },
		]);
		if (!outcome.ok && outcome.failed === 0) throw noSuchObject(device.id);
		return outcome.ok;
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
