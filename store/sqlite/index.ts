/** The embedded engine of the store port: SQLite in a thread of its own. */
export { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from './store.ts';
