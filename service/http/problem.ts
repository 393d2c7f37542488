import { randomUUID } from 'node:crypto';
import { AccessError, type AccessErrorCode } from '../../access/index.ts';
import { EventError, type EventErrorCode } from '../../events/index.ts';
import { InventoryError, type InventoryErrorCode } from '../../inventory/index.ts';
import { OperationError, type OperationErrorCode } from '../../operations/index.ts';
import { contentFaultOf, isDocumentRefused, isStoreFault } from '../store-fault.ts';
import { HttpError, type HttpErrorCode } from './http-error.ts';
import type { Status } from './reply.ts';

export type ProblemCode =
	| InventoryErrorCode
	| OperationErrorCode
	| EventErrorCode
	| AccessErrorCode
	| HttpErrorCode
	| 'binary/storeFull';

/** Where to read more about a refusal. */
export const docsPath = '/service/advanced-software-mgmt/docs';

/** THE table of refusals: code → status of the answer and what it means. */
export const problems: Readonly<Record<ProblemCode, { readonly status: Status; readonly title: string }>> = {
	'inventory/notFound': { status: 404, title: 'No managed object has this id' },
	'inventory/invalid': { status: 422, title: 'A managed object, a package or an external id is not as it must be' },
	'inventory/conflict': { status: 409, title: 'Others changed the managed object at the same time' },
	'inventory/cycle': { status: 409, title: 'An object would be below itself' },
	'inventory/badQuery': { status: 422, title: 'The query cannot be read; details say where, and what would be right' },
	'inventory/scanLimit': { status: 422, title: 'No index answers the query, and too many objects would have to be looked at' },
	'inventory/tooLarge': { status: 422, title: 'A managed object or a software list would exceed its limit' },
	'inventory/quotaExceeded': { status: 422, title: 'The tenant would have more devices or packages than it may have' },
	'binary/tooLarge': { status: 413, title: 'The file exceeds its limit' },
	'binary/quotaExceeded': { status: 413, title: 'The binaries of the tenant would exceed their limit' },
	'binary/storeFull': { status: 507, title: 'There is no room left to keep the file' },
	'identity/notFound': { status: 404, title: 'No managed object has this external id' },
	'identity/duplicate': { status: 409, title: 'The external id is taken' },
	'operation/notFound': { status: 404, title: 'No operation has this id' },
	'operation/invalid': { status: 422, title: 'A fragment of the operation is not as it must be' },
	'operation/unsupported': { status: 422, title: 'The device does not support what the operation asks for' },
	'operation/transition': { status: 422, title: 'The status of the operation cannot change like that' },
	'operation/tooLarge': { status: 422, title: 'The operation exceeds its limit or does not fit one message to its device' },
	'event/notFound': { status: 404, title: 'No event has this id, or it has no file' },
	'event/invalid': { status: 422, title: 'An event is not as it must be' },
	'event/tooLarge': { status: 422, title: 'The event exceeds its limit' },
	'event/conflict': { status: 409, title: 'The event has a file already' },
	'access/invalid': { status: 422, title: 'A tenant, user, group, option, registration or certificate is not as it must be' },
	'access/notFound': { status: 404, title: 'There is no such tenant, user, group, option or registration' },
	'access/conflict': { status: 409, title: 'What would be created exists, or the change would lock everybody out' },
	'access/forbidden': { status: 403, title: 'Nobody gives, or touches, more than they have' },
	'access/notYet': { status: 422, title: 'The device has not asked for its credentials yet' },
	'access/weakPassword': { status: 422, title: 'The new password is too easy to guess' },
	'access/noCertificate': {
		status: 404,
		title: 'The tenant trusts, or has signed, no such certificate, or it has no revocation list',
	},
	'access/notProven': { status: 422, title: 'It is not proven that the tenant has the private key' },
	'access/noSecret': { status: 422, title: 'CERTIFICATE_AUTHORITY_SECRET is not set, or is another one than before' },
	'access/wrongOneTimePassword': { status: 401, title: 'No registration has this id and one-time password' },
	'access/throttled': { status: 429, title: 'Too many wrong one-time passwords: wait' },
	'http/badRequest': { status: 400, title: 'A parameter is missing or not as it must be' },
	'http/malformedJson': { status: 400, title: 'The body is not JSON' },
	'http/missingBody': { status: 400, title: 'The request needs a body' },
	'http/unauthorized': { status: 401, title: 'Credentials are missing or wrong' },
	'http/forbidden': { status: 403, title: 'These credentials do not allow this' },
	'http/notFound': { status: 404, title: 'There is nothing at this path' },
	'http/requestTimeout': { status: 408, title: 'The request did not arrive in time' },
	'http/methodNotAllowed': { status: 405, title: 'The path exists, but not with this method' },
	'http/bodyTooLarge': { status: 413, title: 'The body exceeds its limit' },
	'http/urlTooLong': { status: 414, title: 'The URL exceeds its limit' },
	'http/headersTooLarge': { status: 431, title: 'There are too many headers, or they are too large together' },
	'http/unsupportedMediaType': { status: 415, title: 'The body is of a type or encoding that is not read' },
	'http/invalidBody': { status: 422, title: 'A field of the body is missing or not as it must be' },
	'http/malformedMultipart': {
		status: 400,
		title: 'The body is not the multipart form that its header says, or did not arrive whole',
	},
	'http/preconditionFailed': { status: 412, title: 'What the request relies on is not so (If-Match, If-Unmodified-Since)' },
	'http/rangeNotSatisfiable': { status: 416, title: 'The range begins behind the last byte' },
	'http/throttled': { status: 429, title: 'Too many requests a second, wrong passwords, or searches at a time: wait' },
	'http/unavailable': { status: 503, title: 'The service cannot do this now: try again' },
	'http/internal': { status: 500, title: 'A fault of the service; details.errorId names its log line' },
};

