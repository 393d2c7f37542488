/** The engines of this run: `STORES=sqlite,mongodb`. */
export const namedStores: readonly string[] = (process.env.STORES ?? 'sqlite').split(',').map((name) => name.trim());

/** Whether tests of the whole service run on MongoDB. */
export const isOnMongoDb = namedStores.includes('mongodb');

/** By how much longer what a test waits for may take: the MongoDB of the tests is many times slower than a real one. */
export const patience = isOnMongoDb ? 4 : 1;

/** How much a test does: what shows the same with less, where the MongoDB of the tests would take minutes. */
export function sized(embedded: number, onMongoDb: number): number {
	return isOnMongoDb ? onMongoDb : embedded;
}
