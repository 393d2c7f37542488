import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore, type SqliteStore } from '../../store/sqlite/index.ts';
import { didNotRun } from '../support/skip.ts';
import { runDocumentStoreContract } from './document-store.contract.ts';
import type { ContractEngine } from './engine.ts';

/** Every engine there is: how the contract is run on it, or why it cannot be. */
const engines: Readonly<Record<string, () => readonly ContractEngine[]>> = {
	sqlite: () => [
		sqliteIn('a directory', () => mkdtemp(join(tmpdir(), 'store-contract-'))),
		sqliteIn('memory', async () => ':memory:'),
	],
	mongodb: () => {
		throw new Error('store/mongodb is not written yet');
	},
};

/** The engines of this run: `STORES=sqlite,mongodb`. */
const named = (process.env.STORES ?? 'sqlite').split(',').map((name) => name.trim());

/** Known engines that this run leaves out; the last lines of the output say so. */
export const storesThatDidNotRun: readonly string[] = Object.keys(engines).filter((name) => !named.includes(name));

for (const name of named) {
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

function sqliteIn(where: string, makeDirectory: () => Promise<string>): ContractEngine {
	const opened = new WeakMap<object, SqliteStore>();
	const directories: string[] = [];
	after(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true }))));
	return {
		name: `sqlite in ${where}`,
		open: async () => {
			const directory = await makeDirectory();
			if (directory !== ':memory:') directories.push(directory);
			const store = await openSqliteStore({ directory, now: Date.now, onFault: () => {} });
			opened.set(store, store);
			return store;
		},
		expire: async (store) => opened.get(store)?.expire(),
		knownDifferences: [],
	};
}
