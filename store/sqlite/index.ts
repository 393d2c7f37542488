/** The embedded engine: SQLite in a directory, or in memory. */
export { openSqliteStore, type SqliteStoreOptions } from './sqlite-store.ts';
