import { createRequire } from 'node:module';

/** What is used of the driver's own class of connections; the version is pinned. */
interface DriverConnection {
	readonly closed: boolean;
	readonly socket: { emit(event: 'drain'): void };
	cleanup(error: Error): void;
}

const require = createRequire(import.meta.url);
let isMended = false;

/**
 * The driver waits for ever for a command that it writes to a socket which is destroyed already and has not told so yet: `write`
 * says that the socket is full, and what is waited for then, `drain`, never comes. Whoever ends the connection says it in its place;
 * the command is then refused, or tried again, as any other of a lost connection.
 */
export function mendLostConnections(): void {
	if (isMended) return;
	isMended = true;
	const { prototype }: { readonly prototype: DriverConnection } = require('mongodb/lib/cmap/connection.js').Connection;
	const { cleanup } = prototype;
	prototype.cleanup = function (this: DriverConnection, error: Error) {
		const { closed } = this;
		cleanup.call(this, error);
		if (!closed) this.socket.emit('drain');
	};
}
