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
	const { queryPlanner, executionStats }: Document = await rows.find(compileFilter(filter), options).explain('executionStats');
	const steps = stepsOf(queryPlanner.winningPlan);
	return {
		stages: steps.flatMap(({ stage }) => (stage ? [String(stage)] : [])),
		indexes: steps.flatMap(({ indexName }) => (indexName ? [String(indexName)] : [])),
		keysExamined: Number(executionStats.totalKeysExamined),
		documentsExamined: Number(executionStats.totalDocsExamined),
		documents: Number(executionStats.nReturned),
	};
}

function stepsOf(plan: Document): Document[] {
	// With the newer of its two machines the server wraps the plan.
	const { inputStage, inputStages = [], queryPlan }: Document = plan;
	return [plan, ...[queryPlan, inputStage, ...inputStages].filter(Boolean).flatMap(stepsOf)];
}
