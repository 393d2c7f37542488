import { operationStatuses, operationTransitions } from '../../operations/index.ts';
import { createMetrics } from '../../service/metrics.ts';
import { pageHead, table } from './markdown.ts';

/** What may follow what in the life of an operation. */
export function renderOperationStatuses(): string {
	return `${[
		pageHead('Statuses of operations', 'operations/operation-status.ts').trimEnd(),
		'HTTP and MQTT obey this one table. Repeating the present status changes nothing; a status without a follower is final.',
		table(
			['from', ...operationStatuses.map((status) => `to ${status}`)],
			operationStatuses.map((from) => [
				from,
				...operationStatuses.map((to) => (from === to ? '=' : operationTransitions[from].includes(to) ? 'yes' : '–')),
			]),
		),
	]
		.join('\n\n')
		.trimEnd()}\n`;
}

/** The figures of `/metrics` that are the service's own. */
export async function renderMetrics(): Promise<string> {
	const { registry } = createMetrics();
	const own = (await registry.getMetricsAsJSON()).filter(({ name }) => !/^(process|nodejs)_/.test(name));
	registry.clear();
	return `${[
		pageHead('Metrics', 'service/metrics.ts').trimEnd(),
		'In the text format of Prometheus, at `/metrics`; beside these there are the figures of the Node.js process (`process_…`, `nodejs_…`).',
		table(
			['name', 'kind', 'meaning'],
			own.map(({ name, type, help }) => [`\`${name}\``, String(type), help]),
		),
	]
		.join('\n\n')
		.trimEnd()}\n`;
}
