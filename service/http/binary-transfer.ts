import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { EventError } from '../../events/index.ts';
import { InventoryError, type ReceivedBytes, type WithBytes } from '../../inventory/index.ts';
import { contentFaultOf } from '../store-fault.ts';
import { dispositionOf, planDownload } from './binary-download.ts';
import { announcedDigests } from './content-digest.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { type FilePart, readMultipartForm } from './multipart-form.ts';
import type { Reply } from './reply.ts';
import type { IncomingCall } from './route.ts';

/** What a form may have beside its file and its description. */
const formOverheadBytes = 64 * 1024;
const defaultType = 'application/octet-stream';

export const bytesSchema = z.string().meta({ description: 'Any bytes', override: { format: 'binary' } });
export const uploadRefusals = [
	'binary/tooLarge',
	'binary/quotaExceeded',
	'binary/storeFull',
	'http/unsupportedMediaType',
] as const;
export const formRefusals = ['http/malformedMultipart', 'http/malformedJson', 'http/invalidBody'] as const;

export const downloadAnswers = {
	200: { description: 'All bytes', schema: bytesSchema, mediaType: '*/*' },
	206: { description: 'The bytes of the range', schema: bytesSchema, mediaType: '*/*' },
	304: { description: 'The caller has these bytes' },
	307: { description: 'The bytes are at the address in Location for a while' },
};
export const downloadRefusals = ['inventory/notFound', 'http/preconditionFailed', 'http/rangeNotSatisfiable'] as const;

/** A file that came in a form. */
export interface ReceivedForm {
	readonly fields: ReadonlyMap<string, string>;
	readonly received: ReceivedBytes;
	readonly file: FilePart;
	/** Of the file; what is none goes for any bytes. */
	readonly contentType: string;
}

type Upload = Pick<IncomingCall, 'headers' | 'readStream'>;

/** How files come and go over HTTP. */
export function openBinaryTransfer({ binaries, options }: Pick<HttpServices, 'binaries' | 'options'>) {
	/**
	 * Stores the file of a form; the bytes have to be given to something, or discarded.
	 * @throws HttpError; InventoryError `binary/tooLarge`, `binary/quotaExceeded`; ContentStoreError
	 */
	async function receiveForm(tenant: string, { headers, readStream }: Upload): Promise<ReceivedForm> {
		const overhead = formOverheadBytes + options.objectMaxBytes;
		await binaries.checkRoom(tenant, Math.max(0, announcedLength(headers) - overhead));
		const form = await readMultipartForm(
			{ headers, body: readStream(), limits: { fieldMaxBytes: options.objectMaxBytes } },
			({ stream }) => binaries.receive(tenant, stream),
			binaries.discard,
		);
		return { ...form, contentType: mediaTypeOf(form.file.contentType) };
	}

	/**
	 * Stores the body as it is; the bytes have to be given to something, or discarded.
	 * @throws HttpError; InventoryError `binary/tooLarge`, `binary/quotaExceeded`; ContentStoreError
	 */
	async function receiveRaw(
		tenant: string,
		{ headers, readStream }: Upload,
	): Promise<{ readonly received: ReceivedBytes; readonly contentType: string }> {
		const contentType = rawTypeOf(headers['content-type'], headers['content-encoding']);
		refusePart(headers['content-range']);
		const announced = announcedDigests(headers);
		await binaries.checkRoom(tenant, announcedLength(headers));
		const body = readStream();
		const received = await binaries.receive(tenant, body).catch((error: unknown) => {
			// Whoever stops reading the body ends it as well: what stopped it is the answer then.
			if (!body.errored || error instanceof InventoryError || contentFaultOf(error)) throw error;
			throw new HttpError('http/badRequest', 'The body did not arrive whole');
		});
		await discarding(received, async () => checkDigests(received, announced));
		return { received, contentType };
	}

	/** Runs what comes before the bytes belong to something; they go when it fails. */
	async function discarding<T>(received: ReceivedBytes, work: () => Promise<T>): Promise<T> {
		try {
			return await work();
		} catch (error) {
			const isRefusal = error instanceof HttpError || error instanceof InventoryError || error instanceof EventError;
			if (isRefusal) await binaries.discard(received);
			throw error;
		}
	}

	/** @throws HttpError `http/preconditionFailed`, `http/rangeNotSatisfiable`; InventoryError `inventory/notFound` */
	async function download(
		file: WithBytes & { readonly name: string },
		{ isHead, headers }: Pick<IncomingCall, 'isHead' | 'headers'>,
		isByDevice: boolean,
	): Promise<Reply> {
		const plan = planDownload({ facts: file.binary, name: file.name, isHead, headers });
		if (plan.status === 304 || isHead) return plan;
		const mayRedirect = options.binaryRedirect === 'everybody' || (options.binaryRedirect === 'users' && !isByDevice);
		const location = mayRedirect ? await binaries.link(file, dispositionOf(file.name)) : undefined;
		if (location !== undefined) return { status: 307, headers: { Location: location } };
		return { status: plan.status, headers: plan.headers, stream: await binaries.open(file, plan.range) };
	}

	return { receiveForm, receiveRaw, discarding, download };
}

export function isForm(contentType: string | undefined): boolean {
	return contentType?.trim().toLowerCase().startsWith('multipart/form-data') ?? false;
}

function announcedLength(headers: IncomingHttpHeaders): number {
	return Number(headers['content-length'] ?? 0);
}

/** What goes back into a header later. */
function mediaTypeOf(text: string): string {
	return /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}(;[\x20-\x7e]{0,200})?$/.test(text) ? text : defaultType;
}

function rawTypeOf(type: string | undefined, encoding: string | undefined): string {
	if (isForm(type) || (encoding !== undefined && encoding !== 'identity'))
		throw new HttpError(
			'http/unsupportedMediaType',
			'Send the bytes of the file themselves as the body: no form, and not packed',
		);
	return type === undefined ? defaultType : mediaTypeOf(type);
}

/** A part must not take the place of the whole. [RFC 9110, 14.5] */
function refusePart(contentRange: string | undefined): void {
	if (contentRange !== undefined)
		throw new HttpError('http/badRequest', 'Send the whole file, without Content-Range: no part of one is replaced');
}

/** @throws HttpError `http/invalidBody` where a SHA-256 that was sent along is not that of the body */
function checkDigests({ sha256 }: ReceivedBytes, announced: readonly string[]): void {
	const own = Buffer.from(sha256, 'hex').toString('base64');
	const other = announced.find((digest) => digest !== own);
	if (other !== undefined)
		throw new HttpError('http/invalidBody', `The body has the SHA-256 ${own}, and its header says ${other}: send it again`);
}
