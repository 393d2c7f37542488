/** Measures on a filled store what operators and devices ask for most, one call at a time. */
import { actAs } from '../../audit/index.ts';
import type { ManagedObjectId } from '../../inventory/index.ts';
import { type Latency, measureLatency } from '../latency.ts';
import { readJob, say } from '../load/job.ts';
import { deviceActor, openDomain, operatorActor } from './domain.ts';
import type { FillJob } from './fill.ts';
import { packageOf, serialOf, tenantOf } from './fleet.ts';
import { type CollectionSize, computeSizes, measureSizes } from './sizes.ts';

/** Milliseconds by what was measured. */
export interface ProbeResult {
	readonly openMilliseconds: number;
	readonly latencies: readonly Latency[];
	/** After the calls: with the operations that they created. */
	readonly sizes: readonly CollectionSize[];
}

const runs = 500;
const warmUpRuns = 50;
const page = { skip: 0, limit: 100 };

const { directory, devices, packagesEach, tenants } = readJob<FillJob>();
const opening = performance.now();
const { store, inventory, operations, seal } = await openDomain(directory);
const openMilliseconds = performance.now() - opening;
// Spread over the fleet, so that most of what is asked for was not read before.
const asked: ManagedObjectId[] = [];
for (let run = 0; run < runs + warmUpRuns; run++) {
	const id = await inventory.devices.find(tenantAt(run), serialOf(deviceOf(run)));
	if (id === undefined) throw new Error(`device ${deviceOf(run)} is not in the store`);
	asked.push(id);
}
const probes: Readonly<Record<string, (id: ManagedObjectId, run: number) => Promise<unknown>>> = {
	'first 100 packages of a device': async (id, run) => {
		const { text } = await inventory.software.listText(tenantAt(run), id, {}, page);
		if (JSON.parse(text).length !== Math.min(page.limit, packagesEach)) throw new Error(`${id} has not all its packages`);
	},
	'first 100 devices': (_id, run) => inventory.objects.list(tenantAt(run), { fragmentType: 'c8y_IsDevice' }, page),
	'operation created': (id, run) =>
		actAs(operatorActor(tenantAt(run)), () => operations.create(tenantAt(run), { deviceId: id, fragments: { c8y_Restart: {} } })),
	'what an agent has to be sent': (id, run) => operations.listPending(tenantAt(run), id, 0, 20),
	'141 of one package': (id, run) =>
		actAs(deviceActor(deviceOf(run), tenants, '141'), () =>
			inventory.software.change(tenantAt(run), id, [
				{ action: 'put', item: packageOf(deviceOf(run), run % packagesEach, 1 + run) },
			]),
		),
};
const latencies: Latency[] = [];
for (const [what, probe] of Object.entries(probes)) {
	latencies.push(await measureLatency(what, { runs, warmUpRuns }, (run) => probe(askedIn(run), run)));
}
await seal();
const computed = await computeSizes(store);
await store.close();
say('result', { openMilliseconds, latencies, sizes: measureSizes(directory, computed) });

function tenantAt(run: number): string {
	return tenantOf(deviceOf(run), tenants);
}

function askedIn(run: number): ManagedObjectId {
	const id = asked[run];
	if (id === undefined) throw new Error(`no device was found for run ${run}`);
	return id;
}

function deviceOf(run: number): number {
	return (run * 7919) % devices;
}
