import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { eventually } from './eventually.ts';
import { startProgram } from './programs.ts';

export interface S3Server {
	readonly endpoint: string;
	readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
	stop(): Promise<void>;
}

/** A server that speaks S3, from PyPI's `moto[server]`, on a free port of the loopback. `stop` has to be called. */
export async function startS3Server(program: string): Promise<S3Server> {
	const server = startProgram(program, ['-H', '127.0.0.1', '-p', '0'], { PYTHONUNBUFFERED: '1' });
	const address = /Running on (http:\/\/127\.0\.0\.1:\d+)/;
	const line = await eventually(
		'the S3 server listens',
		() => server.lines.find((each) => address.test(each)) ?? '',
		(found) => found !== '',
		30_000,
	).catch(async (error: unknown) => {
		await server.stop();
		throw error;
	});
	const [, endpoint = ''] = address.exec(line) ?? [];
	return { endpoint, credentials: { accessKeyId: 'test', secretAccessKey: 'test-secret' }, stop: server.stop };
}

export async function createBucket({ endpoint, credentials }: S3Server, bucket: string): Promise<void> {
	const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
	await client.send(new CreateBucketCommand({ Bucket: bucket }));
	client.destroy();
}
