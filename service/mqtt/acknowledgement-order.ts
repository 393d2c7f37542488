export type AcknowledgementOrder = ReturnType<typeof createAcknowledgementOrder>;

/**
 * Lets acknowledgements go out in the order in which the messages came in [MQTT-4.6.0-2], whenever their work ends: one that is
 * done waits for those before it. What becomes free together is sent together.
 */
export function createAcknowledgementOrder(send: (messageIds: readonly number[]) => void) {
	const waiting: { readonly messageId: number; isDone: boolean }[] = [];
	let first = 0;
	let flushing = false;

	/** A message has come in; what is returned has to be called when it is done. */
	function add(messageId: number): () => void {
		const entry = { messageId, isDone: false };
		waiting.push(entry);
		return () => {
			entry.isDone = true;
			if (flushing || waiting[first] !== entry) return;
			flushing = true;
			// Those of one turn are done one after another, at once.
			queueMicrotask(flush);
		};
	}

	function flush(): void {
		flushing = false;
		const ready: number[] = [];
		for (let next = waiting[first]; next?.isDone; next = waiting[first]) {
			ready.push(next.messageId);
			first++;
		}
		if (first === waiting.length || first >= 1000) {
			waiting.splice(0, first);
			first = 0;
		}
		if (ready.length > 0) send(ready);
	}

	return { add };
}
