/** Contents in a bucket of an S3-compatible store. */
export { openS3Contents, type S3ContentsOptions } from './s3-contents.ts';
