import { type Collection, type CollectionSpec, type DocumentStore, type StoredDocument, StoreError } from './document-store.ts';

/** One end of a copy of a whole store: `from` in its source, `into` in its target, `copied <collection>` for what is in the target by now. */
export interface CopyRecord extends StoredDocument {
	/** The copy: the same text in source and target. */
	readonly copy: string;
	/** The other end, in words. */
	readonly place: string;
	readonly isFinished?: boolean;
	/** The last `_id` that was copied of a collection. */
	readonly after?: string;
	readonly documents?: number;
}

export const copySpec: CollectionSpec<CopyRecord> = { name: 'copies', indexes: [], ofProcesses: true };
export const fromId = 'from';
export const intoId = 'into';

export async function openCopyRecords(store: DocumentStore): Promise<Collection<CopyRecord>> {
	return store.collection(copySpec);
}

/**
 * To be called before a service works on a store: what was noted of copies does not hold any more once it changes documents.
 * @throws StoreError when the store is a copy that is not finished
 */
export async function takeIntoUse(store: DocumentStore): Promise<void> {
	const copies = await openCopyRecords(store);
	const into = await copies.get(intoId);
	if (into && !into.isFinished) throw new StoreError(unfinished(into));
	const noted = await copies.find({ filter: {}, sort: [['_id', 1]] });
	if (noted.length > 0) await store.batch(noted.map(({ _id }) => ({ kind: 'remove', collection: copySpec.name, id: _id })));
}

function unfinished({ place }: CopyRecord): string {
	return `this store is an unfinished copy of ${place}: run the same migrate command again, which goes on where it stopped, or remove this store`;
}
