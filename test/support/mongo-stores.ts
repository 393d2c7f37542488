import { expect } from 'chai';
import { type DocumentStore, StoreError } from '../../store/index.ts';
import { type MongoStore, type MongoStoreOptions, openMongoStore } from '../../store/mongodb/index.ts';
import type { AnyDocument } from '../contract/engine.ts';
import { freshMongoDatabase, type MongoDatabase } from './test-store.ts';

/** A fresh database for each test, with stores on it that are closed after the test. */
export function useMongoStores() {
	const opened: MongoStore[] = [];
	let database: MongoDatabase;
	beforeEach(() => {
		database = freshMongoDatabase();
	});
	afterEach(async () => {
		await closeAll();
		await database.drop();
	});

	async function closeAll(): Promise<void> {
		await Promise.all(opened.splice(0).map((store) => store.close()));
	}

	async function open(options: Partial<MongoStoreOptions> = {}): Promise<MongoStore> {
		const { url, database: name } = database;
		const store = await openMongoStore({ url, database: name, now: Date.now, onFault: () => {}, ...options });
		opened.push(store);
		return store;
	}

	return { database: () => database, open, closeAll };
}

export async function thingsOf(store: DocumentStore) {
	return store.collection<AnyDocument>({ name: 'things', indexes: [{ name: 'owner', keys: ['owner'] }] });
}

/** What a call was refused with, as text; fails when it was not, or not with StoreError. */
export async function refusal(call: Promise<unknown>): Promise<string> {
	const error = await call.then(
		() => undefined,
		(reason: unknown) => reason,
	);
	expect(error).to.be.instanceOf(StoreError);
	return error instanceof Error ? `${error.message}\n${error.stack}\n${String(error.cause)}` : '';
}
