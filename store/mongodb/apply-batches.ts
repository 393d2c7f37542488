import type { ClientSession, Db } from 'mongodb';
import { type BatchOutcome, StoreError } from '../document-store.ts';
import { matches } from '../filter-match.ts';
import { decodeDocument } from './bson-document.ts';
import {
	firstWriteError,
	isDuplicateWrite,
	isLostUpsert,
	isTransient,
	isUnreachable,
	SilenceError,
	TryAgain,
	unwrapBulkError,
} from './explain-error.ts';
import type { PreparedBatch, PreparedStep, Row } from './prepare-step.ts';
import type { RunTransaction } from './transaction.ts';

/** What became of a batch: its outcome, or why it could not be applied. */
export type Settlement = { readonly outcome: BatchOutcome } | { readonly error: unknown };

export interface Applier {
	/** Batches of several steps that touch no document in common, together where that can be. */
	applyTogether(batches: readonly PreparedBatch[]): Promise<Settlement[]>;
}

interface Place {
	readonly batch: PreparedBatch;
	readonly step: PreparedStep;
}

const applied: Settlement = Object.freeze({ outcome: Object.freeze({ ok: true }) });
/** With more commands than these it is worth a try to do without those that only tell which step has failed. */
const commandsStepByStep = 8;

/**
 * A group of batches is tried in one transaction, with one write a collection. If a condition in it is not met, the
 * transaction is given up, the database is asked whose it is, and those batches are applied alone, the others together again.
 */
export function createApplier(db: Db, transact: RunTransaction): Applier {
	const applyTogether = async (batches: readonly PreparedBatch[]): Promise<Settlement[]> => {
		const [only] = batches;
		if (only !== undefined && batches.length === 1) return [await settle(() => applyAlone(only))];
		const settled = new Map<PreparedBatch, Settlement>();
		await divide(batches, settled);
		return batches.map((batch) => settled.get(batch) ?? applied);
	};

	const divide = async (batches: readonly PreparedBatch[], settled: Map<PreparedBatch, Settlement>): Promise<void> => {
		const [only] = batches;
		if (only === undefined) return;
		if (batches.length === 1) {
			settled.set(only, await settle(() => applyAlone(only)));
			return;
		}
		const tried = await tryTogether(batches);
		if (tried.isHopeless) for (const batch of batches) settled.set(batch, { error: tried.error });
		if (tried.isApplied || tried.isHopeless) return;
		const suspects = tried.suspects ?? (await findSuspects(batches));
		if (suspects.size === 0) {
			const middle = Math.ceil(batches.length / 2);
			await Promise.all([divide(batches.slice(0, middle), settled), divide(batches.slice(middle), settled)]);
			return;
		}
		await divide(
			batches.filter((batch) => !suspects.has(batch)),
			settled,
		);
		for (const suspect of suspects) settled.set(suspect, await settle(() => applyAlone(suspect)));
	};

	const tryTogether = async (batches: readonly PreparedBatch[]) => {
		try {
			const isApplied = await transact(async (session) => {
				const areMet = await writeAll(session, batches);
				return { commit: areMet, result: areMet };
			}, eraOf(batches));
			return { isApplied, isHopeless: false };
		} catch (error) {
			// Out of reach, or out of time: with fewer batches it would be no better.
			const isHopeless = isUnreachable(error) || (error instanceof StoreError && !(error instanceof SilenceError));
			return { isApplied: false, isHopeless, suspects: suspectsOf(error, batches), error };
		}
	};

	/** Applies all steps in one write a collection; false when a condition is not met. The collections do not see each other. */
	const writeAll = async (session: ClientSession, batches: readonly PreparedBatch[]): Promise<boolean> => {
		for (const [collection, places] of placesByCollection(batches)) {
			const matched = await writeOrdered(session, collection, inFewCommands(places));
			if (matched < places.filter(({ step }) => step.condition !== undefined).length) return false;
		}
		return true;
	};

	/** How many conditions were met. @throws StepRefused for a single write, and what hinders all of them */
	const writeOrdered = async (session: ClientSession, collection: string, places: readonly Place[]): Promise<number> => {
		try {
			const writes = places.map(({ step }) => step.write);
			const result = await db.collection<Row>(collection).bulkWrite(writes, { session, ordered: true });
			const puts = places.filter(({ step }) => step.kind === 'put').length;
			// A replacement counts as matched or as upserted.
			return result.matchedCount + result.upsertedCount - puts;
		} catch (error) {
			const refused = firstWriteError(error);
			const place = refused && places[refused.index];
			if (refused === undefined || place === undefined || isTransient(error)) throw unwrapBulkError(error);
			if (isLostUpsert(place.step.kind, refused)) throw new TryAgain(refused.errmsg);
			throw new StepRefused(place.batch, refused.index, isDuplicateWrite(refused), error);
		}
	};

	/** Who has a condition that is not met now; none when they are met meanwhile, or it cannot be told. */
	const findSuspects = async (batches: readonly PreparedBatch[]): Promise<Set<PreparedBatch>> => {
		const suspects = new Set<PreparedBatch>();
		for (const [collection, places] of placesByCollection(batches)) {
			const ids = places.flatMap(({ step }) => (step.condition ? [step.condition.id] : []));
			if (ids.length === 0) continue;
			const found = await db
				.collection<Row>(collection)
				.find({ _id: { $in: ids } })
				.toArray();
			const rows = new Map(found.map((row) => [row._id, decodeDocument<Row>(row)]));
			for (const { batch, step } of places) {
				if (step.condition === undefined) continue;
				const row = rows.get(step.condition.id);
				if (row === undefined || !matches(row, step.condition.where)) suspects.add(batch);
			}
		}
		return suspects;
	};

	const applyAlone = async (batch: PreparedBatch): Promise<BatchOutcome> => {
		if (countCommands(batch) > commandsStepByStep && (await tryTogether([batch])).isApplied) return { ok: true };
		return transact(async (session) => {
			const result = await writeInOrder(session, batch);
			return { commit: result.ok, result };
		}, batch.era);
	};

	/** Step by step as far as one may fail, so that it can be told which. */
	const writeInOrder = async (session: ClientSession, batch: PreparedBatch): Promise<BatchOutcome> => {
		let start = 0;
		for (const run of runsOf(batch)) {
			const [first] = run;
			if (first === undefined) continue;
			try {
				const matched = await writeOrdered(session, first.step.collection, run);
				if (first.step.condition !== undefined && matched < 1) return { ok: false, failed: start, duplicate: false };
			} catch (error) {
				if (!(error instanceof StepRefused)) throw error;
				if (error.isDuplicate) return { ok: false, failed: start + error.position, duplicate: true };
				throw error.cause;
			}
			start += run.length;
		}
		return { ok: true };
	};

	return { applyTogether };
}

