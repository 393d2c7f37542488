import {
	type BatchOutcome,
	type Collection,
	type CollectionSpec,
	type DocumentStore,
	DuplicateKeyError,
	type Filter,
	type Query,
	type Step,
	type StoredDocument,
	StoreError,
	type Update,
} from '../store/index.ts';
import { auditCollections } from './audit-record.ts';
import type { AuditTable } from './audit-table.ts';
import { type ChangeFacts, type ChangeLimits, isLeftOut } from './changes.ts';
import { type BatchPlan, changedDocuments, keyOf, planBatch } from './plan-batch.ts';
import { createTurns } from './turns.ts';

/** Makes the steps that put facts on record, as the work of whoever acts now. */
export interface Recorder {
	/** Whether anything of this summary is to be recorded for whoever acts now. */
	readonly recordsSummaries: () => boolean;
	readonly steps: (facts: readonly ChangeFacts[]) => Promise<{ readonly steps: readonly Step[]; readonly stored: () => void }>;
}

interface Written {
	readonly outcome: BatchOutcome;
	/** The documents that were changed, as they are then. */
	readonly after?: BatchPlan['after'];
}

/**
 * The same store, which puts on record what is changed through it, in the batch that changes it: neither is there without the
 * other. What is changed is read before, and the batch holds only while that is still so.
 */
export function createAuditedStore({
	store,
	table,
	limits,
	recorder,
}: {
	readonly store: DocumentStore;
	readonly table: AuditTable;
	readonly limits: ChangeLimits;
	readonly recorder: Recorder;
}): DocumentStore {
	const turns = createTurns();
	const opened = new Map<string, Collection<StoredDocument>>();
	const own = new Set(auditCollections.map(({ name }) => name));

	async function read(collection: string, ids: readonly string[]): Promise<readonly StoredDocument[]> {
		const documents = collectionOf(collection);
		const [first] = ids;
		if (first !== undefined && ids.length === 1) {
			const found = await documents.get(first);
			return found ? [found] : [];
		}
		const all: StoredDocument[] = [];
		for (let from = 0; from < ids.length; from += maxRead)
			all.push(...(await documents.find({ filter: { _id: { $in: ids.slice(from, from + maxRead) } } })));
		return all;
	}

	async function find(collection: string, filter: Filter): Promise<readonly StoredDocument[]> {
		return collectionOf(collection).find({ filter, limit: maxRemoved });
	}

	function collectionOf(name: string): Collection<StoredDocument> {
		const collection = opened.get(name);
		if (!collection) throw new StoreError(`the collection '${name}' is not open`);
		return collection;
	}

	async function batch(asked: readonly Step[]): Promise<BatchOutcome> {
		return (await write(asked)).outcome;
	}

	async function write(asked: readonly Step[]): Promise<Written> {
		for (const { collection } of asked)
			if (own.has(collection)) throw new TypeError(`${collection} is written by the audit alone`);
		const summarises = recorder.recordsSummaries();
		if (!asked.some((step) => isOnRecord(step, summarises))) return { outcome: await store.batch(asked) };
		// What writes here in turns need not be tried again: only other processes come in between.
		return turns.inTurn(changedDocuments(asked, table, summarises), () => record(asked, summarises));
	}

	async function record(asked: readonly Step[], summarises: boolean): Promise<Written> {
		for (let attempt = 0; attempt < maxAttempts; attempt++) {
			const plan = await planBatch(asked, table, { read, find, limits, summarises });
			const made = await recorder.steps(plan.facts);
			if (plan.steps.length === 0) return { outcome: { ok: true } };
			const outcome = await store.batch([...plan.steps, ...made.steps]);
			if (outcome.ok) {
				made.stored();
				return { outcome, after: plan.after };
			}
			const place = plan.places[outcome.failed];
			if (!place) throw new StoreError('a change could not be put on record');
			// What the caller asked for did not hold, unless others changed what was read.
			if (!place.isGuarded || (await isAsRead(plan, asked[place.origin])))
				return { outcome: { ok: false, failed: place.origin, duplicate: outcome.duplicate && place.isOwn } };
		}
		throw tooManyWriters();
	}

	function isOnRecord({ collection, kind }: Step, summarises: boolean): boolean {
		const row = table[collection];
		if (row === undefined || row.kind === 'none' || kind === 'require') return false;
		return row.kind === 'changes' || (kind !== 'removeWhere' && summarises);
	}

	async function isAsRead({ read: before }: BatchPlan, step: Step | undefined): Promise<boolean> {
		if (!step || step.kind === 'removeWhere') return true;
		const id = 'id' in step ? step.id : step.document._id;
		const [now] = await read(step.collection, [id]);
		return JSON.stringify(now) === JSON.stringify(before.get(keyOf(step.collection, id)));
	}

	async function collection<T extends StoredDocument>(spec: CollectionSpec<T>): Promise<Collection<T>> {
		const row = table[spec.name];
		if (!row) throw new TypeError(`the collection '${spec.name}' has no row in the audit's table`);
		const documents = await store.collection(spec);
		if (row.kind === 'none') return documents;
		opened.set(spec.name, documents);

		async function insert(document: T): Promise<void> {
			const outcome = await batch([{ kind: 'insert', collection: spec.name, document }]);
			if (!outcome.ok) throw new DuplicateKeyError(`'${document._id}' is taken in ${spec.name}`);
		}

		async function findOneAndUpdate(
			filter: Filter,
			update: Update,
			options: { sort?: Query['sort'] } = {},
		): Promise<T | undefined> {
			const paths = [...Object.keys(update.$set ?? {}), ...(update.$unset ?? []), ...Object.keys(update.$inc ?? {})];
			if (row?.kind === 'changes' && isLeftOut(row, paths)) return documents.findOneAndUpdate(filter, update, options);
			for (let attempt = 0; attempt < maxAttempts; attempt++) {
				const [found] = await documents.find({ filter, ...options, limit: 1 });
				if (!found) return undefined;
				const step: Step = { kind: 'update', collection: spec.name, id: found._id, where: filter, update };
				const { outcome, after } = await write([step]);
				if (!outcome.ok && outcome.duplicate) throw new DuplicateKeyError(`a unique value is taken in ${spec.name}`);
				// The store holds what this collection's documents are.
				if (outcome.ok) return after?.get(keyOf(spec.name, found._id)) as T | undefined;
			}
			throw tooManyWriters();
		}
		return { ...documents, insert, findOneAndUpdate };
	}

	return { ...store, collection, batch };
}

function tooManyWriters(): StoreError {
	return new StoreError('others changed the same documents again and again');
}

const maxAttempts = 100;
/** Documents that are looked up at a time. */
const maxRead = 1000;
/** What one removal by a filter puts on record one by one. */
const maxRemoved = 1000;
