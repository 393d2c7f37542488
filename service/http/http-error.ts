export type HttpErrorCode =
	| 'http/badRequest'
	| 'http/malformedJson'
	| 'http/missingBody'
	| 'http/unauthorized'
	| 'http/forbidden'
	| 'http/notFound'
	| 'http/methodNotAllowed'
	| 'http/bodyTooLarge'
	| 'http/urlTooLong'
	| 'http/headersTooLarge'
	| 'http/requestTimeout'
	| 'http/unsupportedMediaType'
	| 'http/invalidBody'
	| 'http/malformedMultipart'
	| 'http/preconditionFailed'
	| 'http/rangeNotSatisfiable'
	| 'http/throttled'
	| 'http/unavailable'
	| 'http/internal';

/** A request that is refused before the domain sees it. `message` is shown to the caller. */
export class HttpError extends Error {
	override readonly name = 'HttpError';
	readonly code: HttpErrorCode;
	readonly headers: Readonly<Record<string, string>>;
	readonly details: Readonly<Record<string, unknown>> | undefined;

	constructor(
		code: HttpErrorCode,
		message: string,
		extra: { readonly headers?: Readonly<Record<string, string>>; readonly details?: Readonly<Record<string, unknown>> } = {},
	) {
		super(message);
		this.code = code;
		this.headers = extra.headers ?? {};
		this.details = extra.details;
	}
}
