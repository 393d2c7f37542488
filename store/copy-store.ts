import { type Comparison, compareCollections } from './compare-copies.ts';
import { batchesOf } from './copy-pages.ts';
import { type CopyRecord, copySpec, fromId, intoId, openCopyRecords } from './copy-records.ts';
import {
	type Collection,
	type CollectionSpec,
	type DocumentStore,
	type Filter,
	type Step,
	type StoredDocument,
	StoreError,
} from './document-store.ts';
import { openSchema } from './migrations.ts';

type Spec = CollectionSpec<StoredDocument>;

/** A store at one end of a copy. */
export interface CopyEnd {
	readonly store: DocumentStore;
	/** Where it is, in words, without secrets. */
	readonly place: string;
}

export interface CopyOptions {
	readonly source: CopyEnd;
	readonly target: CopyEnd;
	/** Everything that is stored. */
	readonly collections: readonly Spec[];
	/** Collections that are more than their documents: they come after the others. */
	readonly parts?: readonly CopyPart[];
	/** The name of the copy when it begins: one that no other has. */
	readonly name: string;
	/** Milliseconds since 1970. */
	readonly now: number;
	/** Whether documents are compared, too, and not only their numbers. */
	readonly verify: boolean;
	/** Aborted when it is to stop; it can go on later. */
	readonly signal: AbortSignal;
	/** Hears how far it is, after every batch. */
	readonly tell: (progress: CopyProgress) => void;
}

/** A collection whose documents tell of something beside the store, which is copied with them. */
export interface CopyPart {
	readonly name: string;
	/** Copies what the target does not have yet. False when it was stopped before the end. @throws StoreError */
	copy(progress: CopyTelling): Promise<boolean>;
	compare(progress: CopyTelling & { readonly verify: boolean }): Promise<CopiedCollection>;
}

export type CopyTelling = Pick<CopyOptions, 'signal' | 'tell'>;

export interface CopyProgress {
	readonly collection: string;
	readonly work: 'copied' | 'compared';
	readonly documents: number;
	readonly of: number;
}

/** What became of one collection. */
export interface CopiedCollection {
	readonly name: string;
	readonly source: number;
	readonly target: number;
	readonly compared?: Comparison;
}

export interface CopyReport {
	/** `differs`: the target stays unfinished, and no service starts on it. */
	readonly outcome: 'finished' | 'differs' | 'stopped';
	/** Whether it went on with what an earlier call has begun, or finished. */
	readonly wasBegun: boolean;
	readonly collections: readonly CopiedCollection[];
}

const lookMilliseconds = 24 * 3600 * 1000;
const bounds = { maxDocuments: 1000, maxBytes: 4 * 1024 * 1024 };

/**
 * Copies a store that nobody works on into an empty one, whatever their engines are. Stopped or killed, it goes on when it is
 * called again: how far it is lies in the target, written together with the documents.
 * @throws StoreError when source or target is not as it has to be, or the database cannot do it; the target stays unfinished
 */
export async function copyStore(options: CopyOptions): Promise<CopyReport> {
	const { source, target, collections, parts = [], signal } = options;
	const schema = await openSchema({ store: source.store, collections, migrations: [] });
	if (!(await schema.isCurrent())) {
		throw new StoreError(`${source.place} is of an older version: start and stop the service of this version on it once`);
	}
	const wanted = collections.filter((spec) => !spec.ofProcesses && !parts.some(({ name }) => name === spec.name));
	const { copy, wasBegun } = await begin(options);
	const copies = await openCopyRecords(target.store);
	const isFinished = (await copies.get(intoId))?.isFinished === true;
	for (const spec of isFinished ? [] : wanted) {
		if (!(await copyCollection(options, copy, copies, spec))) return { outcome: 'stopped', wasBegun, collections: [] };
	}
	for (const part of isFinished ? [] : parts) {
		if (!(await part.copy(options))) return { outcome: 'stopped', wasBegun, collections: [] };
	}
	const copied: CopiedCollection[] = [];
	for (const spec of wanted) copied.push(await compare(options, spec));
	for (const part of parts) copied.push(await part.compare(options));
	if ((await (await openCopyRecords(source.store)).get(fromId))?.copy !== copy) {
		throw new StoreError(`a service was started on ${source.place} meanwhile: stop it, remove ${target.place} and begin anew`);
	}
	if (signal.aborted) return { outcome: 'stopped', wasBegun, collections: [] };
	if (copied.some(isDifferent)) return { outcome: 'differs', wasBegun, collections: copied };
	if (!isFinished) await finish(options, copy, wanted);
	return { outcome: 'finished', wasBegun, collections: copied };
}

function isDifferent({ source, target, compared }: CopiedCollection): boolean {
	return source !== target || (compared !== undefined && compared.differing > 0);
}

