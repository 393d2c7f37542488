import type { Readable } from 'node:stream';
import { HttpError } from './http-error.ts';

/** A body that is no JSON, whole. @throws HttpError `http/bodyTooLarge` */
export async function readLimited(body: Readable, maxBytes: number): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let length = 0;
	for await (const chunk of body.iterator({ destroyOnReturn: false })) {
		length += chunk.length;
		if (length > maxBytes) {
			body.resume();
			throw new HttpError('http/bodyTooLarge', `The body is too large: at most ${maxBytes} bytes are read`);
		}
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}
