import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config/index.ts';
import { type Inventory, openBinaries } from '../inventory/index.ts';
import { openFileContents } from '../store/files/index.ts';
import type { ContentStore } from '../store/index.ts';
import type { Job } from './scheduler.ts';

const gridFsTimeoutMilliseconds = 30_000;

const leftoversEveryMilliseconds = 3_600_000;

/** Binaries on an inventory and a store of bytes, with the jobs that keep order there. */
export function composeBinaries({
	config,
	inventory,
	contents,
	clock,
	log,
}: {
	readonly config: Pick<Config, 'binaries' | 'store'>;
	readonly inventory: Inventory;
	readonly contents: ContentStore;
	readonly clock: () => number;
	readonly log: Logger;
}) {
	const { maxBytes, tenantMaxBytes, leftoverAfterSeconds, sweepSeconds } = config.binaries;
	const limits = { maxBytes, tenantMaxBytes, leftoverAfterMilliseconds: leftoverAfterSeconds * 1000 };
	const binaries = openBinaries({ inventory, contents, clock, limits });

	async function run(what: string, sweep: Promise<number>): Promise<void> {
		const removed = await sweep;
		if (removed > 0) log.info({ removed }, what);
	}

	async function sweepLeftovers(before?: number): Promise<void> {
		return run('bytes that an ended process left were removed', binaries.sweepLeftovers(before));
	}

	const jobs: readonly Job[] = [
		{
			name: 'binary sweep',
			everyMilliseconds: sweepSeconds * 1000,
			run: () => run('bytes without a binary were removed', binaries.sweep()),
		},
		{ name: 'binary leftovers', everyMilliseconds: leftoversEveryMilliseconds, run: () => sweepLeftovers() },
	];
	const start = clock();
	const starting = (
		isForOneProcess(config.store) && engineOf(config) === 'files' ? sweepLeftovers(start) : sweepLeftovers()
	).catch((error: unknown) => log.error({ err: error }, 'what an ended process left could not be looked for'));

	async function close(): Promise<void> {
		binaries.close();
		await starting;
		await contents.close();
	}

	return { binaries, jobs, close };
}

/** Opens the store of bytes that the configuration names. */
export async function openContentStore({ binaries, store }: Pick<Config, 'binaries' | 'store'>): Promise<ContentStore> {
	const engine = engineOf({ binaries, store });
	return engines[engine]({ binaries, store }).catch((error: unknown) => {
		const reason = error instanceof Error ? error.message : String(error);
		throw new Error(`BINARIES_STORE: '${engine}' cannot be opened: ${reason}`, { cause: error });
	});
}

function engineOf({ binaries, store }: Pick<Config, 'binaries' | 'store'>) {
	return binaries.store ?? (isForOneProcess(store) ? 'files' : 'gridfs');
}

// The embedded database is.
function isForOneProcess({ mongodbUrl }: Config['store']): boolean {
	return mongodbUrl === undefined;
}

type Engine = (config: Pick<Config, 'binaries' | 'store'>) => Promise<ContentStore>;

// What an engine is made of is large: it is loaded by those who use it.
const engines: Readonly<Record<NonNullable<Config['binaries']['store']>, Engine>> = {
	files: ({ store }) =>
		openFileContents({
			...(store.dataDir !== ':memory:' && { directory: join(store.dataDir, 'binaries') }),
			minFreeBytes: store.minFreeBytes,
			isExclusive: isForOneProcess(store),
		}),
	gridfs: async ({ binaries: { mongodbUrl } }) => {
		if (!mongodbUrl) throw new Error('BINARIES_MONGODB_URL is not set');
		const { openGridFsContents } = await import('../store/gridfs/index.ts');
		return openGridFsContents({ url: mongodbUrl.reveal(), timeoutMilliseconds: gridFsTimeoutMilliseconds });
	},
	s3: async ({ binaries }) => {
		const { s3Bucket: bucket, s3Endpoint, s3AccessKeyId: accessKeyId, s3SecretAccessKey } = binaries;
		if (bucket === undefined) throw new Error('S3_BUCKET is not set');
		const { openS3Contents } = await import('../store/s3/index.ts');
		return openS3Contents({
			bucket,
			prefix: binaries.s3Prefix,
			region: binaries.s3Region,
			hasPathStyle: binaries.s3PathStyle,
			linkSeconds: binaries.s3LinkSeconds,
			...(s3Endpoint !== undefined && { endpoint: s3Endpoint }),
			...(accessKeyId !== undefined &&
				s3SecretAccessKey && { credentials: { accessKeyId, secretAccessKey: s3SecretAccessKey.reveal() } }),
		});
	},
};
