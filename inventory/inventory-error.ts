export type InventoryErrorCode =
	| 'inventory/notFound'
	| 'inventory/invalid'
	| 'inventory/conflict'
	| 'inventory/tooLarge'
	| 'inventory/quotaExceeded'
	| 'binary/tooLarge'
	| 'binary/quotaExceeded'
	| 'inventory/cycle'
	| 'inventory/badQuery'
	| 'inventory/scanLimit'
	| 'identity/notFound'
	| 'identity/duplicate';

/** A refused inventory call. `message` says what was wrong, where, and what would be right; it may be shown to the caller. */
export class InventoryError extends Error {
	override readonly name: string = 'InventoryError';
	readonly code: InventoryErrorCode;
	/** The same for programs. */
	readonly details: Readonly<Record<string, unknown>> | undefined;

	constructor(code: InventoryErrorCode, message: string, details?: Readonly<Record<string, unknown>>) {
		super(message);
		this.code = code;
		this.details = details;
	}
}

export function beingRemoved(id: string): InventoryError {
	return new InventoryError('inventory/conflict', `Managed object '${id}' is being removed`);
}

export function noSuchObject(id: string): InventoryError {
	return new InventoryError('inventory/notFound', `No managed object for id '${id}'`);
}
