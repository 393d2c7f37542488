import { z } from 'zod';
import { mongodbUrl, oneOf, optional, secretText, setting, text, wholeNumber, yesOrNo } from './setting.ts';

const mebibyte = 1024 * 1024;
const seconds = wholeNumber(1, 86_400);
/** As many digits as a setting may have. */
const mostBytes = 999_999_999_999_999;

/** The settings of binaries, and of where their content is kept. */
export const binaries = z
	.object({
		store: optional(
			'BINARIES_STORE',
			oneOf(['files', 'gridfs', 's3']),
			'Where the content of binaries is kept: `files` in `DATA_DIR`, only with the embedded database, `gridfs` in a MongoDB, `s3` in a bucket. Unset means `files` with the embedded database and `gridfs` with `MONGODB_URL`.',
		),
		maxBytes: setting('BINARY_MAX_BYTES', wholeNumber(1, mostBytes), 4 * 1024 * mebibyte, 'Largest binary, in bytes.'),
		tenantMaxBytes: setting(
			'BINARIES_TENANT_MAX_BYTES',
			wholeNumber(0, mostBytes),
			0,
			'How many bytes all different binaries of one tenant may have together, unless the management tenant set another limit for it; 0 means no limit.',
		),
		uploadTimeoutSeconds: setting(
			'BINARY_UPLOAD_TIMEOUT_SECONDS',
			wholeNumber(1, 604_800),
			21_600,
			'Seconds that a client has to upload a binary, in place of HTTP_REQUEST_TIMEOUT_SECONDS.',
		),
		standstillSeconds: setting(
			'BINARY_STANDSTILL_SECONDS',
			seconds,
			60,
			'Seconds without a byte after which an upload or a download is cut off.',
		),
		sweepSeconds: setting(
			'BINARIES_SWEEP_SECONDS',
			seconds,
			30,
			'Seconds between two looks for content that lost its last binary, to remove it.',
		),
		leftoverAfterSeconds: setting(
			'BINARIES_LEFTOVER_AFTER_SECONDS',
			wholeNumber(60, 31_536_000),
			86_400,
			'How old, in seconds, content without a binary must be to be removed as what an ended process left; longer than any upload takes.',
		),
		mongodbUrl: optional(
			'BINARIES_MONGODB_URL',
			mongodbUrl,
			'Address of another MongoDB whose GridFS keeps binaries, with the name of the database; unset, that of `MONGODB_URL`.',
		),
		redirect: setting(
			'BINARIES_REDIRECT',
			oneOf(['nobody', 'users', 'everybody']),
			'nobody',
			'Whose downloads are sent on (307) to an address of the bucket itself, with `BINARIES_STORE=s3`; devices may not be able to follow. The content of all others passes through the service.',
		),
		s3Bucket: optional(
			'S3_BUCKET',
			text('the name of a bucket', /^[\w.-]{3,255}$/),
			'Bucket that keeps binaries; it must exist.',
		),
		s3Prefix: setting(
			'S3_PREFIX',
			text('up to 200 letters, digits and any of `._/-`', /^[\w./-]{0,200}$/),
			'binaries/',
			'What the names of all objects in the bucket begin with; nothing else may have such names.',
		),
		s3Region: setting('S3_REGION', text('the name of a region', /^[\w-]{1,64}$/), 'us-east-1', 'Region of the bucket.'),
		s3Endpoint: optional(
			'S3_ENDPOINT',
			text('an http or https URL', /^https?:\/\/[^\s/@]+\/?$/),
			"Address of a store that speaks S3 and is not Amazon's.",
		),
		s3PathStyle: setting(
			'S3_PATH_STYLE',
			yesOrNo,
			false,
			'Whether the bucket is in the path of addresses in place of the host name, as most stores other than Amazon want it.',
		),
		s3AccessKeyId: optional(
			'S3_ACCESS_KEY_ID',
			text('an access key id', /^\S{1,255}$/),
			"Access key id; unset, both are taken from where Amazon's SDK looks, such as the role of the machine.",
		),
		s3SecretAccessKey: optional('S3_SECRET_ACCESS_KEY', secretText, 'Secret access key of that id.'),
		s3TimeoutSeconds: setting(
			'S3_TIMEOUT_SECONDS',
			seconds,
			300,
			'Seconds that the bucket has to answer one request, in which up to 8 MiB are sent; it is sent three times at most.',
		),
		s3LinkSeconds: setting(
			'S3_LINK_SECONDS',
			wholeNumber(1, 604_800),
			300,
			'Seconds that an address to which a download is sent on is good for.',
		),
	})
	.describe('Binaries');
