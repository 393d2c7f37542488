import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port of the loopback that nobody has, for what has to know it before the service says which it took. */
export async function freePort(): Promise<string> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const address = server.address();
	server.close();
	await once(server, 'close');
	return String(typeof address === 'object' && address?.port);
}
