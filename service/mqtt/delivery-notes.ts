import type { Logger } from 'pino';
import type { Operation, Operations } from '../../operations/index.ts';

const pauseMilliseconds = 20;

/** Notes in the store which operations their devices have, a little later and together: each would stand before the next operation. */
export function createDeliveryNotes({ operations, log }: { readonly operations: Operations; readonly log: Logger }) {
	const delivered = new Map<string, Operation>();
	let flush: NodeJS.Timeout | undefined;

	function add(operation: Operation): void {
		delivered.set(operation._id, operation);
		retry();
	}

	/** Tries again what could not be written. */
	function retry(): void {
		if (delivered.size > 0) flush ??= setTimeout(store, pauseMilliseconds);
	}

	/** Writes what is known. */
	function store(): void {
		clearTimeout(flush);
		flush = undefined;
		const noted = [...delivered.values()];
		delivered.clear();
		for (const operation of noted) {
			const { tenant, id } = operation;
			operations.setDelivered(tenant, id).catch((error: unknown) => {
				log.warn({ err: error, tenant, operation: id }, 'delivery of an operation could not be noted yet');
				// Written with the next ones, or by the next sweep.
				delivered.set(operation._id, operation);
			});
		}
	}

	return { add, retry, store };
}
