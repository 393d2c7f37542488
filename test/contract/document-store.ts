import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DocumentStore } from '../../store/index.ts';
import { openMongoStore } from '../../store/mongodb/index.ts';
import { openSqliteStore } from '../../store/sqlite/index.ts';
import { namedStores } from '../support/named-stores.ts';
import { didNotRun } from '../support/skip.ts';
import { freshMongoDatabase, type MongoDatabase } from '../support/test-store.ts';
import { runDocumentStoreContract } from './document-store.contract.ts';
import type { ContractEngine } from './engine.ts';

type ExpiringStore = DocumentStore & { expire(): Promise<void> };

/** Every engine there is: how the contract is run on it, or why it cannot be. */
const engines: Readonly<Record<string, () => readonly ContractEngine[]>> = {
	sqlite: () => [
		sqliteIn('a directory', () => mkdtemp(join(tmpdir(), 'store-contract-'))),
		sqliteIn('memory', async () => ':memory:'),
	],
	mongodb: () => [onMongoDb()],
};

/** Known engines that this run leaves out; the last lines of the output say so. */
export const storesThatDidNotRun: readonly string[] = Object.keys(engines).filter((name) => !namedStores.includes(name));

for (const name of namedStores) {
	const contract = engines[name];
	try {
		if (contract === undefined) throw new Error(`STORES names '${name}'; known are ${Object.keys(engines).join(', ')}`);
		for (const engine of contract()) runDocumentStoreContract(engine);
	} catch (error) {
		it(`runs the contract on ${name}`, () => {
			throw error;
		});
	}
}

for (const name of storesThatDidNotRun) didNotRun(`store contract on ${name}`, 'STORES does not name it');
if (!namedStores.includes('sqlite')) {
	const embeddedOnly: Readonly<Record<string, string>> = JSON.parse(
		readFileSync(new URL('../support/embedded-only.json', import.meta.url), 'utf8'),
	);
	for (const [files, reason] of Object.entries(embeddedOnly)) didNotRun(files, `STORES does not name sqlite: ${reason}`);
}

/** An engine whose stores can be made to remove what has expired. */
function engineOf(name: string, openStore: () => Promise<ExpiringStore>): ContractEngine {
	const opened = new WeakMap<object, ExpiringStore>();
	return {
		name,
		open: async () => {
			const store = await openStore();
			opened.set(store, store);
			return store;
		},
		expire: async (store) => opened.get(store)?.expire(),
		knownDifferences: [],
	};
}

function sqliteIn(where: string, makeDirectory: () => Promise<string>): ContractEngine {
	const directories: string[] = [];
	after(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true }))));
	return engineOf(`sqlite in ${where}`, async () => {
		const directory = await makeDirectory();
		if (directory !== ':memory:') directories.push(directory);
		return openSqliteStore({ directory, now: Date.now, onFault: () => {} });
	});
}

function onMongoDb(): ContractEngine {
	const databases: MongoDatabase[] = [];
	after(async function () {
		// A collection for each case is gone slowly.
		this.timeout(60_000);
		await Promise.all(databases.map((database) => database.drop()));
	});
	return engineOf('mongodb', async () => {
		const database = freshMongoDatabase();
		databases.push(database);
		return openMongoStore({ ...database, now: Date.now, onFault: () => {} });
	});
}
