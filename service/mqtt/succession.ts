import type { Handover } from './handover.ts';
import { deviceKeyOf, type Session } from './session.ts';

/**
 * Keeps the messages of a device in order over its connections: what a connection that has ended left in its queue is handled
 * before what the next one brings; with `handover`, also what connections to other processes left.
 */
export function createSuccession(handover: Pick<Handover, 'predecessor'> | undefined) {
	const leftBehind = new Map<string, Promise<void>>();
	const predecessors = new WeakMap<Session, Promise<void> | null>();

	/** What has to be handled before the first message of this session; the same for all that come after it. */
	function predecessor(session: Session): Promise<void> | null {
		const known = predecessors.get(session);
		if (known !== undefined) return known;
		const found = both(leftBehind.get(deviceKeyOf(session)) ?? null, handover?.predecessor(session) ?? null);
		predecessors.set(session, found);
		return found;
	}

	/** The session has ended; `idle` is when its queue is empty. */
	function leave(session: Session, idle: Promise<void> | undefined): void {
		if (!idle) return;
		const device = deviceKeyOf(session);
		// Asked for now, for it must not find itself.
		void predecessor(session);
		leftBehind.set(device, idle);
		void idle.then(() => leftBehind.get(device) === idle && leftBehind.delete(device));
	}

	return { predecessor, leave };
}

function both(one: Promise<void> | null, other: Promise<void> | null): Promise<void> | null {
	return one && other ? Promise.all([one, other]).then(() => undefined) : (one ?? other);
}
