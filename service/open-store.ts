import type { Logger } from 'pino';
import type { Config } from '../config/index.ts';
import type { DocumentStore } from '../store/index.ts';
import { openMongoStore } from '../store/mongodb/index.ts';
import { hasSqliteStore, openSqliteStore } from '../store/sqlite/index.ts';

export interface OpenedStore {
	readonly store: DocumentStore;
	/** Where the data is, in words, without secrets. */
	readonly place: string;
	/** Whether other processes may work on it too. */
	readonly isShared: boolean;
	close(): Promise<void>;
}

/** Opens the store that the configuration chooses. @throws Error that names the setting */
export async function openStore(config: Config, log: Logger, now: () => number): Promise<OpenedStore> {
	const onFault = (error: Error) => log.error({ err: error }, 'a fault in the store');
	const { groupMaxSteps: maxGroupSteps, waitingMaxBatches: maxWaitingBatches, waitingMaxBytes: maxWaitingBytes } = config.store;
	const common = { now, onFault, maxGroupSteps, maxWaitingBatches, maxWaitingBytes };
	const { mongodb } = config;
	const url = mongodb.url?.reveal();
	if (url === undefined) {
		const { dataDir: directory, minFreeBytes, checkMaxBytes } = config.store;
		const onFilled = tellingOfIndexes(log);
		const store = await openSqliteStore({ ...common, directory, minFreeBytes, checkMaxBytes, onFilled }).catch(
			naming('DATA_DIR'),
		);
		return { store, place: directory === ':memory:' ? 'in memory only' : directory, isShared: false, close: store.close };
	}
	const opening = openMongoStore({
		...common,
		url,
		...(mongodb.database !== undefined && { database: mongodb.database }),
		maxPoolSize: mongodb.poolMax,
		minPoolSize: mongodb.poolMin,
		serverSelectionTimeoutMilliseconds: mongodb.serverSelectionTimeoutSeconds * 1000,
		connectTimeoutMilliseconds: mongodb.connectTimeoutSeconds * 1000,
		socketTimeoutMilliseconds: mongodb.answerTimeoutSeconds * 1000,
		transactionTimeoutMilliseconds: mongodb.transactionTimeoutSeconds * 1000,
		heartbeatMilliseconds: mongodb.heartbeatSeconds * 1000,
		// Its transactions are ended before others take over what it holds by a lease.
		silentMilliseconds: (config.processes.leaseSeconds * 1000) / 2,
		maxGroupBytes: mongodb.groupMaxBytes,
		maxGroupsInFlight: mongodb.groupsInFlight,
	});
	const store = await opening.catch(naming('MONGODB_URL'));
	return { store, place: `MongoDB ${store.name}`, isShared: true, close: store.close };
}

const documentsALine = 100_000;

/** A line in the log for many documents that got into new indexes. */
function tellingOfIndexes(log: Logger): (collection: string, documents: number) => void {
	const told = new Map<string, number>();
	return (collection, documents) => {
		if (documents - (told.get(collection) ?? 0) < documentsALine) return;
		told.set(collection, documents);
		log.info({ collection, documents }, 'stored documents are put into new indexes; the service starts when all are');
	};
}

/** Whether there is something to open; of MongoDB only opening it tells. */
export function hasStore({ mongodb, store: { dataDir } }: Config): boolean {
	return mongodb.url !== undefined || hasSqliteStore(dataDir);
}

function naming(setting: string): (error: unknown) => never {
	return (error) => {
		throw new Error(`${setting}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
	};
}
