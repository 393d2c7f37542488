/** Measures on a filled store what searches for installed software cost, one call at a time. */
import { join } from 'node:path';
import Database from 'libsql';
import { type OrderOfType, parseSoftwareConditions } from '../../inventory/index.ts';
import { type Latency, measureLatency } from '../latency.ts';
import { readJob, say } from '../load/job.ts';
import { openDomain } from '../scale/domain.ts';
import type { FillJob } from '../scale/fill.ts';
import { serialOf, tenantOf } from '../scale/fleet.ts';

/** One of these for each kind of call, and then the sizes. */
export interface SoftwareLatency extends Latency {
	readonly runs: number;
}

/** Bytes that the packages take. */
export interface PackageSizes {
	readonly packages: number;
	readonly table: number;
	readonly index: number;
}

/** On every device, in twenty versions. */
const everywhere = 'ca-certificates';
/** On one device alone. */
const rare = '20090101';
/** Of the fleet's own names: on a fifth of the devices, with thousands of versions. */
const varied = 'openssl';
const pageSize = 100;
const spreadAtOnce = 200;

const { directory, devices, tenants } = readJob<FillJob>();
const tenant = tenantOf(0, tenants);
const orders: OrderOfType = new Map([['apt', 'debian']]);
const { store, inventory } = await openDomain(directory, 10_000);
const { softwareSearch } = inventory;
await spread();

const older = conditions(`${everywhere};type=apt;version<20230311`);
const found = await softwareSearch.countDevices({ tenant }, older, orders);
const [far] = await list(older, { skip: Math.floor(found * 0.9), limit: 1 });
if (!far) throw new Error('no far page');
const serials = Array.from({ length: 1000 }, (_, n) => serialOf((n * 7919) % devices));
const ids = await Promise.all(serials.map((serial) => inventory.devices.find(tenant, serial)));

await probe('a managed object by its key', 1000, (run) => {
	const id = ids[run % ids.length];
	return id ? inventory.objects.get(tenant, id) : undefined;
});
await probe('older than a version, on half of the devices: first 100', 200, () =>
	full(list(older, { skip: 0, limit: pageSize })),
);
await probe('the same, 100 near the end, by next', 200, () => list(older, { skip: 0, limit: pageSize, after: far.id }));
await probe('the same, 100 near the end, by the number of the page', 30, () =>
	list(older, { skip: Math.floor(found * 0.9), limit: pageSize }),
);
await probe('the same, how many', 30, () => softwareSearch.countDevices({ tenant }, older, orders));
await probe('one version, on one device of all that have the name', 30, () =>
	list(conditions(`${everywhere};version<${rare}.1`), { skip: 0, limit: pageSize }),
);
await probe('a name with thousands of versions, older: first 100', 200, () =>
	list(conditions(`${varied};version<4`), { skip: 0, limit: pageSize }),
);
await probe('three packages, and not a fourth: first 100', 100, () =>
	list(conditions(`${everywhere};version<20230311`, varied, 'curl', '!bash'), { skip: 0, limit: pageSize }),
);
await probe('only without a package: first 100', 100, () => list(conditions('!bash'), { skip: 0, limit: pageSize }));
await probe('versions of a name that all devices have', 30, () =>
	softwareSearch.listVersions({ tenant, name: everywhere }, orders),
);
await probe('versions of a name with thousands of them', 30, () => softwareSearch.listVersions({ tenant, name: varied }, orders));
await store.close();
say('result', measureSizes());

function conditions(...texts: string[]) {
	return parseSoftwareConditions(texts, { maxLength: 8000, maxTerms: 100 });
}

function list(wanted: ReturnType<typeof conditions>, range: Parameters<typeof softwareSearch.listDevices>[3]) {
	return softwareSearch.listDevices({ tenant }, wanted, orders, range);
}

async function full(page: ReturnType<typeof list>): Promise<void> {
	if ((await page).length < Math.min(pageSize, found)) throw new Error('the page is not full');
}

async function probe(what: string, runs: number, call: (run: number) => Promise<unknown> | undefined): Promise<void> {
	const latency = await measureLatency(what, { runs, warmUpRuns: Math.ceil(runs / 10) }, async (run) => call(run));
	say('result', { ...latency, runs });
}

/** Gives every device the package that all have; done again, it changes nothing. */
async function spread(): Promise<void> {
	for (let from = 0; from < devices; from += spreadAtOnce) {
		const to = Math.min(devices, from + spreadAtOnce);
		await Promise.all(Array.from({ length: to - from }, (_, n) => addEverywhere(from + n)));
	}
}

async function addEverywhere(device: number): Promise<void> {
	const id = await inventory.devices.find(tenantOf(device, tenants), serialOf(device));
	if (!id) throw new Error(`device ${device} is not in the store`);
	const version = device === devices - 1 ? rare : `202303${String(1 + (device % 20)).padStart(2, '0')}`;
	const item = { name: everywhere, version, softwareType: 'apt' };
	await inventory.software.change(tenantOf(device, tenants), id, [{ action: 'put', item }]);
}

function measureSizes(): PackageSizes {
	const database = new Database(join(directory, 'store.db'), { readonly: true });
	try {
		const bytesOf = (name: string): number => {
			const row = database.prepare('SELECT sum(pgsize) AS bytes FROM dbstat WHERE aggregate = TRUE AND name = ?').get(name);
			return Number((row as { bytes: number }).bytes);
		};
		const rows = database.prepare('SELECT count(*) AS packages FROM "c:packages"').get() as { packages: number };
		return { packages: rows.packages, table: bytesOf('c:packages'), index: bytesOf('i:packages:byName') };
	} finally {
		database.close();
	}
}
