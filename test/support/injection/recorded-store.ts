import { collections } from '../../../service/migrations.ts';
import type { Collection, CollectionSpec, DocumentStore, Step, StoredDocument } from '../../../store/index.ts';

/** What comes with time, or is used up by trying, and holds nothing that anybody sent. */
const bookkeeping: ReadonlySet<string> = new Set([
	'processes',
	'leases',
	'connections',
	'counters',
	'auditChains',
	'signingKeys',
]);

export interface RecordedStore {
	readonly store: DocumentStore;
	/** What was written since it was asked last, as JSON, one text a write. */
	takeWrites(): string[];
	/** All documents, by collection and id; those that come with time are left out. */
	dump(): Promise<Record<string, StoredDocument>>;
}

/** The same store, which remembers what is written. */
export function recordWrites(store: DocumentStore): RecordedStore {
	let writes: string[] = [];
	const note = (collection: string, write: unknown) => {
		if (!bookkeeping.has(collection) && !isAboutCaller(collection, write)) writes.push(`${collection} ${JSON.stringify(write)}`);
	};
	const recorded: DocumentStore = {
		...store,
		async collection<T extends StoredDocument>(spec: CollectionSpec<T>): Promise<Collection<T>> {
			const collection = await store.collection(spec);
			return {
				...collection,
				async insert(document) {
					await collection.insert(document);
					note(spec.name, document);
				},
				async findOneAndUpdate(...request) {
					const found = await collection.findOneAndUpdate(...request);
					if (found) note(spec.name, request);
					return found;
				},
			};
		},
		async batch(steps) {
			const outcome = await store.batch(steps);
			if (outcome.ok) for (const step of steps) if (step.kind !== 'require' && !isSealing(step)) note(step.collection, step);
			return outcome;
		},
	};
	return {
		store: recorded,
		takeWrites() {
			const taken = writes;
			writes = [];
			return taken;
		},
		async dump() {
			const documents: Record<string, StoredDocument> = {};
			for (const spec of collections) {
				if (bookkeeping.has(spec.name)) continue;
				const collection = await store.collection(spec);
				// Records are sealed after a while, whatever is done.
				for await (const document of collection.scan({}))
					if (!isAboutCaller(spec.name, { document }))
						documents[`${spec.name} ${document._id}`] = spec.name === 'auditRecords' ? { _id: document._id } : document;
			}
			return documents;
		},
	};
}

function isSealing(step: Step): boolean {
	return step.collection === 'auditRecords' && (step.kind === 'update' || (step.kind === 'put' && 'seq' in step.document));
}

/** Whether it tells that somebody was refused, or has read all records: that is on record as it should be. */
function isAboutCaller(collection: string, write: unknown): boolean {
	return collection === 'auditRecords' && /"type":"(UserAuthentication|Audit)"/.test(JSON.stringify(write));
}
