import type { Change, Collection, CollectionSpec, DocumentStore, StoredDocument } from '../../store/index.ts';
import { openSqliteStore } from '../../store/sqlite/index.ts';

/** A store that several services under test work on. */
export async function openSharedStore(): Promise<DocumentStore> {
	return openSqliteStore({ directory: ':memory:', now: Date.now });
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
