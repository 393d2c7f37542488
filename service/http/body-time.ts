import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long a client whose request was answered early may go on sending, so that it has the time to read the answer. */
export const lingerMilliseconds = 5000;

/** Cuts a client off that takes too long to send a body, once `late` has answered it, or goes on sending it after the answer. */
export function limitBodyTime(request: IncomingMessage, response: ServerResponse, milliseconds: number, late: () => void): void {
	const { headers } = request;
	if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') return;
	let timer = setTimeout(() => {
		if (response.headersSent) request.destroy();
		else late();
	}, milliseconds).unref();
	const arrived = () => clearTimeout(timer);
	request.once('end', arrived).once('close', arrived);
	response.once('finish', () => {
		if (request.complete || request.destroyed) return;
		clearTimeout(timer);
		timer = setTimeout(() => request.destroy(), lingerMilliseconds).unref();
	});
}

/** Cuts a connection off on which nothing moves for so long, until the function that it returns is called. */
export function limitStandstill({ socket }: IncomingMessage, milliseconds: number): () => void {
	// What the server of Node does with a connection that is idle for as long as this.
	socket.setTimeout(milliseconds);
	let isOver = false;
	return () => {
		// Behind an answer, the server sets another time, for an idle connection.
		if (!isOver && !socket.destroyed) socket.setTimeout(0);
		isOver = true;
	};
}

/** Cuts a client off that takes too long to read an answer which waits in memory. */
export function limitReadTime(response: ServerResponse, milliseconds: number): void {
	// Nearly every answer has gone at once.
	if (response.writableFinished) return;
	const timer = setTimeout(() => response.destroy(), milliseconds).unref();
	response.once('close', () => clearTimeout(timer));
}
