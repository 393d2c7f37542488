import type { LedgerStream } from '../support/ledger.ts';
import type { Chance } from './chance.ts';
import type { Findings } from './findings.ts';

/** Sends a report, and calls back when it is acknowledged. */
export type Report = (lines: string, onAcknowledged: () => void) => void;

export type OperationWorker = ReturnType<typeof createOperationWorker>;

const fragment = 'c8y_Command';

/**
 * What a device does with operations: one after the other, in the order in which they come, each started (501) and ended (503) once.
 * It remembers what it has done, as a device does that must not do things twice.
 */
export function createOperationWorker(options: {
	readonly serial: string;
	readonly entries: LedgerStream;
	/** Numbers whose place in the order is not known, because nobody was told when they were created. */
	readonly isUncertain: (number: number) => boolean;
	readonly report: Report;
	readonly findings: Findings;
	readonly chance: Chance;
	/** Calls back after so many milliseconds. */
	readonly later: (milliseconds: number, then: () => void) => void;
}) {
	const { serial, entries, isUncertain, report, findings, chance, later } = options;
	const ended = new Set<number>();
	let waiting: number[] = [];
	let underWay: number | undefined;
	let newestEnded = -1;

	function receive(number: number): void {
		entries.delivered(number);
		findings.count('deliveries');
		if (ended.has(number)) {
			findings.wrong('doubled', `operation #${number} came to ${serial} again after its end was acknowledged`);
			return;
		}
		if (number === underWay || waiting.includes(number)) return;
		const last = waiting.at(-1) ?? underWay ?? newestEnded;
		if (number < last && !isUncertain(number) && !isUncertain(last))
			findings.wrong('impossible', `operation #${number} came to ${serial} after #${last}`);
		waiting.push(number);
		work();
	}

	/** What has come and is not begun is sent again on the next connection. */
	function disconnected(): void {
		waiting = [];
	}

	function work(): void {
		const number = underWay === undefined ? waiting.shift() : undefined;
		if (number === undefined) return;
		underWay = number;
		if (chance.happens(0.3)) report(`501,${fragment}\n503,${fragment}`, () => end(number));
		else report(`501,${fragment}`, () => later(chance.whole(0, 200), () => report(`503,${fragment}`, () => end(number))));
	}

	function end(number: number): void {
		ended.add(number);
		newestEnded = number;
		findings.count('operations done');
		underWay = undefined;
		work();
	}

	/** Of those that somebody knows to be created. */
	const countEnded = (): number => [...ended].filter((number) => !isUncertain(number)).length;

	return { receive, disconnected, isIdle: () => underWay === undefined && waiting.length === 0, countEnded };
}
