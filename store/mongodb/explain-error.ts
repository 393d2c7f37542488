import {
	MongoBulkWriteError,
	MongoError,
	MongoNetworkError,
	MongoServerError,
	MongoServerSelectionError,
	type WriteError,
} from 'mongodb';
import { DocumentRefusedError, StoreError } from '../document-store.ts';

/** What an operator is told of the connection. */
export interface Endpoint {
	/** Hosts and database, without credentials. */
	readonly name: string;
	readonly serverSelectionTimeoutMilliseconds: number;
	readonly socketTimeoutMilliseconds: number;
}

const duplicateKey = 11_000;

/** What the server says by its code, in words. */
const explanations: ReadonlyMap<number, string> = new Map([
	[13, 'the user of the URL may not do this; it needs the role readWrite on the database'],
	[18, 'the database refused the user or the password of the URL'],
	[20, 'transactions need a replica set'],
	[14_031, 'the disk of the database is full'],
	[251, 'the database has ended the transaction; transactionLifetimeLimitSeconds may be too short for it'],
]);

/** What the server says of one document, by its code: it would say so each time. */
const refusals: ReadonlyMap<number, string> = new Map([
	[14, 'a field that should be counted up holds no number'],
	[15, 'the document is nested deeper than MongoDB can hold'],
	[28, 'a field that should be changed is inside of something that is no object'],
	[10_334, 'the document is larger than the 16 MiB that MongoDB can hold'],
	[17_419, 'the document would be larger than the 16 MiB that MongoDB can hold'],
	[17_420, 'the document would be larger than the 16 MiB that MongoDB can hold'],
]);

/** Any error as the port promises it; what is no fault of the database stays as it is. */
export function toStoreError(error: unknown, endpoint: Endpoint): Error {
	if (error instanceof StoreError || !(error instanceof MongoError)) {
		if (error instanceof StoreError || error instanceof TypeError) return error;
		return new StoreError(`the database driver failed: ${messageOf(error)}`, { cause: withoutCredentials(error) });
	}
	const refusal = typeof error.code === 'number' ? refusals.get(error.code) : undefined;
	const cause = withoutCredentials(error);
	return refusal === undefined
		? new StoreError(explain(error, endpoint), { cause })
		: new DocumentRefusedError(refusal, { cause });
}

function explain(error: MongoError, { name, ...endpoint }: Endpoint): string {
	const message = messageOf(error);
	if (error instanceof MongoServerSelectionError) {
		const waited = endpoint.serverSelectionTimeoutMilliseconds;
		return `the database did not answer within ${waited} ms (${name}): ${message}`;
	}
	if (isOutOfConnections(error)) {
		const waited = endpoint.serverSelectionTimeoutMilliseconds;
		return `the database did not answer within ${waited} ms, or all connections to it are in use (${name}): ${message}`;
	}
	if (error instanceof MongoNetworkError) {
		const reason = /timed out/.test(message) ? `within ${endpoint.socketTimeoutMilliseconds} ms ` : '';
		return `the database did not answer ${reason}(${name}): ${message}`;
	}
	const words = typeof error.code === 'number' ? explanations.get(error.code) : undefined;
	return words === undefined ? `the database refused (${name}): ${message}` : `${words} (${name}): ${message}`;
}

/** Text of the driver may quote the URL. */
export function messageOf(error: unknown): string {
	return withoutUserInfo(error instanceof Error ? error.message : String(error));
}

function withoutUserInfo(text: string): string {
	return text.replace(/\/\/[^/\s]*@/g, '//[redacted]@');
}

function withoutCredentials(error: unknown): unknown {
	return error instanceof Error && withoutUserInfo(error.message) !== error.message ? undefined : error;
}

export function isDuplicate(error: unknown): boolean {
	return error instanceof MongoServerError && error.code === duplicateKey;
}

/** A bulk write wraps what hindered it; what the server said of single writes stays where it is. */
export function unwrapBulkError(error: unknown): unknown {
	if (!(error instanceof MongoBulkWriteError)) return error;
	const inner: unknown = error.errorResponse;
	return inner instanceof Error ? inner : error;
}

/** The position of the first write that was refused, where it was a single one. */
export function firstWriteError(error: unknown): WriteError | undefined {
	if (!(error instanceof MongoBulkWriteError)) return undefined;
	return writeErrorsOf(error)[0];
}

export function writeErrorsOf({ writeErrors }: MongoBulkWriteError): readonly WriteError[] {
	return [writeErrors].flat();
}

/** What the server said of a single write, without the document: as if it had been sent alone. */
export function toServerError({ code, errmsg }: WriteError): MongoServerError {
	return new MongoServerError({ code, message: errmsg ?? 'the write was refused' });
}

/** Why what a bulk write has written is not durable; `undefined` where it is. */
export function toLostWrites(error: unknown): MongoServerError | undefined {
	const lost = error instanceof MongoBulkWriteError ? error.result.getWriteConcernError() : undefined;
	return lost && new MongoServerError({ code: lost.code ?? 0, message: lost.errmsg ?? 'a majority did not store it' });
}

export function isDuplicateWrite({ code }: WriteError): boolean {
	return code === duplicateKey;
}

/** Two upserts of one id at a time: the one that lost finds the document when it tries again. */
export function isLostUpsert(kind: string, error: WriteError): boolean {
	return kind === 'put' && isDuplicateWrite(error) && /index: _id_ /.test(error.errmsg ?? '');
}

/** Nothing was applied: others may have gone on from what this process does. */
export class SilenceError extends StoreError {
	constructor() {
		super('this process was silent for too long: others may have ended its transactions, and gone on from there');
	}
}

/** Nothing was applied, and the same may succeed now. */
export class TryAgain extends Error {}

/** Whether the whole transaction may be tried again: nothing of it was applied. */
export function isTransient(error: unknown): boolean {
	return error instanceof TryAgain || (error instanceof MongoError && error.hasErrorLabel('TransientTransactionError'));
}

/** Whether a commit may have been applied or not; asking for it again tells. */
export function isUnknownCommit(error: unknown): boolean {
	return error instanceof MongoError && error.hasErrorLabel('UnknownTransactionCommitResult');
}

/** Whether the database could not be reached, which is no fault of any batch. */
export function isUnreachable(error: unknown): boolean {
	return error instanceof MongoServerSelectionError || error instanceof MongoNetworkError || isOutOfConnections(error);
}

// The driver does not export its class.
function isOutOfConnections(error: unknown): boolean {
	return error instanceof MongoError && error.name === 'MongoWaitQueueTimeoutError';
}
