import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { lingerMilliseconds } from './body-time.ts';
import type { HttpErrorCode } from './http-error.ts';
import { docsPath, problems } from './problem.ts';

interface Unreadable {
	readonly code: HttpErrorCode;
	readonly message: string;
}

/** Answers what never became a request: a head that is too large, not HTTP, or too slow. A handler of `clientError`. */
export function createUnreadableAnswer({ headersMaxBytes }: { readonly headersMaxBytes: number }) {
	const answered = new WeakSet<Duplex>();

	return function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
		// More may come of what has been answered.
		if (answered.has(socket)) return;
		const unreadable = unreadableOf(error, headersMaxBytes);
		if (!unreadable || !socket.writable || hasAnswerBegun(socket)) {
			socket.destroy();
			return;
		}
		answered.add(socket);
		socket.end(textOf(unreadable));
		// A connection that is closed with bytes unread takes the answer with it.
		const timer = setTimeout(() => socket.destroy(), lingerMilliseconds).unref();
		socket.once('close', () => clearTimeout(timer));
	};
}

function unreadableOf({ code = '', message }: NodeJS.ErrnoException, headersMaxBytes: number): Unreadable | undefined {
	if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
		return { code: 'http/requestTimeout', message: 'The request did not arrive in time: send it again, faster' };
	if (code === 'HPE_HEADER_OVERFLOW')
		return {
			code: 'http/headersTooLarge',
			message: `The URL and the headers are too large: at most ${headersMaxBytes} bytes are read`,
		};
	if (code.startsWith('HPE_')) return { code: 'http/badRequest', message: `This is not HTTP/1.1: ${message}` };
	// The connection broke, or it is the TLS handshake that failed.
	return undefined;
}

/** As the server of Node looks at it: the answer that is on its way to this socket. */
function hasAnswerBegun(socket: Duplex): boolean {
	const answer: unknown = Reflect.get(socket, '_httpMessage');
	return typeof answer === 'object' && answer !== null && 'headersSent' in answer && answer.headersSent === true;
}

function textOf({ code, message }: Unreadable): string {
	const { status } = problems[code];
	const body = JSON.stringify({ error: code, message, info: docsPath });
	return [
		`HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
		'Content-Type: application/json',
		`Content-Length: ${Buffer.byteLength(body)}`,
		'X-Content-Type-Options: nosniff',
		'Connection: close',
		'',
		body,
	].join('\r\n');
}
