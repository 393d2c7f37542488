import { isStoreFault } from '../store-fault.ts';
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
	/** How often messages have failed on a store that is well, by their ids; devices of which none has failed are not here. */
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
			const { messageId } = publish;
			// The broker has given the id to another message.
			if (!publish.redelivered) attempts.delete(messageId);
			const wasWell = attempts.has(messageId) && (await options.isStoreWell());
			try {
				await options.handle(device, [publish]);
			} catch (error) {
				// At QoS 0 it does not come again.
				if (messageId === 0) throw error;
				const before = attempts.get(messageId) ?? 0;
				// An outage is no fault of the message, even if it is over by now.
				const isOfMessage = (wasWell || !isStoreFault(error)) && (await options.isStoreWell());
				const times = isOfMessage ? before + 1 : before;
				attempts.set(messageId, times);
				if (!isOfMessage || times < maxAttempts) throw error;
				options.onGivenUp(device, publish, error);
			}
			attempts.delete(messageId);
		}
		if (attempts.size === 0) failing.delete(device);
	};
}
