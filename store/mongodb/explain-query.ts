import type { Document, Collection as Rows } from 'mongodb';
import type { Query } from '../document-store.ts';
import { sortOf } from './collection.ts';
import { compileFilter } from './compile-filter.ts';
import type { Row } from './prepare-step.ts';

/** What the server did for a query. */
export interface QueryPlan {
	/** Of the plan that won, from the result to what was read: `FETCH`, `IXSCAN`, … */
	readonly stages: readonly string[];
	readonly keysExamined: number;
	readonly documentsExamined: number;
	readonly documents: number;
}

/** Runs a query for its plan. */
export async function explainQuery(rows: Rows<Row>, { filter, sort, limit }: Query): Promise<QueryPlan> {
	const order = sortOf(sort);
	const options = { ...(order !== undefined && { sort: order }), ...(limit !== undefined && { limit }) };
	const { queryPlanner, executionStats }: Document = await rows.find(compileFilter(filter), options).explain('executionStats');
	return {
		stages: stagesOf(queryPlanner.winningPlan),
		keysExamined: Number(executionStats.totalKeysExamined),
		documentsExamined: Number(executionStats.totalDocsExamined),
		documents: Number(executionStats.nReturned),
	};
}

function stagesOf(plan: Document): string[] {
	// With the newer of its two machines the server wraps the plan.
	const { stage, inputStage, inputStages = [], queryPlan }: Document = plan;
	const below: Document[] = [queryPlan, inputStage, ...inputStages].filter(Boolean);
	return [...(stage ? [String(stage)] : []), ...below.flatMap(stagesOf)];
}
