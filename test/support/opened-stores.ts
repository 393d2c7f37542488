import { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from '../../store/sqlite/index.ts';

/** Opens embedded stores that are closed after each test, or before with `closeAll`. */
export function useStores() {
	const opened: SqliteStore[] = [];

	async function open(directory: string, options: Partial<SqliteStoreOptions> = {}): Promise<SqliteStore> {
		const store = await openSqliteStore({ directory, now: Date.now, ...options });
		opened.push(store);
		return store;
	}

	async function closeAll(): Promise<void> {
		await Promise.all(opened.splice(0).map((store) => store.close()));
	}

	afterEach(closeAll);
	return { open, closeAll };
}
