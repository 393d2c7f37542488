import { StoreError } from '../document-store.ts';
import type { Channel } from './channel.ts';
import type { Answer, Read } from './protocol.ts';
import type { Cell } from './values.ts';

/** Sends the queries of one tick together. */
export interface ReadQueue {
	/** The answer as text. @throws StoreError */
	read(read: Read): Promise<string>;
	refuse(error: StoreError): void;
	drained(): Promise<void>;
}

interface Waiter {
	readonly resolve: (text: string) => void;
	readonly reject: (error: Error) => void;
}

export function createReadQueue(channel: Channel): ReadQueue {
	let shapes: Read['shape'][] = [];
	let cells: Cell[] = [];
	let waiters: Waiter[] = [];
	let outstanding = 0;
	let refusal: StoreError | undefined;
	let onDrained: (() => void)[] = [];

	const flush = (): void => {
		const sent = waiters;
		let position = 0;
		const onAnswer = (answer: Answer) => {
			if (answer.kind !== 'reads') {
				rejectAll(sent, new StoreError('the database thread did not understand'));
				return;
			}
			const first = position;
			position += answer.texts.length;
			settle(sent.slice(first, position), answer);
			finish(position - first);
		};
		const onDeath = (error: StoreError) => {
			refusal ??= error;
			rejectAll(sent.slice(position), error);
		};
		try {
			channel.send({ kind: 'reads', shapes, cells }, onAnswer, onDeath);
		} catch (error) {
			onDeath(error instanceof StoreError ? error : new StoreError('the database thread cannot be reached', { cause: error }));
		}
		shapes = [];
		cells = [];
		waiters = [];
	};

	const finish = (count: number): void => {
		outstanding -= count;
		if (outstanding > 0) return;
		for (const resolve of onDrained) resolve();
		onDrained = [];
	};

	const rejectAll = (rejected: readonly Waiter[], error: StoreError): void => {
		for (const waiter of rejected) waiter.reject(error);
		finish(rejected.length);
	};

	return {
		read: ({ shape, sql, params }) =>
			new Promise((resolve, reject) => {
				if (refusal) throw refusal;
				if (waiters.length === 0) setImmediate(flush);
				shapes.push(shape);
				cells.push(sql, params.length, ...params);
				waiters.push({ resolve, reject });
				outstanding++;
			}),
		refuse: (error) => {
			refusal ??= error;
		},
		drained: () =>
			new Promise((resolve) => {
				onDrained.push(resolve);
				finish(0);
			}),
	};
}

function settle(waiters: readonly Waiter[], answer: Extract<Answer, { kind: 'reads' }>): void {
	let error = 0;
	for (const [position, waiter] of waiters.entries()) {
		const text = answer.texts[position];
		if (typeof text === 'string') waiter.resolve(text);
		else waiter.reject(new StoreError(answer.errors[error++] ?? 'the query failed'));
	}
}
