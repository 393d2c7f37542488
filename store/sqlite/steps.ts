import { type Filter, type Step, type StoredDocument, StoreError, type Update } from '../document-store.ts';
import { checkUpdate } from '../document-update.ts';
import { isWellFormed } from '../text.ts';
import { storedText } from './document-text.ts';
import { columnCells, type Layout } from './layout.ts';
import { stepCode } from './protocol.ts';
import { conditionSql } from './query-sql.ts';
import { type Cell, encodeText, toWellFormedJson } from './values.ts';

/** What the main thread knows of an open collection. */
export interface OpenCollection {
	readonly number: number;
	readonly layout: Layout;
	readonly isUnique: boolean;
}

/** Writes the steps into a group. Tells whether the batch needs a savepoint: a step that can fail comes after one that writes. */
export function encodeSteps(steps: readonly Step[], collections: ReadonlyMap<string, OpenCollection>, cells: Cell[]): boolean {
	let hasWritten = false;
	let needsSavepoint = false;
	for (const step of steps) {
		const collection = collections.get(step.collection);
		if (collection === undefined) throw new StoreError(`the collection '${step.collection}' is not open`);
		if (hasWritten && canFail(step, collection)) needsSavepoint = true;
		if (step.kind !== 'require') hasWritten = true;
		encodeStep(step, collection, cells);
	}
	return needsSavepoint;
}

function canFail(step: Step, collection: OpenCollection): boolean {
	if (step.kind === 'put') return collection.isUnique;
	return step.kind !== 'remove' && step.kind !== 'removeWhere';
}

function encodeStep(step: Step, collection: OpenCollection, cells: Cell[]): void {
	cells.push(stepCode[step.kind], collection.number);
	switch (step.kind) {
		case 'put':
		case 'insert':
			encodeDocument(step.document, collection.layout, cells);
			return;
		case 'update':
			checkUpdate(step.update);
			cells.push(encodeId(step.id), encodeCondition(step.where, collection.layout), encodeUpdate(step.update));
			return;
		case 'require':
			cells.push(encodeId(step.id), encodeCondition(step.where, collection.layout));
			return;
		case 'remove':
			cells.push(encodeId(step.id));
			return;
		case 'removeWhere':
			encodeRemoval(conditionSql(collection.layout, step.filter), -1, cells);
	}
}

/** A document as its id, its text and its columns. @throws TypeError when it cannot be stored. */
export function encodeDocument(document: StoredDocument, layout: Layout, cells: Cell[]): void {
	cells.push(encodeId(document._id), storedText(document));
	columnCells(layout, document, cells);
}

/** The condition and parameters of a removal; `most` is -1 for no bound. */
export function encodeRemoval(condition: ReturnType<typeof conditionSql>, most: number, cells: Cell[]): void {
	cells.push(condition.sql, most, condition.params.length, ...condition.params);
}

export function encodeUpdate(update: Update): string {
	return toWellFormedJson(JSON.stringify(update));
}

/** @throws TypeError for what cannot be an id. */
export function encodeId(id: string): string {
	if (typeof id !== 'string') throw new TypeError('_id must be a text');
	if (!isWellFormed(id)) throw new TypeError('_id must be well-formed Unicode');
	return encodeText(id);
}

// A condition that a caller keeps and uses again is made text once.
const conditionTexts = new WeakMap<Filter, { readonly layout: Layout; readonly text: string }>();

function encodeCondition(where: Filter | undefined, layout: Layout): string | null {
	if (where === undefined) return null;
	const known = conditionTexts.get(where);
	if (known?.layout === layout) return known.text;
	// Conditions are evaluated on the document, but what is no filter is refused here as for a query.
	conditionSql(layout, where);
	const text = toWellFormedJson(JSON.stringify(where));
	if (Object.isFrozen(where)) conditionTexts.set(where, { layout, text });
	return text;
}
