import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
/** Collects all garbage, which some figures know of only afterwards. */
export const collectGarbage: () => void = runInNewContext('gc');

/** Bytes that this process keeps, without garbage, of which a process that has run other tests has much. */
export function keptMemory(): number {
	collectGarbage();
	const { heapUsed, external } = process.memoryUsage();
	return heapUsed + external;
}