/** The status of a refusal on a route; some clients take 400 for success on some routes, which then answer 422. */
export function statusOf(code: ProblemCode, route?: { readonly never400?: boolean }): Status {
	const { status } = problems[code];
	return status === 400 && route?.never400 ? 422 : status;
}

/** A failure as the caller sees it. */
export interface Problem {
	readonly code: ProblemCode;
	readonly message: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly details?: Readonly<Record<string, unknown>>;
	/** Set where the failure is a fault of the service, and belongs in the log under this id. */
	readonly errorId?: string;
}

export const retryAfterSeconds = '5';

/** What the caller is told about a failure: all of a refusal, nothing of a fault. */
export function toProblem(error: unknown): Problem {
	if (error instanceof HttpError) {
		const { code, message, headers, details } = error;
		return { code, message, headers, ...(details && { details }) };
	}
	if (error instanceof InventoryError) {
		const { code, message, details } = error;
		return { code, message, headers: {}, ...(details && { details }) };
	}
	if (error instanceof OperationError || error instanceof EventError || error instanceof AccessError) {
		return { code: error.code, message: error.message, headers: {} };
	}
	if (isDocumentRefused(error)) return { code: 'inventory/invalid', message: error.message, headers: {} };
	const errorId = randomUUID();
	const details = { errorId };
	if (isStoreFault(error)) {
		const message = 'The database cannot do this now: try again in a few seconds';
		return { code: 'http/unavailable', message, headers: { 'Retry-After': retryAfterSeconds }, details, errorId };
	}
	const fault = contentFaultOf(error);
	if (fault) {
		const { code, message } = contentFaults[fault];
		return { code, message, headers: { 'Retry-After': retryAfterSeconds }, details, errorId };
	}
	const message = `The service failed; its log tells more about error ${errorId}`;
	return { code: 'http/internal', message, headers: {}, details, errorId };
}

const contentFaults: Readonly<
	Record<NonNullable<ReturnType<typeof contentFaultOf>>, { readonly code: ProblemCode; readonly message: string }>
> = {
	full: { code: 'binary/storeFull', message: 'There is no room left to keep the file: ask whoever runs the service' },
	missing: { code: 'http/unavailable', message: 'The bytes of this binary cannot be found: ask whoever runs the service' },
	unavailable: { code: 'http/unavailable', message: 'What keeps the files cannot do this now: try again in a few seconds' },
};
