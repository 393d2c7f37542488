import type { Change, StoredDocument } from '../document-store.ts';
import { messageOf } from './connection.ts';
import { wholeText } from './document-text.ts';
import type { Cell } from './values.ts';
import { decodeText } from './values.ts';

export type Listener = (changes: readonly Change<StoredDocument>[]) => void;

/** Who wants to hear of the changes of which collection. */
export interface Watchers {
	add(collection: number, listener: Listener): () => void;
	/** Hands out the changes of one group: number of the collection, kind, id, text. */
	publish(cells: readonly Cell[]): void;
}

export interface WatchersOptions {
	/** Hears when a collection gets its first listener and loses its last. */
	readonly onWatched: (collection: number, watched: boolean) => void;
	/** Hears what a listener throws. */
	readonly onFault: (error: Error) => void;
}

export function createWatchers({ onWatched, onFault }: WatchersOptions): Watchers {
	const listeners = new Map<number, Set<Listener>>();
	return {
		add: (collection, listener) => {
			const set = listeners.get(collection) ?? new Set();
			listeners.set(collection, set);
			// The same function may listen twice.
			const own: Listener = (changes) => listener(changes);
			if (set.size === 0) onWatched(collection, true);
			set.add(own);
			return () => {
				if (set.delete(own) && set.size === 0) onWatched(collection, false);
			};
		},
		publish: (cells) => {
			for (const [collection, changes] of changesOf(cells)) {
				for (const listener of listeners.get(collection) ?? []) {
					// What a listener throws is its own fault: it must not reach the other listeners or the callers of `batch`.
					queueMicrotask(() => {
						try {
							listener(changes);
						} catch (error) {
							onFault(new Error(`a listener of the store failed: ${messageOf(error)}`, { cause: error }));
						}
					});
				}
			}
		},
	};
}

function changesOf(cells: readonly Cell[]): Map<number, Change<StoredDocument>[]> {
	const byCollection = new Map<number, Change<StoredDocument>[]>();
	for (let position = 0; position < cells.length; position += 4) {
		const [collection, kind, id, text] = cells.slice(position, position + 4);
		const changes = byCollection.get(Number(collection)) ?? [];
		byCollection.set(Number(collection), changes);
		changes.push(changeOf(String(kind), String(id), text));
	}
	return byCollection;
}

function changeOf(kind: string, key: string, text: Cell): Change<StoredDocument> {
	const id = decodeText(key);
	if (kind === 'removed' || typeof text !== 'string') return { kind: 'removed', id };
	return { kind: kind === 'inserted' ? 'inserted' : 'updated', id, document: JSON.parse(wholeText(key, text)) };
}
