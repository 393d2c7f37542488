import type { ManagedObject, ManagedObjectId } from '../../../inventory/index.ts';
import {
	type Operation,
	type OperationStatus,
	type Operations,
	openOperations,
	type Receipt,
} from '../../../operations/index.ts';
import { type InventoryBench, openInventoryBench, tenant } from '../inventory/inventory-bench.ts';

export interface OperationsBench extends InventoryBench {
	readonly operations: Operations;
	/** What `fault` answers. */
	fault: (operation: Operation, device: ManagedObject) => string | undefined;
	/** A PENDING operation with that fragment, moved on to `status`. */
	operation(deviceId: ManagedObjectId, status?: OperationStatus, fragment?: string): Promise<Operation>;
}

export async function openOperationsBench(): Promise<OperationsBench> {
	const inventoryBench = await openInventoryBench();
	const { store, inventory, clock } = inventoryBench;
	const operations = await openOperations({
		store,
		inventory,
		clock,
		numbersAtATime: 100,
		limits: { operationMaxBytes: 2000, maxItems: 20 },
		fault: (operation, device) => bench.fault(operation, device),
	});
	const bench: OperationsBench = {
		...inventoryBench,
		operations,
		fault: () => undefined,
		async operation(deviceId, status = 'PENDING', fragment = 'c8y_Restart') {
			const { id } = await operations.create(tenant, { deviceId, fragments: { [fragment]: {} } });
			if (status === 'PENDING') return operations.get(tenant, id);
			return operations.update(tenant, id, { status });
		},
	};
	return bench;
}

let made = 0;

/** A report that nobody has sent before, or one by its key. */
export function receipt(key = `new${made++}`, redelivered = false, arrival = `arrival${made++}`, retried = false): Receipt {
	return { key, redelivered, arrival, retried };
}
