/** Load for `page`: many connections that ask for the same page again and again. */
import autocannon from 'autocannon';
import type { PageJob, PageResult } from '../page.ts';
import { readJob, say } from './job.ts';

const { url, connections, seconds, warmUpSeconds, headers, expectedLength } = readJob<PageJob>();
await autocannon({ url, connections, duration: warmUpSeconds, headers });
const result = await autocannon({ url, connections, duration: seconds, headers });
const counted = result.requests.total;
const measured: PageResult = {
	requestsPerSecond: counted / result.duration,
	p50Milliseconds: result.latency.p50,
	p99Milliseconds: result.latency.p99,
	failed: result.non2xx + result.errors + result.timeouts,
	// Heads differ in length from server to server; a page that is missing or cut off shows here all the same.
	short: result.throughput.total < counted * expectedLength ? 1 : 0,
};
say('result', measured);
