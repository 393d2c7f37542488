import { applyUpdate, type Filter, type Scalar, type Step, type StoredDocument, valueAt } from '../store/index.ts';
import type { AuditFacts } from './audit-record.ts';
import type { AuditedDocument, AuditTable, ChangesRow } from './audit-table.ts';
import { type ChangeFacts, type ChangeLimits, changesBetween, isLeftOut } from './changes.ts';
import { createSummaries, isSame } from './summaries.ts';

/** Where a step of a planned batch comes from. */
export interface Place {
	/** Its position in the batch that was asked for. */
	readonly origin: number;
	/** It may have failed because what was read is not so any more. */
	readonly isGuarded: boolean;
	readonly isOwn: boolean;
}

export interface BatchPlan {
	readonly steps: readonly Step[];
	readonly places: readonly Place[];
	readonly facts: readonly ChangeFacts[];
	/** What was read for it: asked again after a failure, it tells whether to try again. */
	readonly read: ReadonlyMap<string, AuditedDocument | undefined>;
	/** The same documents as the batch leaves them. */
	readonly after: ReadonlyMap<string, AuditedDocument | undefined>;
}

/** Reads documents that a batch changes, as they are: by collection and id. */
export type ReadDocuments = (collection: string, ids: readonly string[]) => Promise<readonly StoredDocument[]>;
/** Reads what a `removeWhere` is about to remove. */
export type FindDocuments = (collection: string, filter: Filter) => Promise<readonly StoredDocument[]>;

export interface PlanOptions {
	readonly read: ReadDocuments;
	readonly find: FindDocuments;
	readonly limits: ChangeLimits;
	/** Whether summaries are on record for whoever acts now. */
	readonly summarises: boolean;
}

/**
 * The same batch on the condition that what it changes is still as it was read, and what is to be on record of it.
 * So a record never tells of a state before that was not there.
 */
export async function planBatch(
	asked: readonly Step[],
	table: AuditTable,
	{ read, find, limits, summarises }: PlanOptions,
): Promise<BatchPlan> {
	const { before, items } = await readBefore(asked, table, read, summarises);
	const images = new Map(before);
	const guarded = new Set<string>();
	const steps: Step[] = [];
	const places: Place[] = [];
	const facts: ChangeFacts[] = [];
	const summaries = createSummaries(limits);

	function push(step: Step, origin: number, isGuarded: boolean, isOwn = true): void {
		steps.push(step);
		places.push({ origin, isGuarded, isOwn });
	}

	function note(row: ChangesRow, was: AuditedDocument | undefined, is: AuditedDocument | undefined): void {
		const own = is ?? was;
		if (!own || (row.isOwn && !row.isOwn(own))) return;
		const changes = changesBetween(row, was, is, limits);
		if (changes.length > 0 || !was || !is) facts.push(factsOf(row, was, is, changes));
	}

	for (const [origin, step] of asked.entries()) {
		const row = table[step.collection];
		if (row?.kind === 'summary' && summarises && (step.kind === 'put' || step.kind === 'remove')) {
			const id = idOf(step);
			const states = items.get(step.collection);
			const was = states?.get(id);
			const is = step.kind === 'put' ? toAudited(step.document) : undefined;
			// What is as it was need not be written.
			if (!isSame(was, is)) {
				summaries.add(step.collection, row, was, is);
				push(step, origin, false);
				states?.set(id, is);
			}
			continue;
		}
		if (row?.kind !== 'changes' || step.kind === 'require') {
			push(step, origin, false);
			continue;
		}
		if (step.kind === 'removeWhere') {
			for (const document of await find(step.collection, step.filter)) note(row, toAudited(document), undefined);
			push(step, origin, false);
			continue;
		}
		const id = idOf(step);
		const key = keyOf(step.collection, id);
		const was = images.get(key);
		// After the first step of the batch on a document, nobody else comes in between.
		const isFirst = !guarded.has(key);
		guarded.add(key);
		const guard = was && isFirst ? unchanged(was, Object.keys(was), row) : undefined;
		switch (step.kind) {
			case 'insert':
				note(row, undefined, toAudited(step.document));
				push(step, origin, false);
				images.set(key, toAudited(step.document));
				break;
			case 'put':
				note(row, was, toAudited(step.document));
				if (guard) push({ kind: 'require', collection: step.collection, id, where: guard }, origin, true, false);
				push(was || !isFirst ? step : { ...step, kind: 'insert' }, origin, !was);
				images.set(key, toAudited(step.document));
				break;
			case 'remove':
				// What is not there need not be removed.
				if (!was) break;
				note(row, was, undefined);
				if (guard) push({ kind: 'require', collection: step.collection, id, where: guard }, origin, true, false);
				push(step, origin, false);
				images.set(key, undefined);
				break;
			case 'update': {
				const paths = pathsOf(step);
				if (isLeftOut(row, paths)) {
					push(step, origin, false);
					break;
				}
				if (!was) {
					// Should it be there by now, this fails, and is planned anew.
					push({ ...step, where: { _id: { $in: [] } } }, origin, true);
					break;
				}
				const is = structuredClone(was);
				applyUpdate(is, step.update);
				note(row, was, is);
				const where = isFirst ? unchanged(was, paths, row) : {};
				push({ ...step, where: { $and: [step.where ?? {}, where] } }, origin, true);
				images.set(key, is);
			}
		}
	}
	return { steps, places, facts: [...facts, ...summaries.facts()], read: before, after: images };
}

