/** What one sender has numbered on: packages of a device, operations for one. Numbers begin at 0. */
export interface LedgerStream {
	/** The number of the next entry, which counts as sent from now on. */
	next(): number;
	/** The service has said that it has it: a PUBACK, a 201. */
	acknowledged(number: number): void;
	/** It was found in the store, at the end. */
	stored(number: number): void;
	/** It has come to whom it was meant for. */
	delivered(number: number): void;
	countAcknowledged(): number;
	countDelivered(): number;
}

/** Totals over all streams; entries are named `stream #number`. */
export interface Balance {
	readonly sent: number;
	readonly acknowledged: number;
	readonly stored: number;
	readonly delivered: number;
	/** Acknowledged, and not stored. */
	readonly lost: readonly string[];
	/** Acknowledged, and not delivered. */
	readonly undelivered: readonly string[];
	/** Stored more than once. */
	readonly doubled: readonly string[];
	/** Delivered more than once: allowed where an acknowledgement may have been lost on the way. */
	readonly redelivered: readonly string[];
	/** Stored or delivered, and never sent. */
	readonly strangers: readonly string[];
}

export type Ledger = ReturnType<typeof createLedger>;

const marks = { sent: 1, acknowledged: 2, stored: 4, doubled: 8, delivered: 16, redelivered: 32 } as const;

/** Keeps account of what was sent, acknowledged, stored and delivered, a byte an entry, so that it lasts for long runs. */
export function createLedger() {
	const streams = new Map<string, ReturnType<typeof createStream>>();

	/** The stream of this name, the same one each time. */
	function stream(name: string): LedgerStream {
		const known = streams.get(name) ?? createStream();
		streams.set(name, known);
		return known;
	}

	function balance(): Balance {
		const count = (bits: number) => sum([...streams.values()].map(({ numbers }) => numbers(bits, 0).length));
		const names = (present: number, absent: number) =>
			[...streams].flatMap(([name, { numbers }]) => numbers(present, absent).map((number) => `${name} #${number}`));
		return {
			sent: count(marks.sent),
			acknowledged: count(marks.acknowledged),
			stored: count(marks.stored),
			delivered: count(marks.delivered),
			lost: names(marks.acknowledged, marks.stored),
			undelivered: names(marks.acknowledged, marks.delivered),
			doubled: names(marks.doubled, 0),
			redelivered: names(marks.redelivered, 0),
			strangers: [...names(marks.stored, marks.sent), ...names(marks.delivered, marks.sent | marks.stored)],
		};
	}

	return { stream, balance };
}

function createStream() {
	let entries = new Uint8Array(1024);
	let last = -1;

	function set(number: number, mark: number, again = 0): void {
		if (!Number.isInteger(number) || number < 0) throw new RangeError(`${number} is no number of an entry`);
		if (number >= entries.length) {
			const larger = new Uint8Array(Math.max(number + 1, entries.length * 2));
			larger.set(entries);
			entries = larger;
		}
		const before = entries[number] ?? 0;
		entries[number] = before | mark | (before & mark ? again : 0);
	}

	/** The entries with all bits of `present` and none of `absent`. */
	function numbers(present: number, absent: number): number[] {
		const found: number[] = [];
		for (const [number, bits] of entries.entries()) if ((bits & present) === present && (bits & absent) === 0) found.push(number);
		return found;
	}

	return {
		next: () => {
			last++;
			set(last, marks.sent);
			return last;
		},
		acknowledged: (number: number) => set(number, marks.acknowledged),
		stored: (number: number) => set(number, marks.stored, marks.doubled),
		delivered: (number: number) => set(number, marks.delivered, marks.redelivered),
		countAcknowledged: () => numbers(marks.acknowledged, 0).length,
		countDelivered: () => numbers(marks.delivered, 0).length,
		numbers,
	};
}

function sum(values: readonly number[]): number {
	return values.reduce((total, value) => total + value, 0);
}
