import type { LedgerStream } from '../support/ledger.ts';

/** A line of a device about its software; `acknowledge` when the service has said that it has it. */
export interface SentChange {
	readonly line: string;
	readonly acknowledge: () => void;
}

export type SlidingList = ReturnType<typeof createSlidingList>;

const prefix = 'package-';
/** More lines than a device sends while a reader waits for an answer. */
const kept = 5000;

/**
 * The list of a device that adds packages at its end (141) and removes them from its beginning (142): so each state that it may
 * ever be in is one run of numbers, and what a reader may see lies between what is acknowledged and what was sent.
 */
export function createSlidingList(installs: LedgerStream, removals: LedgerStream) {
	const sent = { installed: 0, removed: 0 };
	const acknowledged = { installed: 0, removed: 0 };
	/** How many packages had been installed after each of the last lines: a line is stored whole or not at all. */
	const cuts: number[] = [0];

	function install(count: number): SentChange {
		const numbers = Array.from({ length: count }, installs.next);
		sent.installed += count;
		const upTo = sent.installed;
		if (cuts.push(upTo) > kept) cuts.shift();
		return {
			line: ['141', ...numbers.map((number) => `${nameOf(number)},1,apt,`)].join(','),
			acknowledge: () => {
				numbers.forEach(installs.acknowledged);
				acknowledged.installed = upTo;
			},
		};
	}

	/** Only what is acknowledged is removed: else a line that is sent again could bring back what is gone. */
	function remove(count: number): SentChange | undefined {
		const room = acknowledged.installed - sent.removed;
		if (room < count) return undefined;
		const numbers = Array.from({ length: count }, removals.next);
		sent.removed += count;
		const upTo = sent.removed;
		return {
			line: ['142', ...numbers.map((number) => `${nameOf(number)},1`)].join(','),
			acknowledge: () => {
				numbers.forEach(removals.acknowledged);
				acknowledged.removed = upTo;
			},
		};
	}

	/** To be called before a request; what it returns tells why the names of the answer cannot have been the list, if so. */
	function beginReading() {
		const { installed: known, removed: gone } = acknowledged;
		return (names: readonly string[], isOnePage: boolean): string | undefined => {
			const numbers = names.map(numberOf);
			for (const [index, number] of numbers.entries()) {
				if (!(number < sent.installed)) return `${names[index]} was never sent`;
				if (number < gone) return `${names[index]} is there, and its removal was acknowledged`;
				const before = numbers[index - 1] ?? -1;
				if (number <= before) return `${names[index]} comes after ${names[index - 1]}`;
			}
			// Pages are counted from the beginning: what is removed there meanwhile moves others to a page that was read.
			if (!isOnePage && sent.removed > gone) return undefined;
			const [begin] = numbers;
			if (begin === undefined)
				return known > sent.removed ? `${nameOf(sent.removed)} is missing, and was acknowledged` : undefined;
			const end = begin + numbers.length;
			for (const [index, number] of numbers.entries())
				if (number !== begin + index) return `${nameOf(begin + index)} is missing before ${names[index]}`;
			if (begin > sent.removed) return `${nameOf(sent.removed)} is missing, and was not removed`;
			if (end < known) return `${nameOf(end)} is missing, and was acknowledged`;
			if (isOnePage && end >= (cuts[0] ?? 0) && !cuts.includes(end))
				return `the list ends with ${nameOf(end - 1)}, in the middle of a line`;
			return undefined;
		};
	}

	/** Notes what is there at the end; also where the device still waits for an acknowledgement. */
	function noteStored(names: readonly string[]): void {
		const present = new Set(names.map(numberOf));
		names.map(numberOf).forEach(installs.stored);
		for (let number = 0; number < sent.removed; number++) {
			// Of what was removed nothing can be seen but that it is gone; readers have looked while it was there.
			if (present.has(number)) continue;
			installs.stored(number);
			removals.stored(number);
		}
	}

	return { install, remove, beginReading, noteStored, length: () => sent.installed - sent.removed };
}

// Sorted by name is sorted by number.
function nameOf(number: number): string {
	return `${prefix}${String(number).padStart(9, '0')}`;
}

function numberOf(name: string): number {
	return name.startsWith(prefix) ? Number(name.slice(prefix.length)) : Number.NaN;
}
