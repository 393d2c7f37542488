import type { Client } from 'aedes';
import memoryPersistence from 'aedes-persistence';

type Settle = (delivered: boolean) => void;

export type Unacknowledged = ReturnType<typeof createUnacknowledged>;

const maxMessageId = 65_535;
const noPayload = Buffer.alloc(0);

/** The messages on their way to one connection that wait for its PUBACK, by the ids that they are given. */
export function createUnacknowledged() {
	const waiting = new Map<number, Settle>();
	let last = 0;

	/** An id that nothing on its way has; `undefined` when all are taken. `settle` is called once. */
	function add(settle: Settle): number | undefined {
		if (waiting.size >= maxMessageId) return undefined;
		do last = last >= maxMessageId ? 1 : last + 1;
		while (waiting.has(last));
		waiting.set(last, settle);
		return last;
	}

	/** Unknown ids are ignored: a device may acknowledge twice. */
	function settle(messageId: number, delivered: boolean): void {
		const settleOne = waiting.get(messageId);
		waiting.delete(messageId);
		settleOne?.(delivered);
	}

	/** The connection has ended. */
	function abandon(): void {
		for (const messageId of [...waiting.keys()]) settle(messageId, false);
	}

	return { add, settle, abandon };
}

interface Acknowledgements {
	outgoingClearMessageId(client: Client, packet: { readonly messageId: number }): Promise<unknown>;
	incomingStorePacket(client: Client, packet: { readonly payload: unknown }): Promise<unknown>;
}

/** The broker's own memory of sessions, which is told of every PUBACK. */
export function watchAcknowledgements(onAcknowledged: (client: Client, messageId: number) => void): Acknowledgements {
	// The package's types describe an ES module, but it is a CommonJS one whose export is the factory itself.
	const create: unknown = memoryPersistence;
	if (typeof create !== 'function') throw new Error('aedes-persistence has changed: its export is no function');
	const persistence: Acknowledgements = create();
	const clear = persistence.outgoingClearMessageId.bind(persistence);
	persistence.outgoingClearMessageId = async (client, packet) => {
		onAcknowledged(client, packet.messageId);
		return clear(client, packet);
	};
	const store = persistence.incomingStorePacket.bind(persistence);
	// What a QoS 2 message says is stored already: the broker has to know its id only, however long its PUBREL takes.
	persistence.incomingStorePacket = (client, packet) => store(client, { ...packet, payload: noPayload });
	return persistence;
}
