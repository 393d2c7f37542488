import type { ErrorName } from '../../smartrest/index.ts';

/** A line that was understood but refused; it is answered on `s/e` and spoils nothing beside it. */
export class LineError extends Error {
	override readonly name = 'LineError';
	readonly error: ErrorName;

	constructor(error: ErrorName, message: string) {
		super(message);
		this.error = error;
	}
}
