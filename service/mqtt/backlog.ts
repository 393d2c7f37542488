/** What was handed to one connection and did not leave it yet, in bytes: neither the broker nor a socket has a limit of its own. */
export function createBacklog(maxBytes: number) {
	let bytes = 0;
	let waiting: (() => void)[] = [];

	const isFull = (): boolean => bytes > maxBytes;

	/** The message is handed over; what is returned has to be called when it was written, or never will be. */
	function add(size: number): () => void {
		bytes += size;
		return () => {
			bytes -= size;
			if (isFull()) return;
			const told = waiting;
			waiting = [];
			for (const tell of told) tell();
		};
	}

	async function room(): Promise<void> {
		if (isFull()) await new Promise<void>((resolve) => waiting.push(resolve));
	}

	return { isFull, add, room };
}
