import { applyUpdate, type Filter, type Scalar, type Step, type StoredDocument, valueAt } from '../store/index.ts';
import type { AuditFacts } from './audit-record.ts';
import type { AuditedDocument, AuditRow, AuditTable, ChangesRow, SummaryRow } from './audit-table.ts';
import { type ChangeLimits, changesBetween, isLeftOut } from './changes.ts';

/** What a record says of a change, but for who made it and when. */
export type ChangeFacts = Pick<AuditFacts, 'tenant' | 'type' | 'activity' | 'text' | 'source' | 'changes'> & {
	/** It tells of many changes by their numbers. */
	readonly isSummary: boolean;
};

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

/**
 * The same batch on the condition that what it changes is still as it was read, and what is to be on record of it.
 * So a record never tells of a state before that was not there.
 */
export async function planBatch(
	asked: readonly Step[],
	table: AuditTable,
	limits: ChangeLimits,
	read: ReadDocuments,
	find: FindDocuments,
): Promise<BatchPlan> {
	const before = await readBefore(asked, table, read);
	const images = new Map(before);
	const guarded = new Set<string>();
	const steps: Step[] = [];
	const places: Place[] = [];
	const facts: ChangeFacts[] = [];
	const summaries = new Map<string, Summary>();

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
		if (row?.kind === 'summary') {
			summarise(summaries, step, limits);
			push(step, origin, false);
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
		const id = 'id' in step ? step.id : step.document._id;
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
	for (const summary of summaries.values()) facts.push(summaryFacts(table, summary, limits));
	return { steps, places, facts, read: before, after: images };
}

/** The documents that a batch changes, of those whose state before is on record. */
export function changedDocuments(steps: readonly Step[], table: AuditTable): string[] {
	const keys = steps.flatMap((step) => {
		const id = idOfChanged(step, table);
		return id === undefined ? [] : keyOf(step.collection, id);
	});
	return [...new Set(keys)];
}

function idOfChanged(step: Step, table: AuditTable): string | undefined {
	const row = table[step.collection];
	if (row?.kind !== 'changes' || step.kind === 'require' || step.kind === 'insert' || step.kind === 'removeWhere')
		return undefined;
	if (step.kind === 'update' && isLeftOut(row, pathsOf(step))) return undefined;
	return 'id' in step ? step.id : step.document._id;
}

/** The documents that a batch changes, as they are. */
async function readBefore(
	steps: readonly Step[],
	table: AuditTable,
	read: ReadDocuments,
): Promise<Map<string, AuditedDocument | undefined>> {
	const wanted = new Map<string, Set<string>>();
	for (const step of steps) {
		const id = idOfChanged(step, table);
		if (id === undefined) continue;
		wanted.set(step.collection, (wanted.get(step.collection) ?? new Set()).add(id));
	}
	const found = new Map<string, AuditedDocument | undefined>();
	await Promise.all(
		[...wanted].map(async ([collection, ids]) => {
			for (const id of ids) found.set(keyOf(collection, id), undefined);
			for (const document of await read(collection, [...ids])) found.set(keyOf(collection, document._id), toAudited(document));
		}),
	);
	return found;
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
		isSummary: false,
	};
}

function tenantOf({ _id, tenant }: AuditedDocument): string {
	return typeof tenant === 'string' ? tenant : (_id.split('/')[0] ?? _id);
}

/** Numbers of what is set and removed in the documents of one source. */
interface Summary {
	readonly collection: string;
	readonly firstId: string;
	set: number;
	removed: number;
	readonly setNames: string[];
	readonly removedNames: string[];
}

function summarise(summaries: Map<string, Summary>, step: Step, { changesMax }: ChangeLimits): void {
	// What goes with its device is on record with it.
	if (step.kind === 'require' || step.kind === 'removeWhere') return;
	const id = 'id' in step ? step.id : step.document._id;
	// The documents of one batch are those of one source.
	const known = summaries.get(step.collection);
	const summary = known ?? { collection: step.collection, firstId: id, set: 0, removed: 0, setNames: [], removedNames: [] };
	if (!known) summaries.set(step.collection, summary);
	const isRemoval = step.kind === 'remove';
	if (isRemoval) summary.removed++;
	else summary.set++;
	const names = isRemoval ? summary.removedNames : summary.setNames;
	if (names.length < changesMax) names.push(id);
}

function summaryFacts(
	table: AuditTable,
	{ collection, firstId, set, removed, setNames, removedNames }: Summary,
	{ valueMaxCharacters }: ChangeLimits,
): ChangeFacts {
	const row = summaryRow(table[collection]);
	const { tenant, source } = row.parse(firstId);
	const shown = (ids: readonly string[], count: number) =>
		listOf(
			ids.map((id) => row.parse(id).name),
			count,
			valueMaxCharacters,
		);
	return {
		tenant,
		type: row.type,
		activity: row.activity,
		text: `${row.activity}: ${source}, ${set} set, ${removed} removed`,
		source,
		changes: [
			...(set > 0 ? [{ attribute: `${set} set`, changeType: 'ADDED', newValue: shown(setNames, set) } as const] : []),
			...(removed > 0
				? [{ attribute: `${removed} removed`, changeType: 'REMOVED', previousValue: shown(removedNames, removed) } as const]
				: []),
		],
		isSummary: true,
	};
}

/** The first of `count` names, as many as there is room for, and how many there are beside. */
function listOf(names: readonly string[], count: number, maxCharacters: number): string {
	let text = '';
	for (const [n, name] of names.entries()) {
		const longer = n === 0 ? name : `${text}, ${name}`;
		if (longer.length > maxCharacters) return n === 0 ? `${count} with long names` : `${text}, and ${count - n} more`;
		text = longer;
	}
	return names.length < count ? `${text}, and ${count - names.length} more` : text;
}

function summaryRow(row: AuditRow | undefined): SummaryRow {
	if (row?.kind !== 'summary') throw new TypeError('the collection has no summaries');
	return row;
}

const maxText = 500;

export function keyOf(collection: string, id: string): string {
	return `${collection} ${id}`;
}

function toAudited(document: StoredDocument): AuditedDocument {
	return { ...document };
}
