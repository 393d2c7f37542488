import { type Db, type DbOptions, MongoClient, type MongoClientOptions, ReadConcern } from 'mongodb';
import { StoreError } from '../document-store.ts';
import { type Endpoint, messageOf, toStoreError } from './explain-error.ts';
import { mendLostConnections } from './lost-connections.ts';

export interface ConnectionOptions {
	/** `mongodb://…` or `mongodb+srv://…`. What it says of concerns and preferences does not count. */
	readonly url: string;
	/** Wins over the one in the URL's path; `deviceSoftware` where neither names one. */
	readonly database?: string;
	/** By which the database's log and monitoring name this program. */
	readonly appName?: string;
	readonly maxPoolSize?: number;
	readonly minPoolSize?: number;
	/** How long a call waits for a primary. */
	readonly serverSelectionTimeoutMilliseconds?: number;
	readonly connectTimeoutMilliseconds?: number;
	/** Between two looks at each server, by which a call hears that its server does not answer at all. */
	readonly heartbeatMilliseconds?: number;
	/** How long a call waits for its answer. */
	readonly socketTimeoutMilliseconds?: number;
	/** Hears of each command that is sent: its name, and the collection where it is about one. */
	readonly onCommand?: (name: string, collection: string | undefined) => void;
}

/** A database that can be used: reachable, a replica set. */
export interface Connection {
	readonly client: MongoClient;
	readonly db: Db;
	readonly endpoint: Endpoint;
}

const defaultDatabase = 'deviceSoftware';

/**
 * What is acknowledged outlives the loss of any one server, and what is read cannot be taken back. Asked for by the database:
 * the driver lets `journal`, `wtimeoutMS` and `readConcernLevel` of a URL win over those of its client.
 */
const concerns: DbOptions = {
	writeConcern: { w: 'majority', journal: true },
	readConcern: new ReadConcern('majority'),
	readPreference: 'primary',
};

/** Connects and looks at what is there. @throws StoreError that tells what to do */
export async function connect(options: ConnectionOptions): Promise<Connection> {
	const { url, serverSelectionTimeoutMilliseconds = 30_000, socketTimeoutMilliseconds = 60_000 } = options;
	mendLostConnections();
	const client = createClient(url, {
		appName: options.appName ?? 'device-software-management',
		maxPoolSize: options.maxPoolSize ?? 50,
		minPoolSize: options.minPoolSize ?? 0,
		serverSelectionTimeoutMS: serverSelectionTimeoutMilliseconds,
		waitQueueTimeoutMS: serverSelectionTimeoutMilliseconds,
		connectTimeoutMS: options.connectTimeoutMilliseconds ?? 10_000,
		socketTimeoutMS: socketTimeoutMilliseconds,
		heartbeatFrequencyMS: options.heartbeatMilliseconds ?? 2000,
		retryReads: true,
		retryWrites: true,
		ignoreUndefined: true,
		monitorCommands: options.onCommand !== undefined,
	});
	client.on('commandStarted', ({ commandName, command }) => {
		const about: unknown = command[commandName === 'getMore' ? 'collection' : commandName];
		options.onCommand?.(commandName, typeof about === 'string' ? about : undefined);
	});
	const setNames = new Set<unknown>();
	client.on('serverHeartbeatSucceeded', ({ reply }) => setNames.add(reply.setName));
	const database = databaseNameOf(options);
	const hosts = client.options.srvHost ?? client.options.hosts.map((host) => host.toString()).join(',');
	const endpoint = { name: `${hosts}/${database}`, serverSelectionTimeoutMilliseconds, socketTimeoutMilliseconds };
	try {
		await client.connect();
		await checkTopology(client, endpoint);
		return { client, db: client.db(database, concerns), endpoint };
	} catch (error) {
		await client.close();
		throw wrongSetName(client.options.replicaSet, setNames, endpoint) ?? toStoreError(error, endpoint);
	}
}

// The driver's words about a URL may hold a piece of it, so they are not passed on.
function createClient(url: string, options: MongoClientOptions): MongoClient {
	try {
		return new MongoClient(url, options);
	} catch (error) {
		const isOption = /option|not supported|must be/i.test(messageOf(error));
		throw new StoreError(
			`the URL of the database is none that MongoDB's driver understands${isOption ? ' (one of its options is wrong)' : ''}; ` +
				'right is mongodb://user:password@host:27017/database?replicaSet=rs0, with special characters of user and password written as %40 and the like',
		);
	}
}

/** The database that an address stands for. */
export function databaseNameOf({ url, database }: Pick<ConnectionOptions, 'url' | 'database'>): string {
	return database ?? databaseOf(url) ?? defaultDatabase;
}

function databaseOf(url: string): string | undefined {
	const [, path] = /^mongodb(?:\+srv)?:\/\/[^/?]*\/([^/?]+)/.exec(url) ?? [];
	return path === undefined ? undefined : decodeURIComponent(path);
}

// The driver leaves servers with another name out, and then says only that it found none.
function wrongSetName(asked: string | undefined, found: ReadonlySet<unknown>, { name }: Endpoint): StoreError | undefined {
	if (asked === undefined || found.size === 0 || found.has(asked)) return undefined;
	const [other] = [...found].filter((each) => typeof each === 'string');
	if (other === undefined) return noReplicaSet(name);
	return new StoreError(
		`the MongoDB at ${name} belongs to the replica set '${other}', and the URL asks for '${asked}': write replicaSet=${other} there`,
	);
}

async function checkTopology(client: MongoClient, { name }: Endpoint): Promise<void> {
	const hello = await client.db('admin').command({ hello: 1 });
	// A router of a sharded cluster has replica sets behind it.
	if (typeof hello.setName === 'string' || hello.msg === 'isdbgrid') return;
	throw noReplicaSet(name);
}

function noReplicaSet(name: string): StoreError {
	return new StoreError(
		`the MongoDB at ${name} is no replica set, and without one it has neither transactions nor change streams. A single server will do: ` +
			'start it with `mongod --replSet rs0`, run `rs.initiate()` once in `mongosh`, and add `?replicaSet=rs0` to the URL ' +
			'(or `?directConnection=true` where the name that the server calls itself by cannot be reached from here)',
	);
}
