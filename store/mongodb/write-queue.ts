import { type BatchOutcome, StoreError } from '../document-store.ts';
import { createWaitingBatches } from '../waiting-batches.ts';
import type { Applier, Settlement } from './apply-batches.ts';
import type { SingleApplier } from './apply-single.ts';
import { SilenceError } from './explain-error.ts';
import type { PreparedBatch } from './prepare-step.ts';
import { type Claims, createWriteOrder } from './write-order.ts';

/** Collects the writes of many callers into groups that share a round trip and a commit. */
export interface WriteQueue {
	batch(batch: PreparedBatch): Promise<BatchOutcome>;
	/** A write of another kind, in its place among the others; of that era only. */
	alone<T>(claims: Claims, bytes: number, write: () => Promise<T>, era?: number): Promise<T>;
	/** Resolves when the next group of writes of this process is committed; what is written alone may have changed nothing. */
	nextCommit(): Promise<void>;
	figures(): { readonly waitingBatches: number; readonly commits: number; readonly committedBatches: number };
	/** Refuses what comes from now on. */
	refuse(error: StoreError): void;
	/** Resolves when nothing is under way. */
	drained(): Promise<void>;
}

export interface WriteQueueOptions {
	readonly together: Applier;
	readonly single: SingleApplier;
	readonly maxGroupSteps: number;
	readonly maxGroupBytes: number;
	readonly maxGroupsInFlight: number;
	readonly maxWaitingBatches: number;
	readonly maxWaitingBytes: number;
	/** Whether nothing that was begun in that era may be written any more. */
	readonly isOver: (era: number | undefined) => boolean;
	/** Makes what the driver throws readable. */
	readonly explain: (error: unknown) => Error;
}

interface Waiter {
	readonly batch: PreparedBatch;
	readonly settle: (settlement: Settlement) => void;
}

/** Writes whose turn it is, and how a group of them is applied. */
interface Lane {
	readonly ready: Waiter[];
	readonly apply: (batches: readonly PreparedBatch[]) => Promise<Settlement[]>;
}

/** Writes that are no group: so many at a time, for each takes a connection. */
const maxAloneInFlight = 32;

export function createWriteQueue(options: WriteQueueOptions): WriteQueue {
	const order = createWriteOrder();
	const singles: Lane = { ready: [], apply: options.single.applyEach };
	const transactions: Lane = { ready: [], apply: options.together.applyTogether };
	const alone: (() => Promise<void>)[] = [];
	let groupsInFlight = 0;
	let aloneInFlight = 0;
	const waiting = createWaitingBatches(options.maxWaitingBatches, options.maxWaitingBytes);
	let commits = 0;
	let committedBatches = 0;
	let isFlushDue = false;
	let refusal: StoreError | undefined;
	let onDrained: (() => void)[] = [];
	let onCommitted: (() => void)[] = [];

	const committed = (): void => {
		for (const resolve of onCommitted) resolve();
		onCommitted = [];
	};

	/** Calls `begin` when it is the turn of what is claimed; `end` has to be called afterwards. */
	const enter = (claims: Claims, bytes: number, begin: (end: () => void) => void): void => {
		if (refusal) throw refusal;
		waiting.enter(bytes);
		const leave = order.enter(claims, () => {
			begin(() => {
				waiting.leave(1, bytes);
				leave();
			});
			flushSoon();
		});
	};

	const flushSoon = (): void => {
		if (isFlushDue) return;
		isFlushDue = true;
		setImmediate(flush);
	};

	const flush = (): void => {
		isFlushDue = false;
		// In turns, so that neither kind waits for the end of the other.
		for (const lane of [transactions, singles, transactions, singles]) {
			while (groupsInFlight < options.maxGroupsInFlight && lane.ready.length > 0) run(lane);
		}
		while (aloneInFlight < maxAloneInFlight) {
			const next = alone.shift();
			if (next === undefined) return;
			aloneInFlight++;
			next().then(() => {
				aloneInFlight--;
				ended();
			}, ended);
		}
	};

	const run = (lane: Lane): void => {
		const group: Waiter[] = [];
		for (const waiter of takeGroup(lane.ready)) {
			if (options.isOver(waiter.batch.era)) waiter.settle({ error: new SilenceError() });
			else group.push(waiter);
		}
		if (group.length === 0) {
			ended();
			return;
		}
		groupsInFlight++;
		const finish = (settlements: readonly Settlement[]): void => {
			groupsInFlight--;
			commits++;
			for (const [position, { settle }] of group.entries()) {
				const settlement = settlements[position] ?? { error: new StoreError('the store lost sight of a batch') };
				if ('outcome' in settlement) committedBatches++;
				if ('outcome' in settlement && settlement.outcome.ok) committed();
				settle(settlement);
			}
			ended();
		};
		lane.apply(group.map(({ batch }) => batch)).then(finish, (error: unknown) => finish(group.map(() => ({ error }))));
	};

	const takeGroup = (ready: Waiter[]): Waiter[] => {
		let steps = 0;
		let bytes = 0;
		let count = 0;
		for (const { batch } of ready) {
			steps += batch.steps.length;
			bytes += batch.bytes;
			if (count > 0 && (steps > options.maxGroupSteps || bytes > options.maxGroupBytes)) break;
			count++;
		}
		return ready.splice(0, count);
	};

	const ended = (): void => {
		flushSoon();
		if (waiting.count() > 0) return;
		for (const resolve of onDrained) resolve();
		onDrained = [];
	};

	const runAlone = <T>(claims: Claims, bytes: number, write: () => Promise<T>, era: number | undefined): Promise<T> =>
		new Promise((resolve, reject) => {
			enter(claims, bytes, (end) => {
				alone.push(async () => {
					try {
						if (options.isOver(era)) throw new SilenceError();
						const result = await write();
						commits++;
						committedBatches++;
						end();
						resolve(result);
					} catch (error) {
						end();
						reject(options.explain(error));
					}
				});
			});
		});

	const grouped = (lane: Lane, batch: PreparedBatch): Promise<BatchOutcome> =>
		new Promise((resolve, reject) => {
			enter(batch.claims, batch.bytes, (end) => {
				const settle = (settlement: Settlement): void => {
					end();
					if ('outcome' in settlement) resolve(settlement.outcome);
					else reject(options.explain(settlement.error));
				};
				lane.ready.push({ batch, settle });
			});
		});

	return {
		batch: async (batch) => {
			const [first] = batch.steps;
			if (first === undefined) {
				if (refusal) throw refusal;
				return { ok: true };
			}
			if (batch.steps.length > 1 || first.kind === 'removeWhere') return grouped(transactions, batch);
			if (first.condition === undefined) return grouped(singles, batch);
			return runAlone(batch.claims, batch.bytes, () => options.single.applyConditional(first), batch.era);
		},
		alone: async (claims, bytes, write, era) => runAlone(claims, bytes, write, era),
		nextCommit: () =>
			new Promise((resolve) => {
				onCommitted.push(resolve);
			}),
		figures: () => ({ waitingBatches: waiting.count(), commits, committedBatches }),
		refuse: (error) => {
			refusal ??= error;
		},
		drained: () =>
			new Promise((resolve) => {
				if (waiting.count() === 0) resolve();
				else onDrained.push(resolve);
			}),
	};
}
