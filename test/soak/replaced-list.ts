import type { LedgerStream } from '../support/ledger.ts';
import type { PackageJson } from '../support/operator.ts';
import type { SentChange } from './sliding-list.ts';

export type ReplacedList = ReturnType<typeof createReplacedList>;

const partCount = 25;
/** More replacements than a device sends while a reader waits for an answer. */
const kept = 5000;

/**
 * A list that is replaced as a whole (140), and added to in between (141). Each line has a number; a replacement writes it as the
 * version of all its packages, so that a list tells by itself after which line it was read, and whether it is whole.
 */
export function createReplacedList(entries: LedgerStream) {
	let sent = -1;
	let acknowledged = -1;
	let additions = 0;
	let lastAddition = -1;
	/** Numbers of the last replacements. */
	const starts: number[] = [];

	/** Adds instead while additions are not acknowledged: sent again, they would come to a list that is not theirs. */
	function replace(): SentChange {
		if (lastAddition > acknowledged) return add();
		const number = next();
		if (starts.push(number) > kept) starts.shift();
		additions = 0;
		const parts = Array.from({ length: partCount }, (_, part) => `part-${part},${number},apt,`);
		return { line: ['140', ...parts].join(','), acknowledge: acknowledge(number) };
	}

	function add(): SentChange {
		const start = starts.at(-1);
		if (start === undefined) return replace();
		const number = next();
		lastAddition = number;
		return { line: `141,addition-${additions++},${start},apt,`, acknowledge: acknowledge(number) };
	}

	function next(): number {
		sent = entries.next();
		return sent;
	}

	function acknowledge(number: number) {
		return () => {
			entries.acknowledged(number);
			acknowledged = number;
		};
	}

	/** To be called before a request; what it returns tells why the answer cannot have been the list, if so. */
	function beginReading() {
		const known = acknowledged;
		return (list: readonly PackageJson[]): string | undefined => {
			const seen = positionOf(list);
			if (typeof seen === 'string') return seen;
			if (seen.last < known) return `the list is that after line ${seen.last}, and line ${known} was acknowledged`;
			if (seen.last > sent) return `the list is that after line ${seen.last}, and only ${sent} was sent`;
			if (seen.start >= (starts[0] ?? 0) && !starts.includes(seen.start)) return `no list was replaced by line ${seen.start}`;
			return undefined;
		};
	}

	/** Notes what is there at the end: the lines up to the last one that shows. */
	function noteStored(list: readonly PackageJson[]): string | undefined {
		const seen = positionOf(list);
		if (typeof seen === 'string') return seen;
		for (let number = 0; number <= Math.min(seen.last, sent); number++) entries.stored(number);
		return undefined;
	}

	return { replace, add, beginReading, noteStored, isChanging: () => sent > acknowledged };
}

/** Which replacement is seen, and after which line; or why it is no whole list. */
function positionOf(list: readonly PackageJson[]): { readonly start: number; readonly last: number } | string {
	const [first] = list;
	if (!first) return { start: -1, last: -1 };
	const strangers = list.filter(({ version }) => version !== first.version);
	if (strangers[0]) return `the list has packages of line ${first.version} and of line ${strangers[0].version}`;
	const names = new Set(list.map(({ name }) => name));
	if (names.size < list.length) return `the list of line ${first.version} has a package twice`;
	for (let part = 0; part < partCount; part++)
		if (!names.has(`part-${part}`)) return `the list of line ${first.version} has no part-${part}`;
	for (let addition = 0; addition < list.length - partCount; addition++)
		if (!names.has(`addition-${addition}`)) return `the list of line ${first.version} has no addition-${addition}`;
	const start = Number(first.version);
	return { start, last: start + list.length - partCount };
}
