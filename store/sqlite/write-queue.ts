import { type BatchOutcome, DocumentRefusedError, DuplicateKeyError, StoreError } from '../document-store.ts';
import { createWaitingBatches } from '../waiting-batches.ts';
import type { Channel } from './channel.ts';
import type { Answer, GroupAnswer } from './protocol.ts';
import type { Cell } from './values.ts';

/** Writes the cells of one batch behind those that are there, and tells whether it needs a savepoint. */
export type EncodeBatch = (cells: Cell[]) => boolean;

/** Collects the batches of many callers into groups that share a commit. */
export interface WriteQueue {
	/** @throws TypeError for what `encode` refuses. */
	batch(steps: number, encode: EncodeBatch): Promise<BatchOutcome>;
	/** A batch whose step answers with a document: its text, or null. @throws DuplicateKeyError */
	batchForDocument(encode: EncodeBatch): Promise<string | null>;
	waitingBatches(): number;
	commits(): number;
	committedBatches(): number;
	/** Refuses what comes from now on. */
	refuse(error: StoreError): void;
	/** Resolves when nothing is under way. */
	drained(): Promise<void>;
}

export interface WriteQueueOptions {
	readonly channel: Channel;
	readonly maxGroupSteps: number;
	readonly maxWaitingBatches: number;
	readonly maxWaitingBytes: number;
	readonly onChanges: (changes: readonly Cell[]) => void;
}

interface Waiter {
	readonly settle: (outcome: BatchOutcome, document: string | null) => void;
	readonly reject: (error: Error) => void;
}

interface PendingGroup {
	readonly cells: Cell[];
	readonly waiters: Waiter[];
	steps: number;
	bytes: number;
}

/** One is being written while the next is on its way. */
const groupsInFlight = 2;
const applied: BatchOutcome = Object.freeze({ ok: true });

export function createWriteQueue(options: WriteQueueOptions): WriteQueue {
	const { channel, maxGroupSteps, onChanges } = options;
	const waiting = createWaitingBatches(options.maxWaitingBatches, options.maxWaitingBytes);
	const groups: PendingGroup[] = [];
	let inFlight = 0;
	let commits = 0;
	let committedBatches = 0;
	let isFlushDue = false;
	let refusal: StoreError | undefined;
	let onDrained: (() => void)[] = [];

	const add = (steps: number, encode: EncodeBatch, waiter: Waiter): void => {
		if (refusal) throw refusal;
		waiting.checkCount();
		let group = groups[groups.length - 1];
		if (group === undefined || (group.steps > 0 && group.steps + steps > maxGroupSteps)) {
			group = { cells: [], waiters: [], steps: 0, bytes: 0 };
			groups.push(group);
		}
		const start = group.cells.length;
		encodeInto(group.cells, encode);
		const bytes = bytesOf(group.cells, start);
		try {
			waiting.enter(bytes);
		} catch (error) {
			group.cells.length = start;
			throw error;
		}
		group.steps += steps;
		group.bytes += bytes;
		group.waiters.push(waiter);
		if (isFlushDue) return;
		isFlushDue = true;
		setImmediate(flush);
	};

	const flush = (): void => {
		isFlushDue = false;
		while (inFlight < groupsInFlight) {
			const group = groups.shift();
			if (group === undefined) return;
			if (group.waiters.length > 0) send(group);
		}
	};

	const send = (group: PendingGroup): void => {
		const onDeath = (error: StoreError) => {
			inFlight--;
			refusal ??= error;
			rejectAll(group, error);
			for (const next of groups.splice(0)) rejectAll(next, error);
			releaseDrained();
		};
		inFlight++;
		try {
			channel.send({ kind: 'group', cells: group.cells }, (answer) => finish(group, answer), onDeath);
		} catch (error) {
			onDeath(error instanceof StoreError ? error : new StoreError('the database thread cannot be reached', { cause: error }));
		}
	};

	const finish = (group: PendingGroup, answer: Answer): void => {
		inFlight--;
		// The writer goes on before the callers do.
		if (groups.length > 1) flush();
		if (answer.kind !== 'group' || answer.error !== undefined) {
			const reason = answer.kind === 'group' ? answer.error : answer.kind === 'failed' ? answer.message : undefined;
			rejectAll(group, new StoreError(`nothing was written: ${reason ?? 'the database thread gave no reason'}`));
		} else {
			commits++;
			committedBatches += group.waiters.length;
			release(group);
			settleAll(group.waiters, answer);
			if (answer.changes.length > 0) onChanges(answer.changes);
		}
		if (groups.length > 0 && !isFlushDue) {
			isFlushDue = true;
			setImmediate(flush);
		}
		releaseDrained();
	};

	const rejectAll = (group: PendingGroup, error: StoreError): void => {
		release(group);
		for (const waiter of group.waiters) waiter.reject(error);
	};

	const release = ({ waiters, bytes }: PendingGroup): void => {
		waiting.leave(waiters.length, bytes);
	};

	const releaseDrained = (): void => {
		if (waiting.count() > 0) return;
		for (const resolve of onDrained) resolve();
		onDrained = [];
	};

	return {
		batch: (steps, encode) =>
			new Promise((resolve, reject) => {
				add(steps, encode, { settle: resolve, reject });
			}),
		batchForDocument: (encode) =>
			new Promise((resolve, reject) => {
				add(1, encode, {
					settle: (outcome, document) => {
						if (outcome.ok) resolve(document);
						else reject(new DuplicateKeyError('the update needs a value of a unique index that is taken'));
					},
					reject,
				});
			}),
		waitingBatches: waiting.count,
		commits: () => commits,
		committedBatches: () => committedBatches,
		refuse: (error) => {
			refusal ??= error;
		},
		drained: () =>
			new Promise((resolve) => {
				onDrained.push(resolve);
				releaseDrained();
			}),
	};
}

/** Adds a batch's cells behind its head: whether it needs a savepoint, and where it ends. */
function encodeInto(cells: Cell[], encode: EncodeBatch): void {
	const start = cells.length;
	cells.push(0, 0);
	try {
		cells[start] = encode(cells) ? 1 : 0;
		cells[start + 1] = cells.length;
	} catch (error) {
		cells.length = start;
		throw error;
	}
}

/** What the cells from there on take in memory, nearly: nothing but texts is large. */
function bytesOf(cells: readonly Cell[], start: number): number {
	let bytes = 0;
	for (let at = start; at < cells.length; at++) {
		const cell = cells[at];
		bytes += 8 + (typeof cell === 'string' ? cell.length : 0);
	}
	return bytes;
}

/** All promises of a group in one go, so that what the callers do next shares a commit and a packet again. */
function settleAll(waiters: readonly Waiter[], answer: GroupAnswer): void {
	const { failures, errors, documents } = answer;
	let failure = 0;
	let error = 0;
	let document = 0;
	for (const [position, waiter] of waiters.entries()) {
		if (failures[failure] === position) {
			const failed = failures[failure + 1] ?? 0;
			const kind = failures[failure + 2];
			failure += 3;
			if (kind === 2) waiter.reject(new DocumentRefusedError(errors[error++] ?? 'the step cannot be applied'));
			else waiter.settle({ ok: false, failed, duplicate: kind === 1 }, null);
		} else if (documents[document] === position) {
			const text = documents[document + 1];
			document += 2;
			waiter.settle(applied, typeof text === 'string' ? text : null);
		} else waiter.settle(applied, null);
	}
}
