import { setTimeout as delay } from 'node:timers/promises';
import { createDeadline } from '../deadline.ts';
import type { Session } from './session.ts';

const tickMilliseconds = 50;

/**
 * Closes connections one after another at that pace, or as much faster as it takes to be done in time. Each is closed when what
 * it has brought is handled; a device that goes on sending sends that again, elsewhere.
 */
export async function drainSessions(options: {
	readonly sessions: readonly Session[];
	/** Resolves when what the session has brought is handled; `undefined` when it is. */
	readonly idleOf: (session: Session) => Promise<void> | undefined;
	readonly perSecond: number;
	readonly withinMilliseconds: number;
	readonly elapsed: () => number;
}): Promise<void> {
	const { sessions, idleOf, perSecond, withinMilliseconds, elapsed } = options;
	const perMillisecond = Math.max(perSecond / 1000, sessions.length / Math.max(withinMilliseconds, 1));
	const began = elapsed();
	const deadline = createDeadline(withinMilliseconds, elapsed);
	const closing: Promise<void>[] = [];
	for (;;) {
		const due = Math.min(sessions.length, Math.ceil((elapsed() - began + tickMilliseconds) * perMillisecond));
		for (const session of sessions.slice(closing.length, due)) closing.push(closeWhenIdle(session, idleOf(session)));
		if (closing.length >= sessions.length) break;
		await delay(tickMilliseconds);
	}
	await deadline.wait(Promise.all(closing));
}

async function closeWhenIdle(session: Session, idle: Promise<void> | undefined): Promise<void> {
	await idle;
	if (!session.closed) session.connection.close('the service is stopping');
}
