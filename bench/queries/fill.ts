/** Fills a store with managed objects: groups first, then devices, of which a few are in groups and a few are unavailable. */
import { formatTime, type NewObject } from '../../inventory/index.ts';
import { readJob, say } from '../load/job.ts';
import { alike, groups, newObject, tenant } from './objects.ts';
import { openQueried, type QueriesJob } from './store.ts';

const atOnce = 500;
const reportMilliseconds = 5000;

const job = readJob<QueriesJob>();
const { store, inventory } = await openQueried(job);
const began = performance.now();
const groupIds = (await all(groups, (number) => create({ owner: 'admin', patch: groupPatch(number) }))).map(({ id }) => id);
const sets = job.objects / alike;
const [now, longAgo] = [formatTime(Date.now()), formatTime(Date.now() - 1000 * 86_400_000)];
let reported = began;
for (let from = 0; from < job.objects; from += atOnce) {
	await all(Math.min(atOnce, job.objects - from), (index) => createDevice(from + index));
	if (performance.now() - reported < reportMilliseconds) continue;
	reported = performance.now();
	say('result', { objects: from + atOnce, seconds: (reported - began) / 1000 });
}
await store.close();
say('result', { objects: job.objects, seconds: (performance.now() - began) / 1000 });

async function createDevice(number: number): Promise<unknown> {
	const set = Math.floor(number / alike);
	// Sets that are spread over all of them fill the groups.
	const group = set % (sets / groups) === 0 ? groupIds[set / (sets / groups)] : undefined;
	const object = newObject(number, set === sets - 1 ? longAgo : now);
	return create({ ...object, ...(group && { parent: { id: group, kind: 'childAssets' as const } }) });
}

async function create(object: NewObject) {
	const created = await inventory.objects.create(tenant, object);
	if (!created) throw new Error('an object was there already');
	return created;
}

function groupPatch(number: number): NewObject['patch'] {
	return { name: `Site ${number}`, type: 'c8y_DeviceGroup', fragments: { c8y_IsDeviceGroup: {} } };
}

function all<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
	return Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}
