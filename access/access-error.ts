export type AccessErrorCode =
	| 'access/invalid'
	| 'access/notFound'
	| 'access/conflict'
	| 'access/notYet'
	| 'access/forbidden'
	| 'access/weakPassword'
	| 'access/noCertificate'
	| 'access/notProven'
	| 'access/noSecret'
	| 'access/wrongOneTimePassword'
	| 'access/throttled';

/** A refused call about users and registrations. `message` may be shown to the caller. */
export class AccessError extends Error {
	override readonly name = 'AccessError';
	readonly code: AccessErrorCode;

	constructor(code: AccessErrorCode, message: string) {
		super(message);
		this.code = code;
	}
}