/** What a batch changes, of what has its state before on record: documents, and sources of many. */
export function changedDocuments(steps: readonly Step[], table: AuditTable, summarises: boolean): string[] {
	const keys = new Set<string>();
	let summed: string | undefined;
	for (const step of steps) {
		// Those of one batch and collection are of one source.
		if (step.collection === summed) continue;
		const id = idOfChanged(step, table, summarises);
		if (id === undefined) continue;
		const row = table[step.collection];
		if (row?.kind === 'summary') summed = step.collection;
		keys.add(keyOf(step.collection, row?.kind === 'summary' ? row.parse(id).source : id));
	}
	return [...keys];
}

function idOfChanged(step: Step, table: AuditTable, summarises: boolean): string | undefined {
	const row = table[step.collection];
	if (row?.kind === 'summary') return summarises && (step.kind === 'put' || step.kind === 'remove') ? idOf(step) : undefined;
	if (row?.kind !== 'changes' || step.kind === 'require' || step.kind === 'insert' || step.kind === 'removeWhere')
		return undefined;
	if (step.kind === 'update' && isLeftOut(row, pathsOf(step))) return undefined;
	return idOf(step);
}

function idOf(step: Exclude<Step, { kind: 'removeWhere' }>): string {
	return 'id' in step ? step.id : step.document._id;
}

/** States of documents by their id; what is not there is in it, too. */
type States = Map<string, AuditedDocument | undefined>;

/** The documents that a batch changes, as they are: by collection and id, and those that are summed up by collection. */
async function readBefore(
	steps: readonly Step[],
	table: AuditTable,
	read: ReadDocuments,
	summarises: boolean,
): Promise<{ readonly before: States; readonly items: ReadonlyMap<string, States> }> {
	const wanted = new Map<string, States>();
	for (const step of steps) {
		const id = idOfChanged(step, table, summarises);
		if (id === undefined) continue;
		const states = wanted.get(step.collection);
		if (states) states.set(id, undefined);
		else wanted.set(step.collection, new Map([[id, undefined]]));
	}
	const collections = [...wanted];
	const found = await Promise.all(collections.map(([collection, states]) => read(collection, [...states.keys()])));
	const before: States = new Map();
	for (const [position, [collection, states]] of collections.entries()) {
		for (const document of found[position] ?? []) states.set(document._id, toAudited(document));
		if (table[collection]?.kind !== 'changes') continue;
		for (const [id, document] of states) before.set(keyOf(collection, id), document);
		wanted.delete(collection);
	}
	return { before, items: wanted };
}

/** Holds while these fields are as they were read. Objects are told by the numbers that grow with every change of them. */
function unchanged(was: AuditedDocument, paths: readonly string[], row: ChangesRow): Filter {
	const conditions: Record<string, Scalar | { $exists: boolean }> = {};
	for (const field of ['revision', 'linkRevision']) {
		const revision = was[field];
		if (typeof revision === 'number') conditions[field] = revision;
	}
	for (const path of paths) {
		if (path === '_id' || row.leftOut.includes(path)) continue;
		const value = valueAt(was, path);
		if (value === undefined) conditions[path] = { $exists: false };
		else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') conditions[path] = value;
	}
	return conditions;
}

function pathsOf({ update }: Extract<Step, { kind: 'update' }>): string[] {
	return [...Object.keys(update.$set ?? {}), ...(update.$unset ?? []), ...Object.keys(update.$inc ?? {})];
}

function factsOf(
	row: ChangesRow,
	was: AuditedDocument | undefined,
	is: AuditedDocument | undefined,
	changes: AuditFacts['changes'],
): ChangeFacts {
	const own = is ?? was ?? { _id: '' };
	const activity = `${row.what} ${was ? (is ? 'changed' : 'removed') : 'created'}`;
	const source = row.source(own);
	const label = row.label?.(own);
	return {
		tenant: row.tenant?.(own) ?? tenantOf(own),
		type: row.type,
		activity,
		text: `${activity}: ${[source, label].filter((text) => text !== undefined && text !== '').join(', ')}`.slice(0, maxText),
		source,
		changes,
	};
}

function tenantOf({ _id, tenant }: AuditedDocument): string {
	return typeof tenant === 'string' ? tenant : (_id.split('/')[0] ?? _id);
}

const maxText = 500;

export function keyOf(collection: string, id: string): string {
	return `${collection} ${id}`;
}

function toAudited(document: StoredDocument): AuditedDocument {
	return { ...document };
}
