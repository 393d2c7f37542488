import type { IncomingMessage, ServerResponse } from 'node:http';
import { raw } from 'express';
import type { z } from 'zod';
import { readJson as readJsonText } from '../json-text.ts';
import { HttpError } from './http-error.ts';
import { decodeJson } from './json-decode.ts';
import { isFormType, isJsonType } from './media-type.ts';

/** Reads JSON bodies and forms, within limits. */
export function createBodyReader({
	bodyMaxBytes,
	formMaxBytes,
	jsonMaxDepth,
}: {
	readonly bodyMaxBytes: number;
	readonly formMaxBytes: number;
	readonly jsonMaxDepth: number;
}) {
	const bytesOfJson = createBytesReader(bodyMaxBytes);
	const bytesOfForm = createBytesReader(formMaxBytes);

	/** @throws HttpError `http/missingBody`, `http/malformedJson`, `http/bodyTooLarge`, `http/unsupportedMediaType` */
	async function readJson(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
		const type = request.headers['content-type'];
		if (type !== undefined && !isJsonType(type)) {
			request.resume();
			throw new HttpError('http/unsupportedMediaType', `Content-Type '${type.slice(0, 100)}' is not read: send application/json`);
		}
		const body = await bytesOfJson(request, response);
		if (body.length === 0) throw new HttpError('http/missingBody', 'The body is empty: send JSON');
		return parseJsonText(body, jsonMaxDepth);
	}

	/**
	 * A form in the way of a query string; of fields that come twice, the last one.
	 * @throws HttpError `http/invalidBody`, `http/bodyTooLarge`, `http/unsupportedMediaType`
	 */
	async function readForm<S extends z.ZodType>(
		request: IncomingMessage,
		response: ServerResponse,
		schema: S,
	): Promise<z.output<S>> {
		if (!isFormType(request.headers['content-type'] ?? '')) {
			request.resume();
			throw new HttpError('http/unsupportedMediaType', 'Send application/x-www-form-urlencoded');
		}
		const body = await bytesOfForm(request, response);
		return decodeJson(schema, Object.fromEntries(new URLSearchParams(body.toString('utf8'))));
	}

	return { readJson, readForm };
}

function createBytesReader(maxBytes: number) {
	const readBytes = raw({ type: () => true, limit: maxBytes });
	return (request: IncomingMessage & { body?: unknown }, response: ServerResponse): Promise<Buffer> =>
		new Promise((resolve, reject) => {
			readBytes(request, response, (fault: unknown) => {
				if (fault !== undefined) reject(toHttpError(fault, maxBytes));
				else resolve(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
			});
		});
}

function toHttpError(fault: unknown, maxBytes: number): unknown {
	const status = typeof fault === 'object' && fault !== null && 'status' in fault ? fault.status : undefined;
	if (status === 413) return new HttpError('http/bodyTooLarge', `The body is too large: at most ${maxBytes} bytes are read`);
	if (status === 415)
		return new HttpError('http/unsupportedMediaType', 'Content-Encoding is not read: send gzip, deflate, br or identity');
	if (status === 400)
		return new HttpError('http/badRequest', 'The body did not arrive whole, or is not packed as its headers say');
	return fault;
}

/** @throws HttpError `http/malformedJson` */
export function parseJsonText(text: string | Buffer, jsonMaxDepth: number): unknown {
	const read = readJsonText(text, jsonMaxDepth);
	if (!read.ok) throw new HttpError('http/malformedJson', `The body ${read.fault}`);
	return read.value;
}
