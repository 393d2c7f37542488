/** Fills a store with a fleet, or goes on where it was interrupted. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { actAs } from '../../audit/index.ts';
import { readJob, say } from '../load/job.ts';
import { deviceActor, openDomain } from './domain.ts';
import { newDevice, packagesOf, serialOf, tenantOf } from './fleet.ts';

export interface FillJob {
	readonly directory: string;
	readonly devices: number;
	readonly packagesEach: number;
	readonly tenants: number;
}

/** How far it is; also kept beside the store. */
export interface FillProgress {
	readonly devices: number;
	readonly seconds: number;
}

const devicesAtOnce = 50;
/** A commit of many devices: each has its whole list or none of it. */
const groupSteps = 10_000;
const reportMilliseconds = 2000;

const { directory, devices, packagesEach, tenants } = readJob<FillJob>();
const file = join(directory, 'progress.json');
const before = readProgress();
const { store, inventory, seal } = await openDomain(directory, groupSteps);
const began = performance.now();
let reported = began;
for (let from = before.devices; from < devices; from += devicesAtOnce) {
	const to = Math.min(devices, from + devicesAtOnce);
	await Promise.all(
		Array.from({ length: to - from }, (_, index) => {
			const device = from + index;
			return actAs(deviceActor(device, tenants, '140'), () => fillDevice(device));
		}),
	);
	await seal();
	const now = performance.now();
	const progress: FillProgress = { devices: to, seconds: before.seconds + (now - began) / 1000 };
	writeFileSync(file, JSON.stringify(progress));
	if (to < devices && now - reported > reportMilliseconds) {
		reported = now;
		say('result', progress);
	}
}
await store.close();
say('result', readProgress());

async function fillDevice(device: number): Promise<void> {
	const tenant = tenantOf(device, tenants);
	const { id } = await inventory.devices.ensure(tenant, serialOf(device), () => newDevice(device));
	await inventory.software.set(tenant, id, packagesOf(device, packagesEach), 'advanced');
}

function readProgress(): FillProgress {
	try {
		return JSON.parse(readFileSync(file, 'utf8'));
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { devices: 0, seconds: 0 };
		throw error;
	}
}
