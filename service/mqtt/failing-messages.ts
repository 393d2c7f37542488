import type { IncomingPublish } from './session.ts';

/** How often a message is tried while the store is well. */
const maxAttempts = 5;

/**
 * Keeps a message that always fails from holding up everything behind it: the broker would send it again for ever.
 * A turn that fails is told so, for the broker to send it again; from then on the device's messages are handled one by one, until
 * the one that fails is known, and has failed so often that it is given up.
 */
export function createFailingMessages<Device extends object>(options: {
	readonly handle: (device: Device, turn: readonly IncomingPublish[]) => Promise<void>;
	/** Whether writes can succeed at all just now: nothing is given up while they cannot. */
	readonly isStoreWell: () => Promise<boolean>;
	readonly onGivenUp: (device: Device, publish: IncomingPublish, error: unknown) => void;
}) {
	/** How often messages have failed, by their ids; devices of which none has are not here. */
	const failing = new WeakMap<Device, Map<number, number>>();

	/** @throws what went wrong, when it should be tried again */
	return async (device: Device, turn: readonly IncomingPublish[]): Promise<void> => {
		const attempts = failing.get(device);
		if (!attempts) {
			try {
				await options.handle(device, turn);
			} catch (error) {
				failing.set(device, new Map());
				throw error;
			}
			return;
		}
		for (const publish of turn) {
			try {
				await options.handle(device, [publish]);
			} catch (error) {
				const times = (attempts.get(publish.messageId) ?? 0) + 1;
				attempts.set(publish.messageId, times);
				if (times < maxAttempts || !(await options.isStoreWell())) throw error;
				options.onGivenUp(device, publish, error);
			}
			attempts.delete(publish.messageId);
		}
		if (attempts.size === 0) failing.delete(device);
	};
}
