/** An operation as a reader sees it. */
export interface SeenOperation {
	readonly number: number;
	readonly status: string;
}

// Newest first: what a device that does one thing after the other may have at one time.
const order = ['PENDING', 'EXECUTING', 'SUCCESSFUL'];

/** Why operations of one device, newest first, cannot have been like this at one time; nothing when they can. */
export function operationsFault(seen: readonly SeenOperation[]): string | undefined {
	const numbers = seen.map(({ number }) => number);
	const twice = numbers.find((number, index) => numbers.indexOf(number) !== index);
	if (twice !== undefined) return `operation #${twice} is there twice`;
	const unknown = seen.find(({ status }) => !order.includes(status));
	if (unknown) return `operation #${unknown.number} is ${unknown.status}`;
	for (const [index, { number, status }] of seen.entries()) {
		const newer = seen[index - 1];
		if (!newer) continue;
		const isTwoAtOnce = newer.status === 'EXECUTING' && status === 'EXECUTING';
		if (isTwoAtOnce || order.indexOf(status) < order.indexOf(newer.status))
			return `operation #${number} is ${status}, and #${newer.number} after it ${newer.status}`;
	}
	return undefined;
}
