/** So long one device's messages may be worked on before others come in between. */
const shareMilliseconds = 20;

/** Work that waits for nothing holds the event loop, and everybody with it: between two pieces of it, it asks whether to pause. */
export function beginShare(elapsed: () => number) {
	let began = elapsed();
	return {
		isOver: (): boolean => elapsed() - began >= shareMilliseconds,
		/** Resolves after the others had their turn; a new share begins. */
		pause: (): Promise<void> =>
			new Promise((resolve) => {
				setImmediate(() => {
					began = elapsed();
					resolve();
				});
			}),
	};
}
