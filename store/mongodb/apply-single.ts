import { type Db, MongoBulkWriteError } from 'mongodb';
import type { BatchOutcome } from '../document-store.ts';
import type { Settlement } from './apply-batches.ts';
import {
	isDuplicate,
	isDuplicateWrite,
	isLostUpsert,
	toLostWrites,
	toServerError,
	unwrapBulkError,
	writeErrorsOf,
} from './explain-error.ts';
import type { PreparedBatch, PreparedStep, Row } from './prepare-step.ts';

/** Batches of one step, which are whole without a transaction. */
export interface SingleApplier {
	/** Steps without a condition, one write a collection: what is wrong with one leaves the others alone. */
	applyEach(batches: readonly PreparedBatch[]): Promise<Settlement[]>;
	/** A step with a condition. */
	applyConditional(step: PreparedStep): Promise<BatchOutcome>;
}

const applied: Settlement = Object.freeze({ outcome: Object.freeze({ ok: true }) });
const duplicate: Settlement = Object.freeze({ outcome: Object.freeze({ ok: false, failed: 0, duplicate: true }) });

export function createSingleApplier(db: Db): SingleApplier {
	const applyEach = async (batches: readonly PreparedBatch[]): Promise<Settlement[]> => {
		const settled = new Map<PreparedBatch, Settlement>();
		const byCollection = new Map<string, PreparedBatch[]>();
		for (const batch of batches) {
			const collection = batch.steps[0]?.collection ?? '';
			const others = byCollection.get(collection);
			if (others) others.push(batch);
			else byCollection.set(collection, [batch]);
		}
		const writes = [...byCollection].map(([collection, some]) => writeUnordered(collection, some, settled));
		await Promise.all(writes);
		return batches.map((batch) => settled.get(batch) ?? applied);
	};

	const writeUnordered = async (
		collection: string,
		batches: readonly PreparedBatch[],
		settled: Map<PreparedBatch, Settlement>,
	): Promise<void> => {
		try {
			const writes = batches.flatMap(({ steps }) => steps.map(({ write }) => write));
			await db.collection<Row>(collection).bulkWrite(writes, { ordered: false });
		} catch (error) {
			const refused = error instanceof MongoBulkWriteError ? writeErrorsOf(error) : [];
			// Beside single writes that it refused, the database may not have made the others durable.
			const lost = refused.length === 0 ? unwrapBulkError(error) : toLostWrites(error);
			const again: PreparedBatch[] = [];
			for (const one of refused) {
				const batch = batches[one.index];
				if (batch === undefined) continue;
				if (isLostUpsert(batch.steps[0]?.kind ?? '', one)) again.push(batch);
				else settled.set(batch, isDuplicateWrite(one) ? duplicate : { error: toServerError(one) });
			}
			for (const batch of batches)
				if (lost !== undefined && !settled.has(batch) && !again.includes(batch)) settled.set(batch, { error: lost });
			if (again.length > 0) await writeUnordered(collection, again, settled);
		}
	};

	const applyConditional = async ({ collection, kind, condition, write }: PreparedStep): Promise<BatchOutcome> => {
		const notMet: BatchOutcome = { ok: false, failed: 0, duplicate: false };
		if (condition === undefined) throw new TypeError(`a ${kind} has no condition`);
		const rows = db.collection<Row>(collection);
		if (kind === 'require' || !('updateOne' in write)) {
			const found = await rows.findOne(condition.filter, { projection: { _id: 1 } });
			return found ? { ok: true } : notMet;
		}
		try {
			const { matchedCount } = await rows.updateOne(condition.filter, write.updateOne.update);
			return matchedCount === 1 ? { ok: true } : notMet;
		} catch (error) {
			if (!isDuplicate(error)) throw error;
			return { ok: false, failed: 0, duplicate: true };
		}
	};

	return { applyEach, applyConditional };
}
