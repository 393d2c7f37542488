import type { Document } from 'mongodb';
import type { Update } from '../document-store.ts';
import { checkUpdate } from '../document-update.ts';
import { segmentsOf } from '../field-path.ts';
import { encodePath, encodeValue, touchField } from './bson-document.ts';

/** An update as MongoDB takes it; undefined when it changes nothing whatever the document holds. */
export interface CompiledUpdate {
	readonly update: Document | undefined;
	readonly bytes: number;
}

/** @throws TypeError for what is no update, DocumentRefusedError for what MongoDB cannot hold. */
export function compileUpdate(update: Update): CompiledUpdate {
	checkUpdate(update);
	const compiled: Document = {};
	let bytes = 100;
	const add = (operator: string, path: string, value: unknown): void => {
		compiled[operator] ??= {};
		compiled[operator][encodePath(segmentsOf(path))] = value;
		bytes += 3 * path.length;
	};
	for (const [path, value] of Object.entries(update.$set ?? {})) {
		if (value === undefined) continue;
		const encoded = encodeValue(value, segmentsOf(path));
		bytes += encoded.bytes;
		add('$set', path, encoded.value);
	}
	for (const path of update.$unset ?? []) add('$unset', path, '');
	for (const [path, amount] of Object.entries(update.$inc ?? {})) add('$inc', path, amount);
	return { update: Object.keys(compiled).length === 0 ? undefined : compiled, bytes };
}

/**
 * Changes nothing that a reader sees, and yet is a write: of two transactions that do this to one document, or do this and
 * change or remove it, one has to begin again.
 */
export const touch: Document = { $inc: { [touchField]: 1 } };
