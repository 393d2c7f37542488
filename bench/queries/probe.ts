/** Measures on a filled store how long queries take that find five objects, one at a time. */
import type { ObjectFilter } from '../../inventory/index.ts';
import { type Latency, measureLatency } from '../latency.ts';
import { readJob, say } from '../load/job.ts';
import { alike, queries, tenant } from './objects.ts';
import { openQueried, type QueriesJob } from './store.ts';

/** Milliseconds by what was asked. */
export interface QueriesResult {
	readonly latencies: readonly Latency[];
}

const pageSize = 100;

const job = readJob<QueriesJob>();
const { runs } = job;
const warmUpRuns = Math.ceil(runs / 10);
const { store, inventory } = await openQueried(job);
const sets = job.objects / alike;
const groups = await inventory.objects.list(tenant, { type: 'c8y_DeviceGroup' }, { skip: 0, limit: pageSize });
const first = Number(groups.at(-1)?.id);
const probes: Readonly<Record<string, (run: number) => Promise<void>>> = {
	...Object.fromEntries(
		Object.entries(queries).map(([what, query]) => [what, (run: number) => finds({ query: query(setOf(run)) })]),
	),
	'group (bygroupid)': (run) => finds({ query: `$filter=bygroupid(${groupOf(run)})` }),
	'hierarchy (isinhierarchyof)': (run) => finds({ query: `$filter=isinhierarchyof(${groupOf(run)}) and has(c8y_IsDevice)` }),
	'status of availability': () => finds({ query: "$filter=c8y_Availability.status eq 'UNAVAILABLE'" }),
	'text=': (run) => finds({ text: `SN${setOf(run)}` }),
	'a page of a walk by _id, at the start': () => walks(first),
	'a page of a walk by _id, near the end': () => walks(first + job.objects - 5 * pageSize),
};
const latencies: Latency[] = [];
for (const [what, probe] of Object.entries(probes)) {
	latencies.push(await measureLatency(what, { runs, warmUpRuns }, probe));
}
await store.close();
say('result', { latencies });

async function finds(filter: ObjectFilter): Promise<void> {
	const found = await inventory.objects.list(tenant, filter, { skip: 0, limit: pageSize });
	if (found.length !== alike) throw new Error(`${JSON.stringify(filter)} found ${found.length} objects, not ${alike}`);
}

async function walks(from: number): Promise<void> {
	const query = `$filter=_id gt '${from}' $orderby=_id asc`;
	const found = await inventory.objects.list(tenant, { query }, { skip: 0, limit: pageSize });
	if (found.length !== Math.min(pageSize, first + job.objects - from)) throw new Error(`${query} found ${found.length} objects`);
}

/** Spread over all, so that most of what is asked for was not read before. */
function setOf(run: number): number {
	return (run * 7919) % sets;
}

function groupOf(run: number): string {
	return groups[run % groups.length]?.id ?? '';
}
