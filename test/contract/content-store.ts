import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileContents } from '../../store/files/index.ts';
import { openGridFsContents } from '../../store/gridfs/index.ts';
import { openS3Contents } from '../../store/s3/index.ts';
import { createBucket, startS3Server } from '../support/s3-server.ts';
import { describeWhere, skipUnless } from '../support/skip.ts';
import { runContentStoreContract } from './content-store.contract.ts';

let made = 0;
const freshName = () => `c${process.pid}-${++made}`;

describe('contract/content-store of files', () => {
	const directories: string[] = [];
	after(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true }))));
	runContentStoreContract({
		name: 'files in a directory',
		open: async () => {
			const directory = await mkdtemp(join(tmpdir(), 'contents-'));
			directories.push(directory);
			return openFileContents({ directory, minFreeBytes: 0, isExclusive: true });
		},
	});
	runContentStoreContract({
		name: 'files that go with the process',
		open: () => openFileContents({ minFreeBytes: 0, isExclusive: true }),
	});
});

const url = process.env.MONGODB_TEST_URL ?? '';
describeWhere(url !== '', 'contract/content-store of GridFS', 'MONGODB_TEST_URL does not name a MongoDB', () => {
	runContentStoreContract({
		name: 'GridFS',
		open: () => {
			const address = new URL(url);
			address.pathname = `/${freshName()}`;
			return openGridFsContents({ url: address.href, timeoutMilliseconds: 5000 });
		},
	});
});

describe('contract/content-store of S3', () => {
	let server: Awaited<ReturnType<typeof startS3Server>> | undefined;
	const program = process.env.MOTO_SERVER ?? '';
	before(async function () {
		this.timeout(60_000);
		skipUnless(program !== '', 'MOTO_SERVER does not name the program of moto[server]').call(this);
		server = await startS3Server(program);
	});
	after(() => server?.stop());
	runContentStoreContract({
		name: 'S3',
		open: async () => {
			if (!server) throw new Error('the server is not there');
			const bucket = freshName();
			const { endpoint, credentials } = server;
			await createBucket(server, bucket);
			return openS3Contents({
				bucket,
				prefix: 'binaries/',
				region: 'us-east-1',
				endpoint,
				hasPathStyle: true,
				credentials,
				linkSeconds: 60,
				timeoutMilliseconds: 30_000,
			});
		},
	});
});
