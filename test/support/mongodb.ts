import { MongoClient } from 'mongodb';

/** A database that nobody else uses, on the server of this run. */
export interface MongoDatabase {
	readonly url: string;
	readonly database: string;
	drop(): Promise<void>;
}

let made = 0;

/** The server is the one that `MONGODB_TEST_URL` names. */
export function freshMongoDatabase(url = process.env.MONGODB_TEST_URL): MongoDatabase {
	if (!url) throw new Error('MONGODB_TEST_URL names no server: see test/README.md');
	const database = `test-${process.pid}-${Date.now().toString(36)}-${made++}`;
	return {
		url,
		database,
		drop: async () => {
			const client = new MongoClient(url, { serverSelectionTimeoutMS: 5000 });
			try {
				await client.db(database).dropDatabase();
			} finally {
				await client.close();
			}
		},
	};
}
