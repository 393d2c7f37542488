/** One message to a device, on its way through an outside broker. */
export interface Downlink {
	readonly topic: string;
	readonly payload: string;
	readonly done: (delivered: boolean) => void;
}

/**
 * The QoS 1 messages to the broker: as many under way as it takes, the others wait in order. What a lost connection left
 * unacknowledged is sent again first.
 * @param maxBytes what may wait or be under way before `isFull`
 */
export function createDownlinkWindow(maxBytes: number) {
	const underWay = new Set<Downlink>();
	let waiting: Downlink[] = [];
	let bytes = 0;
	const onRoom: (() => void)[] = [];
	let send: ((message: Downlink) => void) | undefined;
	let window = 0;

	function add(message: Downlink): void {
		bytes += sizeOf(message);
		waiting.push(message);
		pump();
	}

	function pump(): void {
		let taken = 0;
		while (send && underWay.size < window && taken < waiting.length) {
			const message = waiting[taken++];
			if (!message) break;
			underWay.add(message);
			send(message);
		}
		if (taken > 0) waiting.splice(0, taken);
	}

	/** The broker has answered. Nothing for one that was settled before. */
	function settle(message: Downlink, delivered: boolean): void {
		if (!underWay.delete(message)) return;
		bytes -= sizeOf(message);
		message.done(delivered);
		letIn();
		pump();
	}

	// One for each that left, or all of them would find room at once.
	function letIn(): void {
		if (bytes === 0) for (const go of onRoom.splice(0)) go();
		else if (!isFull()) onRoom.shift()?.();
	}

	/** There is a connection that takes so many unacknowledged messages. */
	function open(unacknowledged: number, sender: (message: Downlink) => void): void {
		window = unacknowledged;
		send = sender;
		pump();
	}

	/** The connection is lost. */
	function suspend(): void {
		send = undefined;
		waiting = [...underWay, ...waiting];
		underWay.clear();
	}

	/** Nothing will be sent any more. */
	function close(): void {
		suspend();
		for (const message of waiting.splice(0)) message.done(false);
		bytes = 0;
		letIn();
	}

	const isFull = (): boolean => bytes > maxBytes;

	async function room(): Promise<void> {
		if (isFull()) await new Promise<void>((resolve) => onRoom.push(resolve));
	}

	return { add, settle, open, suspend, close, isFull, room };
}

function sizeOf({ topic, payload }: Downlink): number {
	return topic.length + Buffer.byteLength(payload);
}
