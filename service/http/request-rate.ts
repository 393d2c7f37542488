import type { Logger } from 'pino';
import { type Access, networkOf, type Principal } from '../../access/index.ts';
import type { Metrics } from '../metrics.ts';
import { createRateLimit } from '../rate-limit.ts';
import { HttpError } from './http-error.ts';
import type { HttpOptions } from './http-options.ts';

/** How many requests a second somebody may send. */
export function createRequestRate({
	access,
	elapsed,
	metrics,
	log,
	options: { requestsPerSecond },
}: {
	readonly access: Pick<Access, 'tenants'>;
	readonly elapsed: () => number;
	readonly metrics: Pick<Metrics, 'httpThrottled'>;
	readonly log: Logger;
	readonly options: Pick<HttpOptions, 'requestsPerSecond'>;
}) {
	const limits = {
		address: createRateLimit(elapsed),
		tenant: createRateLimit(elapsed),
		user: createRateLimit(elapsed),
		device: createRateLimit(elapsed),
	};

	/** @throws HttpError `http/throttled`, whoever may be there */
	function ofAddress(address: string): void {
		take('address', networkOf(address), requestsPerSecond.address);
	}

	/** @throws HttpError `http/throttled` once the caller, or all of its tenant, has had what it may have in a second */
	async function ofCaller({ tenant, userName, role }: Principal): Promise<void> {
		const kind = role === 'device' ? 'device' : 'user';
		take(kind, `${tenant}/${userName}`, requestsPerSecond[kind]);
		take('tenant', tenant, (await access.tenants.limitsOf(tenant)).requestsPerSecond);
	}

	function take(kind: keyof typeof limits, key: string, perSecond: number): void {
		const excess = limits[kind].excess(key, perSecond);
		if (excess === 0) return;
		metrics.httpThrottled.inc({ by: kind });
		if (excess === 1) log.warn({ [kind]: key, perSecond }, 'more requests than allowed in a second: they are answered with 429');
		throw new HttpError('http/throttled', `The ${kind} '${key}' may send ${perSecond} requests a second: wait for the next one`, {
			headers: { 'Retry-After': '1' },
		});
	}

	return { ofAddress, ofCaller };
}
