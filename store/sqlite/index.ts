/** Backups of a database, and back. */
export { type BackupFigures, restoreBackup, writeBackup } from './backup.ts';
/** The embedded engine of the store port: SQLite in a thread of its own. */
export { hasSqliteStore, openSqliteStore, type SqliteStore, type SqliteStoreOptions } from './store.ts';
