/** Which database an address names. */
export { databaseNameOf } from './connection.ts';
/** The engine of the store port on MongoDB, for production and for several processes on one database. */
export type { QueryPlan } from './explain-query.ts';
export { type MongoStore, type MongoStoreOptions, openMongoStore } from './store.ts';
