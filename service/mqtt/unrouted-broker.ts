import { Aedes, type AedesOptions, type Client, type PublishPacket } from 'aedes';

/** What aedes (its version is pinned) has beside what its types tell. */
interface Registry {
	readonly clients: Record<string, Client>;
	registerClient(client: Client): void;
	unregisterClient(client: Client): void;
}

const AedesWithRegistry: new (options: AedesOptions) => Aedes & Registry = Object(Aedes);

/**
 * A broker that hands nothing on between clients: a publish ends with whoever authorizes it. It knows the newest client of each
 * id. aedes itself lets a client that is still being closed take the place of the next one away, of whose end nobody hears then,
 * and takes up one that is closed already.
 */
export class UnroutedBroker extends AedesWithRegistry {
	constructor(options: AedesOptions) {
		super({ ...options, mq: silentEmitter });
	}

	override registerClient(client: Client): void {
		if (!client.closed) super.registerClient(client);
	}

	override unregisterClient(client: Client): void {
		const newest = this.clients[client.id];
		super.unregisterClient(client);
		if (newest && newest !== client) this.clients[client.id] = newest;
	}

	override publish(_packet: PublishPacket, clientOrDone: unknown, done?: (error?: Error) => void): void {
		const callback = typeof clientOrDone === 'function' ? clientOrDone : done;
		callback?.();
	}
}

const silentEmitter = {
	on: (_topic: string, _listener: unknown, done?: () => void) => done && setImmediate(done),
	removeListener: (_topic: string, _listener: unknown, done?: () => void) => done && setImmediate(done),
	emit: (_packet: unknown, done?: () => void) => done && setImmediate(done),
	close: (done?: () => void) => done && setImmediate(done),
};
