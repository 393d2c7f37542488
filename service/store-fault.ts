import { ContentStoreError, type ContentStoreFault, DuplicateKeyError, StoreError } from '../store/index.ts';

/** Whether the database could not do it now, and may do it later. */
export function isStoreFault(error: unknown): error is StoreError {
	return error instanceof StoreError && !(error instanceof DuplicateKeyError);
}

/** What is wrong where the bytes of binaries are kept; `undefined` for any other failure. */
export function contentFaultOf(error: unknown): ContentStoreFault | undefined {
	return error instanceof ContentStoreError ? error.fault : undefined;
}
