import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Origin } from './mqtt/index.ts';
import { presentedChain } from './presented-chain.ts';

/** Where a connection comes from, and what it has shown of itself. */
export function originOf(socket: Socket): Origin {
	const serverName = socket instanceof TLSSocket ? socket.servername : undefined;
	const certificates = presentedChain(socket);
	return {
		address: socket.remoteAddress ?? '',
		host: serverName || (socket.localAddress ?? ''),
		...(certificates && { certificates }),
	};
}
