/** Backups of a database, and back. */
export { type BackupFigures, readDocuments, restoreBackup, writeBackup } from './backup.ts';
/** The embedded engine of the store port: SQLite in a thread of its own. */
export { hasSqliteStore, openSqliteStore, type SqliteStore, type SqliteStoreOptions } from './store.ts';
