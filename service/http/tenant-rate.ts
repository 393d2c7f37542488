import type { Access } from '../../access/index.ts';
import { HttpError } from './http-error.ts';

/** Counts the requests of each tenant in the present second, at this process alone. */
export function createTenantRate({
	access,
	elapsed,
}: {
	readonly access: Pick<Access, 'tenants'>;
	readonly elapsed: () => number;
}) {
	let second = 0;
	const taken = new Map<string, number>();

	/** @throws HttpError `http/throttled` once the tenant has had what it may have in a second */
	async function take(tenant: string): Promise<void> {
		const { requestsPerSecond } = await access.tenants.limitsOf(tenant);
		if (requestsPerSecond === 0) return;
		const now = Math.floor(elapsed() / 1000);
		if (now !== second) taken.clear();
		second = now;
		const requests = (taken.get(tenant) ?? 0) + 1;
		if (requests > requestsPerSecond)
			throw new HttpError(
				'http/throttled',
				`Tenant '${tenant}' may send ${requestsPerSecond} requests a second: wait for the next one`,
				{
					headers: { 'Retry-After': '1' },
				},
			);
		taken.set(tenant, requests);
	}

	return { take };
}
