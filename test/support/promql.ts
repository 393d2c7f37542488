import { parser } from '@prometheus-io/lezer-promql';

/** A series that an expression asks for, with the labels that it is asked by. */
export interface WantedSeries {
	readonly metric: string;
	readonly labels: readonly string[];
}

export interface ParsedExpression {
	readonly series: readonly WantedSeries[];
	/** Labels that results are grouped, joined or split by. */
	readonly groupedBy: readonly string[];
}

/** Reads a PromQL expression. @throws Error that says where it is wrong */
export function parsePromql(expression: string): ParsedExpression {
	const series: { metric: string; labels: string[] }[] = [];
	const groupedBy: string[] = [];
	let isGrouping = false;
	parser.parse(expression).iterate({
		enter(node) {
			const text = expression.slice(node.from, node.to);
			if (node.type.isError) throw new Error(`not PromQL at ${node.from}: ${expression}`);
			if (node.name === 'VectorSelector') series.push({ metric: '', labels: [] });
			const last = series.at(-1);
			if (node.name === 'Identifier' && last) last.metric = text;
			if (node.name === 'GroupingLabels') isGrouping = true;
			if (node.name === 'LabelName' && isGrouping) groupedBy.push(text);
			else if (node.name === 'LabelName') last?.labels.push(text);
		},
		leave(node) {
			if (node.name === 'GroupingLabels') isGrouping = false;
		},
	});
	return { series, groupedBy };
}
