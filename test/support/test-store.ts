import { MongoClient } from 'mongodb';
import type { DocumentStore } from '../../store/index.ts';
import { openMongoStore } from '../../store/mongodb/index.ts';
import { openSqliteStore } from '../../store/sqlite/index.ts';
import { isOnMongoDb } from './named-stores.ts';

/** A database that nobody else uses. */
export interface MongoDatabase {
	readonly url: string;
	readonly database: string;
	drop(): Promise<void>;
}

let made = 0;

/** On the server of this run, unless another one is named. */
export function freshMongoDatabase(url = process.env.MONGODB_TEST_URL): MongoDatabase {
	if (!url) {
		throw new Error('STORES names mongodb, and MONGODB_TEST_URL no server: run npx tsx test/support/mongodb.ts -- npm test');
	}
	const database = `test-${process.pid}-${Date.now().toString(36)}-${made++}`;
	return {
		url,
		database,
		drop: async () => {
			// The server goes with all it has, and dropping a database takes it seconds in which nobody else is served.
			if (process.env.MONGODB_TEST_SERVER_ENDS === 'true') return;
			const client = new MongoClient(url, { serverSelectionTimeoutMS: 5000 });
			try {
				await client.db(database).dropDatabase();
			} finally {
				await client.close();
			}
		},
	};
}

/** An empty store on the engine of this run; nothing of it is left when it is closed. */
export async function openTestStore(now: () => number): Promise<DocumentStore> {
	if (!isOnMongoDb) return openSqliteStore({ directory: ':memory:', now });
	const database = freshMongoDatabase();
	const store = await openMongoStore({ ...database, now });
	const close = async (): Promise<void> => {
		await store.close();
		await database.drop();
	};
	let closed: Promise<void> | undefined;
	return {
		...store,
		close: () => {
			closed ??= close();
			return closed;
		},
	};
}
