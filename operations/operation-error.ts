export type OperationErrorCode =
	| 'operation/notFound'
	| 'operation/invalid'
	| 'operation/unsupported'
	| 'operation/transition'
	| 'operation/tooLarge';

/** A refused call about operations. `message` says what was wrong, where, and what would be right; it may be shown to the caller. */
export class OperationError extends Error {
	override readonly name = 'OperationError';
	readonly code: OperationErrorCode;

	constructor(code: OperationErrorCode, message: string) {
		super(message);
		this.code = code;
	}
}
