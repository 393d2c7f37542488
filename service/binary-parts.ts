import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config/index.ts';
import { type Inventory, openBinaries } from '../inventory/index.ts';
import { openFileContents } from '../store/files/index.ts';
import type { ContentStore } from '../store/index.ts';
import { databaseNameOf } from '../store/mongodb/index.ts';
import type { Job } from './scheduler.ts';

const leftoversEveryMilliseconds = 3_600_000;

/** Binaries on an inventory and a store of bytes, with the jobs that keep order there. */
export function composeBinaries({
	config,
	tenantMaxBytes,
	inventory,
	contents,
	isShared,
	clock,
	log,
}: {
	readonly config: Config;
	/** How many bytes a tenant may have; 0 stands for no limit. */
	readonly tenantMaxBytes: (tenant: string) => Promise<number>;
	readonly inventory: Inventory;
	readonly contents: ContentStore;
	/** Whether other processes may have the same database. */
	readonly isShared: boolean;
	readonly clock: () => number;
	readonly log: Logger;
}) {
	const { maxBytes, leftoverAfterSeconds, sweepSeconds } = config.binaries;
	const limits = { maxBytes, tenantMaxBytes, leftoverAfterMilliseconds: leftoverAfterSeconds * 1000 };
	const binaries = openBinaries({ inventory, contents, clock, limits });

	async function run(what: string, sweep: Promise<number>): Promise<void> {
		const removed = await sweep;
		if (removed > 0) log.info({ removed }, what);
	}

	async function sweepLeftovers(before?: number): Promise<void> {
		return run('bytes that an ended process left were removed', binaries.sweepLeftovers(before));
	}

	// Any number of processes may sweep at a time, but one does it for all.
	const jobs: readonly Job[] = [
		{
			name: 'binary sweep',
			everyMilliseconds: sweepSeconds * 1000,
			once: true,
			run: () => run('bytes without a binary were removed', binaries.sweep()),
		},
		{ name: 'binary leftovers', everyMilliseconds: leftoversEveryMilliseconds, once: true, run: () => sweepLeftovers() },
	];
	const start = contentEngineOf(config) === 'files' ? clock() : undefined;
	const starting = isShared
		? undefined
		: sweepLeftovers(start).catch((error: unknown) =>
				log.error({ err: error }, 'what an ended process left could not be looked for'),
			);

	async function close(): Promise<void> {
		binaries.close();
		await starting;
		await contents.close();
	}

	return { binaries, jobs, close };
}

/** Opens the store of bytes that the configuration names. @throws Error that names the setting */
export async function openContentStore(config: Config, { isShared }: { readonly isShared: boolean }): Promise<ContentStore> {
	const engine = contentEngineOf(config);
	return engines[engine](config, isShared).catch((error: unknown) => {
		const reason = error instanceof Error ? error.message : String(error);
		throw new Error(`BINARIES_STORE: '${engine}' cannot be opened: ${reason}`, { cause: error });
	});
}

/** Which engine has the bytes of binaries. */
export function contentEngineOf({ binaries, mongodb }: Config) {
	return binaries.store ?? (mongodb.url === undefined ? 'files' : 'gridfs');
}

/** Whether two configurations lead to the same bytes. */
export function hasSameContents(one: Config, other: Config): boolean {
	const engine = contentEngineOf(one);
	return engine === contentEngineOf(other) && (engine === 's3' || one.binaries.mongodbUrl !== undefined);
}

/** Where the files of binaries are, beside an embedded database. */
export function filesFolderOf(dataDir: string): string {
	return join(dataDir, 'binaries');
}

type Engine = (config: Config, isShared: boolean) => Promise<ContentStore>;

// What an engine is made of is large: it is loaded by those who use it.
const engines: Readonly<Record<NonNullable<Config['binaries']['store']>, Engine>> = {
	files: ({ store }, isShared) =>
		openFileContents({
			...(store.dataDir !== ':memory:' && { directory: filesFolderOf(store.dataDir) }),
			minFreeBytes: store.minFreeBytes,
			isExclusive: !isShared,
		}),
	gridfs: async ({ binaries, mongodb }) => {
		const own = binaries.mongodbUrl;
		const url = (own ?? mongodb.url)?.reveal();
		if (url === undefined) throw new Error('neither BINARIES_MONGODB_URL nor MONGODB_URL is set');
		const { openGridFsContents } = await import('../store/gridfs/index.ts');
		return openGridFsContents({
			url,
			database: databaseNameOf({ url, ...(!own && mongodb.database !== undefined && { database: mongodb.database }) }),
			timeoutMilliseconds: mongodb.serverSelectionTimeoutSeconds * 1000,
			connectTimeoutMilliseconds: mongodb.connectTimeoutSeconds * 1000,
			heartbeatMilliseconds: mongodb.heartbeatSeconds * 1000,
			socketTimeoutMilliseconds: mongodb.answerTimeoutSeconds * 1000,
			maxPoolSize: mongodb.poolMax,
		});
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
			timeoutMilliseconds: binaries.s3TimeoutSeconds * 1000,
			...(s3Endpoint !== undefined && { endpoint: s3Endpoint }),
			...(accessKeyId !== undefined &&
				s3SecretAccessKey && { credentials: { accessKeyId, secretAccessKey: s3SecretAccessKey.reveal() } }),
		});
	},
};
