import { adminPassword, type ServiceUnderTest } from './service-fixture.ts';

/** A metric without labels, as `/metrics` tells it; not a number where it does not. */
export async function metricOf({ urls }: ServiceUnderTest, name: string): Promise<number> {
	const headers = { authorization: `Basic ${Buffer.from(`t1/admin:${adminPassword}`).toString('base64')}` };
	const text = await (await fetch(`${urls.http}/metrics`, { headers })).text();
	return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
}
