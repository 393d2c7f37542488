import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { HttpError } from './http-error.ts';

/** The part with the bytes. */
export interface FilePart {
	readonly stream: Readable;
	readonly fileName?: string;
	readonly contentType: string;
}

export interface MultipartLimits {
	/** Bytes of a field. */
	readonly fieldMaxBytes: number;
}

const maxParts = 20;

/**
 * Reads a form with one file in the part `file`, with or without a file name, and text fields before and after it.
 * `receive` gets the file as it comes; `undo` gets its result when anything fails after it.
 * @throws HttpError `http/unsupportedMediaType`, `http/malformedMultipart`, `http/invalidBody`; what `receive` failed with
 */
export async function readMultipartForm<T>(
	{ headers, body, limits }: { readonly headers: IncomingHttpHeaders; readonly body: Readable; readonly limits: MultipartLimits },
	receive: (file: FilePart) => Promise<T>,
	undo: (received: T) => Promise<void>,
): Promise<{ readonly fields: ReadonlyMap<string, string>; readonly received: T; readonly file: FilePart }> {
	const parser = createParser(headers, limits);
	const fields = new Map<string, string>();
	let file: FilePart | undefined;
	let receiving: Promise<T> | undefined;

	const read = new Promise<void>((resolve, reject) => {
		parser.on('file', (_name: string, stream: Readable, fileName: string | undefined, _encoding: string, contentType: string) => {
			file = { stream, contentType, ...(fileName && { fileName }) };
			// Before whoever reads the stream hears of it: what broke is the form, unless the reader itself gave up.
			stream.on('error', (error) => error.name === 'AbortError' || reject(malformed(error)));
			receiving = receive(file);
			receiving.catch(reject);
		});
		parser.on('field', (name: string | undefined, value: string, _isNameTruncated: boolean, isTruncated: boolean) => {
			if (isTruncated) reject(invalid(`The part '${name}' is too large: at most ${limits.fieldMaxBytes} bytes are read`));
			else if (name !== undefined) fields.set(name, value);
		});
		parser.on('partsLimit', () => reject(invalid(`The form has too many parts: at most ${maxParts} are read`)));
		parser.on('fieldsLimit', () => reject(invalid(`The form has too many parts: at most ${maxParts} are read`)));
		parser.on('filesLimit', () => reject(invalid("The form has more than one part 'file': send one")));
		parser.on('error', (error: unknown) => reject(malformed(error)));
		parser.on('finish', resolve);
		body.once('error', (error) => reject(malformed(error)));
		body.once('close', () => body.readableEnded || reject(malformed(new Error('it did not arrive whole'))));
		body.pipe(parser);
	});

	try {
		await read;
		if (!receiving || !file) throw invalid("The form has no part 'file': it must hold the bytes");
		return { fields, received: await receiving, file };
	} catch (error) {
		body.unpipe(parser);
		parser.on('error', () => {});
		parser.destroy();
		file?.stream.destroy(new Error('The form was refused'));
		await receiving?.then(undo, () => {});
		throw error;
	}
}

function createParser(headers: IncomingHttpHeaders, { fieldMaxBytes }: MultipartLimits): BusboyInstance {
	const contentType = headers['content-type'] ?? '';
	if (!/^multipart\/form-data\s*(;|$)/i.test(contentType) || headers['content-encoding'] !== undefined)
		throw new HttpError('http/unsupportedMediaType', 'Send multipart/form-data, not packed, with the file in the part `file`');
	try {
		return new Busboy({
			headers: { ...headers, 'content-type': contentType },
			// By its name only: some clients send the file without a file name, and others the description with one.
			isPartAFile: (name) => name === 'file',
			limits: { fieldSize: fieldMaxBytes, fields: maxParts, files: 1, parts: maxParts, headerPairs: 20, headerSize: 16 * 1024 },
		});
	} catch (error) {
		throw new HttpError(
			'http/malformedMultipart',
			`Content-Type: ${error instanceof Error ? error.message : 'it is not readable'}`,
		);
	}
}

function malformed(error: unknown): HttpError {
	return new HttpError(
		'http/malformedMultipart',
		`The form cannot be read: ${error instanceof Error ? error.message : 'it is broken'}`,
	);
}

function invalid(message: string): HttpError {
	return new HttpError('http/invalidBody', message);
}
