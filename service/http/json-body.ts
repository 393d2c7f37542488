import type { IncomingMessage, ServerResponse } from 'node:http';
import { raw } from 'express';
import type { z } from 'zod';
import { isDeeperThan } from '../../inventory/index.ts';
import { HttpError } from './http-error.ts';
import { decodeJson } from './json-decode.ts';
import { describeJsonFault } from './json-fault.ts';
import { isFormType, isJsonType } from './media-type.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

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
		return parseJsonText(textOf(body), jsonMaxDepth);
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
export function parseJsonText(text: string, jsonMaxDepth: number): unknown {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (error) {
		if (!(error instanceof SyntaxError)) throw error;
		throw new HttpError('http/malformedJson', `The body is not JSON at ${describeJsonFault(text)}`);
	}
	if (isDeeperThan(value, jsonMaxDepth))
		throw new HttpError('http/malformedJson', `The body is nested too deep: at most ${jsonMaxDepth} levels are read`);
	return value;
}

function textOf(body: Buffer): string {
	try {
		return utf8.decode(body);
	} catch (error) {
		if (!(error instanceof TypeError)) throw error;
		throw new HttpError('http/malformedJson', 'The body is not text in UTF-8');
	}
}
