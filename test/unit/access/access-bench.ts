import { type Access, openAccess, type TenantLimits } from '../../../access/index.ts';
import { openTestStore, type TestClock, type TestStore, testClock } from '../inventory/inventory-bench.ts';

const noLimits: TenantLimits = { devices: 0, packages: 0, storageBytes: 0, requestsPerSecond: 0 };

export interface AccessBench {
	readonly clock: TestClock;
	readonly store: TestStore;
	readonly access: Access;
	/** Another process on the same store. */
	reopen(): Promise<Access>;
}

export const cacheTtlMilliseconds = 60_000;
export const tokenLifetimeSeconds = 3600;

export async function openAccessBench(): Promise<AccessBench> {
	const clock = testClock();
	const store = await openTestStore(clock);
	const reopen = () =>
		openAccess({
			store,
			clock,
			elapsed: clock,
			limits: { cacheEntries: 100, cacheTtlMilliseconds, failuresPerMinute: 3 },
			tokenLifetimeSeconds,
			tenants: { defaultTenant: 't1', hostSuffix: 'example.com', limits: noLimits },
		});
	const access = await reopen();
	for (const tenant of ['t1', 't2']) await access.tenants.ensure(tenant);
	return { clock, store, access, reopen };
}
