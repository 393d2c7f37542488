import { percentile } from './statistics.ts';

/** Milliseconds of one kind of call. */
export interface Latency {
	readonly what: string;
	readonly p50: number;
	readonly p99: number;
}

/** Times calls, one at a time; those of the warm-up do not count. */
export async function measureLatency(
	what: string,
	{ runs, warmUpRuns }: { readonly runs: number; readonly warmUpRuns: number },
	call: (run: number) => Promise<unknown>,
): Promise<Latency> {
	const times: number[] = [];
	for (let run = 0; run < runs + warmUpRuns; run++) {
		const began = performance.now();
		await call(run);
		if (run >= warmUpRuns) times.push(performance.now() - began);
	}
	return { what, p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}
