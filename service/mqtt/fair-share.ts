/** So long one device's messages may be worked on before others come in between. */
const shareMilliseconds = 20;

/**
 * Work that waits for nothing holds the event loop, and everybody with it. `over` is asked between two pieces of it:
 * when the share is used up, it gives what to wait for.
 */
export function beginShare(elapsed: () => number): { over(): Promise<void> | undefined } {
	let began = elapsed();
	return {
		over() {
			if (elapsed() - began < shareMilliseconds) return undefined;
			return new Promise((resolve) => {
				setImmediate(() => {
					began = elapsed();
					resolve();
				});
			});
		},
	};
}
