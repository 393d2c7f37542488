import { StoreError } from './document-store.ts';

/** Batches that wait to be written: at most so many, and at most so many bytes of them. */
export function createWaitingBatches(maxBatches: number, maxBytes: number) {
	let batches = 0;
	let bytes = 0;

	/** @throws StoreError when one more would be too many */
	function checkCount(): void {
		if (batches >= maxBatches) throw new StoreError(`the store is busy: ${batches} batches are waiting`);
	}

	/** One of this size begins to wait. @throws StoreError when that would be too much; one alone is taken, whatever its size */
	function enter(size: number): void {
		checkCount();
		if (batches > 0 && bytes + size > maxBytes) throw new StoreError(`the store is busy: batches of ${bytes} bytes are waiting`);
		batches++;
		bytes += size;
	}

	function leave(count: number, size: number): void {
		batches -= count;
		bytes -= size;
	}

	return { checkCount, enter, leave, count: () => batches };
}
