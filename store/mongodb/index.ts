/** The engine of the store port on MongoDB, for production and for several processes on one database. */
export { type MongoStore, type MongoStoreOptions, openMongoStore } from './store.ts';
