import { InventoryError } from '../../inventory/index.ts';
import { OperationError } from '../../operations/index.ts';
import type { ErrorName } from '../../smartrest/index.ts';
import { isDocumentRefused } from '../store-fault.ts';

/** A line that was understood but refused; it is answered on `s/e` and spoils nothing beside it. */
export class LineError extends Error {
	override readonly name = 'LineError';
	readonly error: ErrorName;

	constructor(error: ErrorName, message: string) {
		super(message);
		this.error = error;
	}
}

/** What the device is told of a failure; `undefined` where the line is not to blame: then the device has to send it again. */
export function toRefusal(error: unknown): { readonly error: ErrorName; readonly message: string } | undefined {
	if (error instanceof LineError) return error;
	const isRefusal =
		error instanceof OperationError ||
		isDocumentRefused(error) ||
		(error instanceof InventoryError && error.code !== 'inventory/conflict');
	return isRefusal ? { error: 'refused', message: error.message } : undefined;
}