async function begin(options: CopyOptions): Promise<{ readonly copy: string; readonly wasBegun: boolean }> {
	const { source, target, collections } = options;
	const [outgoing, incoming] = [await openCopyRecords(source.store), await openCopyRecords(target.store)];
	const [from, into] = [await outgoing.get(fromId), await incoming.get(intoId)];
	if (into) {
		if (from?.copy !== into.copy) {
			throw new StoreError(
				`${target.place} holds a copy of ${into.place} from another time, or a service has changed ${source.place} since: remove ${target.place} and begin anew`,
			);
		}
		await checkVersions(options);
		return { copy: into.copy, wasBegun: true };
	}
	if ((await findFilled(source.store, collections)) === undefined) throw new StoreError(`${source.place} is empty`);
	await refuseFilled(target, collections);
	const copy = options.name;
	const document: CopyRecord = { _id: fromId, copy, place: target.place };
	await source.store.batch([{ kind: 'put', collection: copySpec.name, document }]);
	await incoming.insert({ _id: intoId, copy, place: source.place });
	try {
		// A service that started before it could see the record has written by now.
		await refuseFilled(target, collections);
	} catch (error) {
		await target.store.batch([{ kind: 'remove', collection: copySpec.name, id: intoId }]);
		throw error;
	}
	await checkVersions(options);
	return { copy, wasBegun: false };
}

/** Notes the versions while the target is empty: what is found without one later counts as old. */
async function checkVersions({ target, collections }: CopyOptions): Promise<void> {
	const schema = await openSchema({ store: target.store, collections, migrations: [] });
	if (await schema.isCurrent()) return;
	throw new StoreError(`${target.place} was begun by an older version: remove it and begin anew`);
}

async function refuseFilled({ store, place }: CopyEnd, collections: readonly Spec[]): Promise<void> {
	const filled = await findFilled(store, collections);
	if (filled !== undefined) {
		throw new StoreError(
			`${place} is not empty (there are documents in '${filled}'): name an empty one, or remove what is there`,
		);
	}
}

async function findFilled(store: DocumentStore, collections: readonly Spec[]): Promise<string | undefined> {
	for (const spec of collections) {
		if (spec.name === copySpec.name) continue;
		const collection = await store.collection(spec);
		if ((await collection.find({ filter: {}, limit: 1 })).length > 0) return spec.name;
	}
	return undefined;
}

/** False when it was stopped before the end. */
async function copyCollection(options: CopyOptions, copy: string, copies: Collection<CopyRecord>, spec: Spec): Promise<boolean> {
	const { source, target, signal, tell } = options;
	const from = await source.store.collection(spec);
	await target.store.collection(spec);
	const of = await from.count({});
	const noted = await copies.get(noteId(spec));
	let documents = noted?.documents ?? 0;
	const say = () => tell({ collection: spec.name, work: 'copied', documents, of });
	say();
	let writing = Promise.resolve();
	for await (const batch of batchesOf(from, noted?.after, bounds)) {
		await writing;
		if (documents > (noted?.documents ?? 0)) say();
		if (signal.aborted) return false;
		documents += batch.length;
		const after = batch[batch.length - 1]?._id;
		const note: CopyRecord = { _id: noteId(spec), copy, place: source.place, documents, ...(after !== undefined && { after }) };
		writing = write(target, spec, batch, note);
		// The next turn, or the end, hears of the failure.
		writing.catch(() => undefined);
	}
	await writing;
	say();
	return !signal.aborted;
}

async function write(target: CopyEnd, spec: Spec, batch: readonly StoredDocument[], note: CopyRecord): Promise<void> {
	const steps: Step[] = batch.map((document) => ({ kind: 'insert', collection: spec.name, document }));
	const outcome = await target.store.batch([...steps, { kind: 'put', collection: copySpec.name, document: note }]);
	if (outcome.ok) return;
	const id = batch[outcome.failed]?._id;
	throw new StoreError(`'${id}' is in '${spec.name}' of ${target.place} already: somebody else writes there`);
}

async function compare(options: CopyOptions, spec: Spec): Promise<CopiedCollection> {
	const { source, target, verify, signal, tell, now } = options;
	const [from, into] = [await source.store.collection(spec), await target.store.collection(spec)];
	const filter = lasting(spec, now);
	const [of, found] = [await from.count(filter), await into.count(filter)];
	const counted = { name: spec.name, source: of, target: found };
	if (!verify || signal.aborted) return counted;
	const say = (documents: number) => tell({ collection: spec.name, work: 'compared', documents, of });
	return { ...counted, compared: await compareCollections(from, into, { filter, signal, tell: say }) };
}

/** Leaves out what either engine may remove while both are looked at, because it expires. */
function lasting({ expire }: Spec, now: number): Filter {
	return expire ? { [expire.field]: { $gte: now + lookMilliseconds - expire.afterSeconds * 1000 } } : {};
}

async function finish({ source, target }: CopyOptions, copy: string, wanted: readonly Spec[]): Promise<void> {
	const document: CopyRecord = { _id: intoId, copy, place: source.place, isFinished: true };
	const notes: Step[] = wanted.map((spec) => ({ kind: 'remove', collection: copySpec.name, id: noteId(spec) }));
	await target.store.batch([{ kind: 'put', collection: copySpec.name, document }, ...notes]);
}

function noteId({ name }: Spec): string {
	return `copied ${name}`;
}
