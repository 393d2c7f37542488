import type { IncomingPublish } from './session.ts';

export interface DeviceQueueLimits {
	/** Messages that may wait; a broker that goes on reading past that loses its connection. */
	readonly maxMessages: number;
	/** Messages that are handled, and acknowledged, together. */
	readonly maxTurn: number;
}

/**
 * The publishes of one device, handled strictly in the order of arrival. What waits when a turn begins is handled in one go and
 * acknowledged in one go. A failed turn fails what waits behind it, too: the device sends all of it again, in order.
 */
export interface DeviceQueue {
	/** False when the queue is full; the publish was not taken. */
	push(publish: IncomingPublish): boolean;
	readonly length: number;
	/** Resolves when everything that was taken has been handled; `undefined` when it has. */
	idle(): Promise<void> | undefined;
}

export function createDeviceQueue(
	handle: (turn: readonly IncomingPublish[]) => Promise<void> | void,
	limits: DeviceQueueLimits,
): DeviceQueue {
	let waiting: IncomingPublish[] = [];
	let running = false;
	let onIdle: (() => void)[] = [];

	function push(publish: IncomingPublish): boolean {
		if (waiting.length >= limits.maxMessages) return false;
		waiting.push(publish);
		if (!running) {
			running = true;
			// All packets of one read are handed over in one go: begin when they are all here.
			void settled.then(run);
		}
		return true;
	}

	function run(): void {
		runTurns().catch(failAll);
	}

	async function runTurns(): Promise<void> {
		while (waiting.length > 0) {
			const turn = waiting.length <= limits.maxTurn ? waiting : waiting.slice(0, limits.maxTurn);
			waiting = waiting.length <= limits.maxTurn ? [] : waiting.slice(limits.maxTurn);
			try {
				await handle(turn);
			} catch (error) {
				for (const publish of turn) publish.done(toError(error));
				throw error;
			}
			for (const publish of turn) publish.done();
		}
		rest();
	}

	function failAll(error: unknown): void {
		const failed = waiting;
		waiting = [];
		for (const publish of failed) publish.done(toError(error));
		rest();
	}

	function rest(): void {
		running = false;
		const told = onIdle;
		onIdle = [];
		for (const tell of told) tell();
	}

	function idle(): Promise<void> | undefined {
		return running ? new Promise((resolve) => onIdle.push(resolve)) : undefined;
	}

	return {
		push,
		idle,
		get length() {
			return waiting.length;
		},
	};
}

const settled = Promise.resolve();

function toError(error: unknown): Error {
	return error instanceof Error ? error : new Error(String(error));
}
