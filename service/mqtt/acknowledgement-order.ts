interface Entry {
	readonly messageId: number;
	isDone: boolean;
	onAcknowledged?: (() => void) | undefined;
}

export type AcknowledgementOrder = ReturnType<typeof createAcknowledgementOrder>;

/**
 * Lets acknowledgements go out in the order in which the messages came in [MQTT-4.6.0-2], whenever their work ends: one that is
 * done waits for those before it. What becomes free together is sent together.
 */
export function createAcknowledgementOrder(send: (messageIds: readonly number[]) => void) {
	const waiting: Entry[] = [];
	let first = 0;
	let flushing = false;

	/** A message has come in; what is returned has to be called when it is done. */
	function add(messageId: number): (onAcknowledged?: () => void) => void {
		const entry: Entry = { messageId, isDone: false };
		waiting.push(entry);
		return (onAcknowledged) => {
			entry.isDone = true;
			entry.onAcknowledged = onAcknowledged;
			if (flushing || waiting[first] !== entry) return;
			flushing = true;
			// Those of one turn are done one after another, at once.
			queueMicrotask(flush);
		};
	}

	function flush(): void {
		flushing = false;
		const ready: Entry[] = [];
		for (let next = waiting[first]; next?.isDone; next = waiting[first]) {
			ready.push(next);
			first++;
		}
		if (first === waiting.length || first >= 1000) {
			waiting.splice(0, first);
			first = 0;
		}
		if (ready.length === 0) return;
		send(ready.map(({ messageId }) => messageId));
		for (const { onAcknowledged } of ready) onAcknowledged?.();
	}

	return { add };
}
