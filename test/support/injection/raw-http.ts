import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface RawAnswer {
	readonly status: number;
	readonly headers: IncomingHttpHeaders;
	readonly text: string;
}

export interface RawCall {
	readonly method: string;
	/** As it is, with its query. */
	readonly path: string;
	readonly user: string;
	readonly headers?: Readonly<Record<string, string | readonly string[]>>;
	readonly body?: string | Buffer;
}

export type RawHttp = ReturnType<typeof createRawHttp>;

/** Calls that no library puts right: paths and headers go out as they are given. */
export function createRawHttp(url: string) {
	const { hostname, port } = new URL(url);
	const agent = new Agent({ keepAlive: true, maxSockets: 16 });

	function call({ method, path, user, headers = {}, body }: RawCall): Promise<RawAnswer> {
		return new Promise((resolve, reject) => {
			const authorization = `Basic ${Buffer.from(user).toString('base64')}`;
			// Without it, Node sends the body of a DELETE as if it were the next request.
			const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
			const all = { authorization, ...length, ...headers };
			const sent = request({ agent, hostname, port, method, path, headers: all });
			sent.on('error', reject);
			sent.on('response', (response) => {
				const chunks: Buffer[] = [];
				response.on('data', (chunk) => chunks.push(chunk));
				response.on('error', reject);
				response.on('end', () =>
					resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString('utf8') }),
				);
			});
			sent.end(body);
		});
	}

	return { call, close: () => agent.destroy() };
}

/** What is wrong with the answer to a call that nobody should have made, or `undefined`: a success, or a refusal that is clear. */
export function answerFault({ status, headers, text }: RawAnswer): string | undefined {
	if (Reflect.get({}, 'polluted') !== undefined) return 'a prototype was polluted';
	if ('x-injected' in headers) return 'a header was injected';
	if (status < 400) return undefined;
	if (status >= 500) return `answered ${status}: ${text.slice(0, 300)}`;
	if (!headers['content-type']?.startsWith('application/json')) return `answered ${status} without JSON: ${text.slice(0, 300)}`;
	const { error, message } = JSON.parse(text);
	if (typeof error !== 'string' || typeof message !== 'string' || message === '') return `answered ${status} without a message`;
	if (/[\p{Cc}\p{Bidi_Control}]/u.test(message))
		return `answered ${status} with a message that steers a terminal: ${text.slice(0, 300)}`;
	if (message.length > 2000) return `answered ${status} with a message of ${message.length} characters`;
	return undefined;
}
