import { type Access, type CertificateSettings, openAccess } from '../../../access/index.ts';
import { certificateSettings } from '../../support/certificate-settings.ts';
import { openTestStore, type TestClock, type TestStore, testClock } from '../inventory/inventory-bench.ts';

export interface AccessBench {
	readonly clock: TestClock;
	readonly store: TestStore;
	readonly access: Access;
	/** Another process on the same store. */
	reopen(certificates?: Partial<CertificateSettings>): Promise<Access>;
}

export const cacheTtlMilliseconds = 60_000;
export const tokenLifetimeSeconds = 3600;

export async function openAccessBench(): Promise<AccessBench> {
	const clock = testClock();
	const store = await openTestStore(clock);
	const reopen = (certificates: Partial<CertificateSettings> = {}) =>
		openAccess({
			store,
			clock,
			elapsed: clock,
			limits: { cacheEntries: 100, cacheTtlMilliseconds, failuresPerMinute: 3 },
			tokenLifetimeSeconds,
			certificates: { ...certificateSettings, ...certificates },
		});
	return { clock, store, access: await reopen(), reopen };
}
