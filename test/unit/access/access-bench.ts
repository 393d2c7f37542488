import { type Access, type AccessOptions, openAccess } from '../../../access/index.ts';
import { accessSettings } from '../../support/access-settings.ts';
import { openTestStore, type TestClock, type TestStore, testClock } from '../inventory/inventory-bench.ts';

export interface AccessBench {
	readonly clock: TestClock;
	readonly store: TestStore;
	readonly access: Access;
	/** Another process on the same store. */
	reopen(more?: Partial<AccessOptions>): Promise<Access>;
}

export const cacheTtlMilliseconds = 60_000;
export const tokenLifetimeSeconds = 3600;

export async function openAccessBench(): Promise<AccessBench> {
	const clock = testClock();
	const store = await openTestStore(clock);
	const reopen = (more: Partial<AccessOptions> = {}) =>
		openAccess({
			...accessSettings,
			store,
			clock,
			elapsed: clock,
			limits: { ...accessSettings.limits, cacheTtlMilliseconds, failuresPerMinute: 3 },
			tokens: { ...accessSettings.tokens, lifetimeSeconds: tokenLifetimeSeconds },
			...more,
		});
	const access = await reopen();
	for (const tenant of ['t1', 't2']) await access.tenants.ensure(tenant);
	return { clock, store, access, reopen };
}
