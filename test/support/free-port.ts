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

/** Whether this process may listen at a port of the loopback that a program insists on. */
export async function canListen(port: number): Promise<boolean> {
	const server = createServer();
	const outcome = new Promise<boolean>((resolve) => {
		server.once('listening', () => server.close(() => resolve(true)));
		server.once('error', () => resolve(false));
	});
	server.listen(port, '127.0.0.1');
	return outcome;
}
