import { randomUUID } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
	AbortMultipartUploadCommand,
	DeleteObjectCommand,
	GetObjectCommand,
	HeadBucketCommand,
	ListMultipartUploadsCommand,
	paginateListObjectsV2,
	S3Client,
	S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import {
	type ByteRange,
	type ContentStore,
	ContentStoreError,
	createContentDigest,
	type KeptContent,
	type LinkOptions,
	type StoredContent,
} from '../index.ts';

export interface S3ContentsOptions {
	readonly bucket: string;
	/** Before the names of all objects. */
	readonly prefix: string;
	readonly region: string;
	/** Address of a store that is not Amazon's. */
	readonly endpoint?: string;
	/** Whether the bucket is in the path of an address, not in the host name. */
	readonly hasPathStyle: boolean;
	/** Without them, the SDK looks where it always looks: its own files, the machine's role. */
	readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
	/** How long an address for a direct download is good. */
	readonly linkSeconds: number;
	/** How long the store has to answer one request, in which up to 8 MiB are sent. */
	readonly timeoutMilliseconds: number;
}

const partBytes = 8 * 1024 * 1024;
const partsAtOnce = 2;

/** Opens a bucket that exists. A content is one object with a name of its own: a multipart upload shows when it is complete. */
export async function openS3Contents(options: S3ContentsOptions): Promise<ContentStore> {
	const { bucket, prefix, region, endpoint, hasPathStyle, credentials, linkSeconds, timeoutMilliseconds } = options;
	const client = new S3Client({
		region,
		forcePathStyle: hasPathStyle,
		...(endpoint !== undefined && { endpoint }),
		...(credentials && { credentials }),
		requestHandler: {
			connectionTimeout: timeoutMilliseconds,
			requestTimeout: timeoutMilliseconds,
			throwOnRequestTimeout: true,
			// Each download has one for as long as its client takes: where they are few, the others would wait.
			httpAgent: { maxSockets: Number.POSITIVE_INFINITY },
			httpsAgent: { maxSockets: Number.POSITIVE_INFINITY },
		},
		// Stores that are not Amazon's do not all know its newer checksums.
		requestChecksumCalculation: 'WHEN_REQUIRED',
		responseChecksumValidation: 'WHEN_REQUIRED',
	});
	await call(client.send(new HeadBucketCommand({ Bucket: bucket })));
	const at = (key: string) => ({ Bucket: bucket, Key: prefix + key });

	async function put(source: Readable): Promise<StoredContent> {
		const key = randomUUID();
		const digest = createContentDigest();
		const body = new PassThrough();
		const upload = new Upload({ client, params: { ...at(key), Body: body }, partSize: partBytes, queueSize: partsAtOnce });
		try {
			await Promise.all([pipeline(source, digest.tap, body), upload.done()]);
		} catch (error) {
			const fault = source.errored ?? toStoreError(error);
			source.destroy();
			// Whatever stays now is found among the leftovers.
			await Promise.allSettled([upload.abort(), remove(key)]);
			throw fault;
		}
		return { key, ...digest.finish() };
	}

	async function open(key: string, range?: ByteRange): Promise<Readable> {
		const part = range && { Range: `bytes=${range.start}-${range.end}` };
		const { Body } = await call(client.send(new GetObjectCommand({ ...at(key), ...part })));
		if (!(Body instanceof Readable)) throw new ContentStoreError('unavailable', 'the store answered without a body');
		return Body;
	}

	async function remove(key: string): Promise<void> {
		await call(client.send(new DeleteObjectCommand(at(key))));
		for await (const { name, uploadId } of unfinishedUploads(prefix + key)) {
			if (name === prefix + key) await abort(name, uploadId);
		}
	}

	async function abort(name: string, uploadId: string): Promise<void> {
		const command = new AbortMultipartUploadCommand({ Bucket: bucket, Key: name, UploadId: uploadId });
		await call(client.send(command)).catch((error: unknown) => {
			if (!(error instanceof ContentStoreError) || error.fault !== 'missing') throw error;
		});
	}

	async function* list(): AsyncGenerator<KeptContent> {
		for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix }))
			for (const { Key, LastModified } of Contents) if (Key !== undefined) yield keptOf(Key, LastModified);
		for await (const { name, initiated } of unfinishedUploads(prefix)) yield keptOf(name, initiated);
	}

	function keptOf(name: string, time: Date | undefined): KeptContent {
		return { key: name.slice(prefix.length), writtenAt: time?.getTime() ?? Number.POSITIVE_INFINITY };
	}

	async function* unfinishedUploads(names: string) {
		let markers: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
		while (markers) {
			const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: names, ...markers });
			const page = await call(client.send(command));
			for (const { Key, UploadId, Initiated } of page.Uploads ?? [])
				if (Key !== undefined && UploadId !== undefined) yield { name: Key, uploadId: UploadId, initiated: Initiated };
			markers =
				page.IsTruncated && page.NextKeyMarker !== undefined
					? { KeyMarker: page.NextKeyMarker, ...(page.NextUploadIdMarker && { UploadIdMarker: page.NextUploadIdMarker }) }
					: undefined;
		}
	}

	async function link(key: string, { contentType, contentDisposition }: LinkOptions): Promise<string> {
		const command = new GetObjectCommand({
			...at(key),
			ResponseContentType: contentType,
			ResponseContentDisposition: contentDisposition,
		});
		return getSignedUrl(client, command, { expiresIn: linkSeconds });
	}

	async function close(): Promise<void> {
		client.destroy();
	}

	return { put, open, remove, list, link, close };
}

async function call<T>(work: Promise<T>): Promise<T> {
	return work.catch((error: unknown) => {
		throw toStoreError(error);
	});
}

const missingNames: readonly string[] = ['NoSuchKey', 'NotFound', 'NoSuchUpload'];
const fullNames: readonly string[] = ['XMinioStorageFull', 'QuotaExceeded', 'InsufficientStorage'];
const networkCodes: readonly unknown[] = ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE'];

function toStoreError(error: unknown): unknown {
	if (error instanceof S3ServiceException) {
		const fault = missingNames.includes(error.name) ? 'missing' : fullNames.includes(error.name) ? 'full' : 'unavailable';
		return new ContentStoreError(fault, `${error.name}: ${error.message}`, { cause: error });
	}
	const code = error instanceof Error && 'code' in error ? error.code : undefined;
	if (networkCodes.includes(code))
		return new ContentStoreError('unavailable', `the store cannot be reached: ${String(code)}`, { cause: error });
	return error;
}
