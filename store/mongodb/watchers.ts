import type { Change, StoredDocument } from '../document-store.ts';
import { type ChangeStream, type ChangeStreamOptions, openChangeStream } from './change-stream.ts';
import { messageOf } from './explain-error.ts';

export interface Watchers {
	add(collection: string, listener: (changes: readonly Change<StoredDocument>[]) => void, onGap?: () => void): () => void;
	close(): Promise<void>;
}

interface Watcher {
	readonly collection: string;
	readonly listener: (changes: readonly Change<StoredDocument>[]) => void;
	readonly onGap: (() => void) | undefined;
}

/** One change stream for all listeners, open while there is one. */
export function createWatchers({ db, onFault }: Pick<ChangeStreamOptions, 'db' | 'onFault'>): Watchers {
	const watchers = new Set<Watcher>();
	let stream: { readonly opened: ChangeStream; readonly collections: string } | undefined;
	let token: unknown;
	let changing = Promise.resolve();
	let isChangeDue = false;
	let isClosed = false;

	// What a listener throws is its own fault: it must not reach the other listeners.
	const tell = (call: () => void): void => {
		queueMicrotask(() => {
			try {
				call();
			} catch (error) {
				onFault(new Error(`a listener of the store failed: ${messageOf(error)}`, { cause: error }));
			}
		});
	};

	const open = (collections: readonly string[]): ChangeStream =>
		openChangeStream({
			db,
			collections,
			token,
			onFault,
			onChange: (collection, change, last) => {
				token = last;
				for (const watcher of watchers) {
					if (watcher.collection === collection) tell(() => watchers.has(watcher) && watcher.listener([change]));
				}
			},
			onGap: () => {
				for (const watcher of watchers) tell(() => watchers.has(watcher) && watcher.onGap?.());
			},
		});

	/** Opens the stream that is needed now, in place of the one that is open. */
	const change = async (): Promise<void> => {
		isChangeDue = false;
		const collections = isClosed ? [] : [...new Set([...watchers].map(({ collection }) => collection))].sort();
		const wanted = collections.join();
		if (wanted === (stream?.collections ?? '')) return;
		await stream?.opened.close();
		stream = undefined;
		if (collections.length === 0) token = undefined;
		else stream = { opened: open(collections), collections: wanted };
	};

	const changeSoon = (): void => {
		if (isChangeDue) return;
		isChangeDue = true;
		changing = changing.then(() => new Promise((resolve) => setImmediate(resolve))).then(change);
	};

	return {
		add: (collection, listener, onGap) => {
			const watcher: Watcher = { collection, listener, onGap };
			watchers.add(watcher);
			changeSoon();
			return () => {
				if (watchers.delete(watcher)) changeSoon();
			};
		},
		close: async () => {
			isClosed = true;
			watchers.clear();
			changeSoon();
			await changing;
		},
	};
}
