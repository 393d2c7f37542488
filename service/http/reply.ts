import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Every status that an answer can have. */
export const statuses = [
	200, 201, 204, 206, 302, 304, 307, 400, 401, 403, 404, 405, 408, 409, 412, 413, 414, 415, 416, 422, 429, 431, 500, 503, 507,
] as const;
export type Status = (typeof statuses)[number];

/** An answer: JSON, or bytes of another type, or a stream whose type and length are among the headers, or nothing. */
export interface Reply {
	readonly status: Status;
	readonly json?: unknown;
	readonly bytes?: string | Buffer;
	/** Media type of `bytes`. */
	readonly type?: string;
	readonly stream?: Readable;
	readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

export const noContent: Reply = { status: 204 };

export function ok(json: unknown): Reply {
	return { status: 200, json };
}

/** An answer whose JSON is text already. */
export function okText(json: string): Reply {
	return { status: 200, bytes: json, type: 'application/json' };
}

export function created(json: unknown): Reply {
	return { status: 201, json };
}

// Answers are of one caller and may hold credentials: nothing keeps, frames or guesses them.
const protection = {
	'Cache-Control': 'no-store',
	'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
	'Cross-Origin-Resource-Policy': 'same-origin',
	'Referrer-Policy': 'no-referrer',
	'X-Content-Type-Options': 'nosniff',
};

/** Sends an answer with the protecting headers; headers of the answer's own come before them. */
export function sendReply(response: ServerResponse, { status, json, bytes, type, headers }: Omit<Reply, 'stream'>): void {
	const body = json === undefined ? bytes : JSON.stringify(json);
	if (body === undefined) {
		response.writeHead(status, { ...protection, ...headers }).end();
		return;
	}
	const length = Buffer.byteLength(body);
	response.writeHead(status, {
		'Content-Type': type ?? 'application/json',
		'Content-Length': length,
		...protection,
		...headers,
	});
	// Text without other characters than ASCII goes out without being encoded.
	if (typeof body === 'string' && length === body.length) response.end(body, 'latin1');
	else response.end(body);
}

/** Sends an answer that is read from somewhere while it goes out; a client that goes away ends the reading. */
export async function sendStream(response: ServerResponse, { status, headers }: Reply, stream: Readable): Promise<void> {
	response.writeHead(status, { ...protection, ...headers });
	try {
		await pipeline(stream, response);
	} catch (error) {
		if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
	}
}
