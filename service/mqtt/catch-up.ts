import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { ArrivedMessage } from './broker-link.ts';

export type CatchUp = ReturnType<typeof createCatchUp>;

/**
 * Tells when everything is handled that the broker had kept for a session: a mark that the session sends to itself stands behind
 * all of that, and is acknowledged after it.
 */
export function createCatchUp(options: {
	/** Nobody else publishes or listens there. */
	readonly topic: string;
	/** `done` is told whether the broker took it for somebody who listens. */
	readonly publish: (topic: string, payload: string, qos: 1, done: (delivered: boolean) => void) => void;
	/** Called once. */
	readonly onCaughtUp: () => void;
	readonly log: Logger;
}) {
	const { topic, publish, onCaughtUp, log } = options;
	// Marks of those who had the session before are in it, too.
	const mark = randomUUID();
	let isOver = false;

	/** Sends a mark: the broker may have lost, or dropped, the one before. */
	function begin(): void {
		if (isOver) return;
		publish(topic, mark, 1, (delivered) => {
			if (delivered || isOver) return;
			log.warn(
				{ topic },
				'the broker does not let the service send to itself: devices may get operations again that they have ended',
			);
			end();
		});
	}

	/** Takes a mark; false for any other message. */
	function take({ topic: from, payload, done }: ArrivedMessage): boolean {
		if (from !== topic) return false;
		done(undefined, payload.toString('latin1') === mark ? end : undefined);
		return true;
	}

	function end(): void {
		if (isOver) return;
		isOver = true;
		onCaughtUp();
	}

	return { begin, take, isOver: () => isOver };
}