/** A single write that the database refused, whose it was, and where in the bulk. */
class StepRefused extends Error {
	readonly batch: PreparedBatch;
	readonly position: number;
	readonly isDuplicate: boolean;

	constructor(batch: PreparedBatch, position: number, isDuplicate: boolean, cause: unknown) {
		super('the database refused a write', { cause });
		this.batch = batch;
		this.position = position;
		this.isDuplicate = isDuplicate;
	}
}

/** Whose fault it is, where the error tells; only what was begun before a silence is refused for it. */
function suspectsOf(error: unknown, batches: readonly PreparedBatch[]): ReadonlySet<PreparedBatch> | undefined {
	if (error instanceof StepRefused) return new Set([error.batch]);
	if (error instanceof SilenceError) return new Set(batches.filter(({ era }) => era !== undefined));
	return undefined;
}

async function settle(apply: () => Promise<BatchOutcome>): Promise<Settlement> {
	try {
		return { outcome: await apply() };
	} catch (error) {
		return { error };
	}
}

/** Those that have one are all in the same: the one in which their group began. */
function eraOf(batches: readonly PreparedBatch[]): number | undefined {
	return batches.find(({ era }) => era !== undefined)?.era;
}

/** The steps of all batches in their order, by collection. */
function placesByCollection(batches: readonly PreparedBatch[]): Map<string, Place[]> {
	const byCollection = new Map<string, Place[]>();
	for (const batch of batches) {
		for (const step of batch.steps) {
			const places = byCollection.get(step.collection) ?? [];
			byCollection.set(step.collection, places);
			places.push({ batch, step });
		}
	}
	return byCollection;
}

/** Kinds of steps that share a command, in the order in which a value that has to be unique becomes free before it is taken. */
const commandOf: Readonly<Record<PreparedStep['kind'], number>> = {
	remove: 0,
	removeWhere: 0,
	put: 1,
	update: 1,
	require: 1,
	insert: 2,
};

/**
 * The driver sends a command for each run of steps that share one: these are in few runs. The steps of a batch that may touch
 * a document twice stay in their order; batches that are applied together touch none in common.
 */
function inFewCommands(places: readonly Place[]): Place[] {
	const seen = new Map<PreparedBatch, Set<string>>();
	const inOrder = new Set<PreparedBatch>();
	for (const { batch, step } of places) {
		const ids = seen.get(batch) ?? new Set();
		seen.set(batch, ids);
		if (step.id === undefined || ids.has(step.id)) inOrder.add(batch);
		else ids.add(step.id);
	}
	const free = places.filter(({ batch }) => !inOrder.has(batch));
	const sorted = free.sort((a, b) => commandOf[a.step.kind] - commandOf[b.step.kind]);
	return [...sorted, ...places.filter(({ batch }) => inOrder.has(batch))];
}

/** What it takes step by step. */
function countCommands({ steps }: PreparedBatch): number {
	let count = 0;
	let last: PreparedStep | undefined;
	for (const step of steps) {
		const isShared = last?.collection === step.collection && commandOf[last.kind] === commandOf[step.kind];
		if (!isShared || last?.condition || step.condition) count++;
		last = step;
	}
	return count;
}

/** Runs of steps on one collection in one write; a step with a condition is a run of its own. */
function runsOf(batch: PreparedBatch): Place[][] {
	const runs: Place[][] = [];
	let last: PreparedStep | undefined;
	for (const step of batch.steps) {
		const place = { batch, step };
		const isNew = last === undefined || last.collection !== step.collection || last.condition || step.condition;
		if (isNew) runs.push([place]);
		else runs[runs.length - 1]?.push(place);
		last = step;
	}
	return runs;
}
