import { resolve } from 'node:path';
import { type Config, mongodbUrlPattern, Secret } from '../config/index.ts';

/** A store, as a person names it. */
export type StorePlace =
	| { readonly kind: 'sqlite'; readonly directory: string }
	| { readonly kind: 'mongodb'; readonly url: Secret };

/** What is wrong with the words of a command. */
export class UsageError extends Error {}

const right =
	'sqlite:<directory>, mongodb://user:password@host:27017/database?replicaSet=rs0, or mongodb: for the one of MONGODB_URL';

/** @throws UsageError that does not show the text: it may hold a password */
export function parsePlace(option: string, text: string, { mongodb }: Config): StorePlace {
	if (text === 'mongodb:') {
		if (mongodb.url) return { kind: 'mongodb', url: mongodb.url };
		throw new UsageError(`${option}: 'mongodb:' stands for the store of MONGODB_URL, which is not set; right is ${right}`);
	}
	const directory = /^sqlite:(.+)$/s.exec(text)?.[1];
	if (directory === ':memory:') throw new UsageError(`${option}: a store in memory is gone with its process; right is ${right}`);
	if (directory !== undefined) return { kind: 'sqlite', directory };
	if (mongodbUrlPattern.test(text)) return { kind: 'mongodb', url: new Secret(text) };
	if (/^mongodb(\+srv)?:/.test(text))
		throw new UsageError(
			`${option}: the address of MongoDB cannot be read; @ : and / in a password are written as %40, %3A and %2F; right is ${right}`,
		);
	const scheme = /^[a-z][a-z0-9+.-]*(?=:\/\/)/i.exec(text)?.[0];
	throw new UsageError(
		`${option}: ${scheme ? `stores of the kind '${scheme}' are not known` : 'no kind of store is named'}; right is ${right}`,
	);
}

/** The store that a service with these settings uses. */
export function placeOf({ mongodb, store }: Config): StorePlace {
	return mongodb.url ? { kind: 'mongodb', url: mongodb.url } : { kind: 'sqlite', directory: store.dataDir };
}

// MongoDB holds what a killed process was writing for a minute.
const transactionTimeoutSeconds = 150;

/** The settings of a service that uses this store, and is the same otherwise. */
export function configFor(config: Config, place: StorePlace): Config {
	// What is said of the one kind of store may not be possible for the other.
	const { binaries } = config;
	const isPossible = binaries.store === 's3' || (binaries.store === 'gridfs' && binaries.mongodbUrl !== undefined);
	const own = { ...config, binaries: { ...binaries, store: isPossible ? binaries.store : undefined } };
	if (place.kind === 'mongodb') return { ...own, mongodb: { ...config.mongodb, url: place.url, transactionTimeoutSeconds } };
	return {
		...own,
		mongodb: { ...config.mongodb, url: undefined },
		store: { ...config.store, dataDir: resolve(place.directory) },
	};
}
