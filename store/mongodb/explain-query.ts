import type { Document, Collection as Rows } from 'mongodb';
import type { Query } from '../document-store.ts';
import { sortOf } from './collection.ts';
import { compileFilter } from './compile-filter.ts';
import type { Row } from './prepare-step.ts';

/** What the server did for a query. */
export interface QueryPlan {
	/** Of the plan that won, from the result to what was read: `FETCH`, `IXSCAN`, … */
	readonly stages: readonly string[];
	/** The indexes that were read. */
	readonly indexes: readonly string[];
	readonly keysExamined: number;
	readonly documentsExamined: number;
	readonly documents: number;
}

/** Runs a query for its plan; with a `hint`, over the index of that name. */
export async function explainQuery(rows: Rows<Row>, { filter, sort, limit }: Query, hint?: string): Promise<QueryPlan> {
	const order = sortOf(sort);
	// The plan repeats the filter, with regular expressions that JavaScript has none of.
	const options = {
		bsonRegExp: true,
		...(order && { sort: order }),
		...(limit !== undefined && { limit }),
		...(hint !== undefined && { hint }),
	};
	const { queryPlanner, executionStats }: Document = await rows
		.find(asPlanned(compileFilter(filter)), options)
		.explain('executionStats');
	const steps = stepsOf(queryPlanner.winningPlan);
	return {
		stages: steps.flatMap(({ stage }) => (stage ? [String(stage)] : [])),
		indexes: steps.flatMap(({ indexName }) => (indexName ? [String(indexName)] : [])),
		keysExamined: Number(executionStats.totalKeysExamined),
		documentsExamined: Number(executionStats.totalDocsExamined),
		documents: Number(executionStats.nReturned),
	};
}

/**
 * A filter as MongoDB's planner has it: what an `$and` holds stands side by side, an equality for itself. MongoDB writes every
 * filter so before it plans; the server of the tests looks for an index only where it finds it so.
 */
function asPlanned(filter: Document): Document {
	const parts: Document[] = filter.$and ?? [filter];
	const keys = parts.flatMap(Object.keys);
	if (new Set(keys).size < keys.length) return filter;
	return Object.fromEntries(parts.flatMap(Object.entries).map(([key, condition]) => [key, operandOf(condition)]));
}

function operandOf(condition: unknown): unknown {
	const isEquality = typeof condition === 'object' && condition !== null && Object.keys(condition).join() === '$eq';
	return isEquality ? (condition as Document).$eq : condition;
}

function stepsOf(plan: Document): Document[] {
	// With the newer of its two machines the server wraps the plan.
	const { inputStage, inputStages = [], queryPlan }: Document = plan;
	return [plan, ...[queryPlan, inputStage, ...inputStages].filter(Boolean).flatMap(stepsOf)];
}
