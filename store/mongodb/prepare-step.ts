import type { AnyBulkWriteOperation, Document } from 'mongodb';
import { type Filter, type Step, StoreError } from '../document-store.ts';
import { checkId, encodeDocument } from './bson-document.ts';
import { compileFilter } from './compile-filter.ts';
import { compileUpdate, touch } from './compile-update.ts';
import type { Claims } from './write-order.ts';

/** Documents of the database: their ids are texts. */
export interface Row extends Document {
	readonly _id: string;
}

/** A step as the database takes it. */
export interface PreparedStep {
	readonly kind: Step['kind'];
	readonly collection: string;
	/** The document that it changes; none where a filter says which. */
	readonly id: string | undefined;
	readonly write: AnyBulkWriteOperation<Row>;
	/** The document of a step that fails when it is not there or does not match. */
	readonly condition: { readonly id: string; readonly where: Filter; readonly filter: Document } | undefined;
	/** What it sends, at most. */
	readonly bytes: number;
}

export interface PreparedBatch {
	readonly steps: readonly PreparedStep[];
	readonly bytes: number;
	readonly claims: Claims;
	/** In no other era of this process may it be written. */
	readonly era?: number;
}

const stepBytes = 200;

/** @throws TypeError and StoreError for what cannot be applied, whatever is stored. */
export function prepareBatch(steps: readonly Step[], isOpen: (collection: string) => boolean): PreparedBatch {
	const prepared: PreparedStep[] = [];
	const documents: [collection: string, name: string][] = [];
	const collections: string[] = [];
	let bytes = 0;
	for (const step of steps) {
		if (!isOpen(step.collection)) throw new StoreError(`the collection '${step.collection}' is not open`);
		const one = prepareStep(step);
		prepared.push(one);
		bytes += one.bytes;
		if (step.kind === 'removeWhere') collections.push(step.collection);
		else documents.push([step.collection, nameOfDocument('id' in step ? step.id : step.document._id)]);
	}
	return { steps: prepared, bytes, claims: { documents, collections } };
}

/** What stands for a document in `Claims`. */
export function nameOfDocument(id: string): string {
	return `id ${id}`;
}

function prepareStep(step: Step): PreparedStep {
	const { kind, collection } = step;
	switch (step.kind) {
		case 'put': {
			const { value, bytes } = encodeDocument(step.document);
			const { _id, ...replacement } = value;
			const id = step.document._id;
			const write = { replaceOne: { filter: { _id: id }, replacement, upsert: true } };
			return { kind, collection, id, write, condition: undefined, bytes: bytes + stepBytes };
		}
		case 'insert': {
			const { value, bytes } = encodeDocument(step.document);
			const id = step.document._id;
			const write = { insertOne: { document: { ...value, _id: id } } };
			return { kind, collection, id, write, condition: undefined, bytes: bytes + stepBytes };
		}
		case 'remove':
			return {
				kind,
				collection,
				id: step.id,
				write: { deleteOne: { filter: { _id: checkId(step.id) } } },
				condition: undefined,
				bytes: stepBytes,
			};
		case 'removeWhere': {
			const write = { deleteMany: { filter: compileFilter(step.filter) } };
			return { kind, collection, id: undefined, write, condition: undefined, bytes: stepBytes };
		}
		case 'update': {
			const { update, bytes } = compileUpdate(step.update);
			return conditional(step, update ?? touch, bytes);
		}
		case 'require':
			return conditional(step, touch, stepBytes);
	}
}

function conditional(step: Extract<Step, { kind: 'update' | 'require' }>, update: Document, bytes: number): PreparedStep {
	const { kind, collection, id, where = {} } = step;
	const compiled = compileFilter(where);
	const filter = Object.keys(compiled).length === 0 ? { _id: checkId(id) } : { $and: [{ _id: checkId(id) }, compiled] };
	return {
		kind,
		collection,
		id,
		write: { updateOne: { filter, update } },
		condition: { id, where, filter },
		bytes: bytes + stepBytes,
	};
}
