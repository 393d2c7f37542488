import type { Change, Collection, CollectionSpec, DocumentStore, Step, StoredDocument } from '../../store/index.ts';
import { openMongoStore } from '../../store/mongodb/index.ts';
import { openSqliteStore } from '../../store/sqlite/index.ts';
import { freshMongoDatabase } from './test-store.ts';

/** A store that several services under test work on: MongoDB where `STORES` names nothing else, otherwise the embedded one in memory. */
export async function openSharedStore(): Promise<DocumentStore> {
	if (process.env.STORES !== 'mongodb') return openSqliteStore({ directory: ':memory:', now: Date.now });
	const { drop, ...database } = freshMongoDatabase();
	const store = await openMongoStore({ ...database, now: Date.now });
	return {
		...store,
		async close() {
			await store.close();
			await drop();
		},
	};
}

export interface DeafStore extends DocumentStore {
	/** Tells every listener that changes may have been missed, as after a connection that was lost. */
	tellGap(): void;
	/** Whether changes are heard, after all. */
	hears: boolean;
}

/** The same store for a process that hears of no change: everything else goes through. */
export function deafTo(store: DocumentStore): DeafStore {
	const gaps = new Set<() => void>();
	const deaf: DeafStore = {
		...store,
		hears: false,
		tellGap: () => {
			for (const onGap of gaps) onGap();
		},
		async collection<T extends StoredDocument>(spec: CollectionSpec<T>): Promise<Collection<T>> {
			const collection = await store.collection(spec);
			return {
				...collection,
				watch(listener: (changes: readonly Change<T>[]) => void, onGap?: () => void) {
					if (onGap) gaps.add(onGap);
					const end = collection.watch((changes) => {
						if (deaf.hears) listener(changes);
					}, onGap);
					return () => {
						if (onGap) gaps.delete(onGap);
						end();
					};
				},
			};
		},
	};
	return deaf;
}

export interface SlowStore extends DocumentStore {
	/** Keeps back what is written from now on; returns what lets it go on. */
	hold(): () => void;
	/** Batches that are kept back. */
	held(): number;
}

/** The same store for a process whose writes a test keeps back. */
export function slowTo(store: DocumentStore): SlowStore {
	let gate: Promise<void> | undefined;
	let held = 0;
	return {
		...store,
		held: () => held,
		hold() {
			let open = () => {};
			gate = new Promise((resolve) => {
				open = resolve;
			});
			return () => {
				gate = undefined;
				open();
			};
		},
		async batch(steps) {
			if (gate !== undefined) {
				held++;
				await gate;
				held--;
			}
			return store.batch(steps);
		},
	};
}

/** The same store; what it writes to a collection is handed over, in the order in which it is applied. */
export function heardBy(store: DocumentStore, collection: string, hear: (step: Step) => void): DocumentStore {
	return {
		...store,
		async batch(steps) {
			const outcome = await store.batch(steps);
			if (outcome.ok) for (const step of steps) if (step.collection === collection) hear(step);
			return outcome;
		},
	};
}
