import {
	ContentStoreError,
	type ContentStoreFault,
	DocumentRefusedError,
	DuplicateKeyError,
	StoreError,
} from '../store/index.ts';

/** Whether the database could not do it now, and may do it later. */
export function isStoreFault(error: unknown): error is StoreError {
	return error instanceof StoreError && !(error instanceof DuplicateKeyError) && !isDocumentRefused(error);
}

/** For what has to wait until the database can be reached again. */
export function storeFault(message: string): Error {
	return new StoreError(message);
}

/** Whether the database will never do it, because of what the document holds. */
export function isDocumentRefused(error: unknown): error is DocumentRefusedError {
	return error instanceof DocumentRefusedError;
}

/** What is wrong where the bytes of binaries are kept; `undefined` for any other failure. */
export function contentFaultOf(error: unknown): ContentStoreFault | undefined {
	return error instanceof ContentStoreError ? error.fault : undefined;
}
