import { DuplicateKeyError, StoreError } from '../store/index.ts';

/** Whether the database could not do it now, and may do it later. */
export function isStoreFault(error: unknown): error is StoreError {
	return error instanceof StoreError && !(error instanceof DuplicateKeyError);
}
