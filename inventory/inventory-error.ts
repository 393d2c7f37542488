export type InventoryErrorCode =
	| 'inventory/notFound'
	| 'inventory/invalid'
	| 'inventory/conflict'
	| 'inventory/tooLarge'
	| 'binary/tooLarge'
	| 'binary/quotaExceeded'
	| 'identity/notFound'
	| 'identity/duplicate';

/** A refused inventory call. `message` says what was wrong, where, and what would be right; it may be shown to the caller. */
export class InventoryError extends Error {
	override readonly name = 'InventoryError';
	readonly code: InventoryErrorCode;

	constructor(code: InventoryErrorCode, message: string) {
		super(message);
		this.code = code;
	}
}
