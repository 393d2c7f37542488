import { readFileSync } from 'node:fs';

export type MemoryRecord = ReturnType<typeof createMemoryRecord>;

/** More than this between the least and the last is growth that does not end. */
export const growthMaxBytes = 400 * 1024 ** 2;

/** How much memory a process holds, from its start to its end. */
export function createMemoryRecord(name: string, pid: number) {
	const first = residentBytes(pid);
	let last = first;
	let peak = first;
	let seconds = 0;
	const startedAt = performance.now();

	function note(): void {
		const now = residentBytes(pid);
		if (now === undefined) return;
		last = now;
		peak = Math.max(peak ?? 0, now);
		seconds = (performance.now() - startedAt) / 1000;
	}

	return {
		name,
		note,
		isAlive: () => residentBytes(pid) !== undefined,
		read: () => ({ name, seconds, first: first ?? 0, peak: peak ?? 0, last: last ?? 0 }),
	};
}

/** `undefined` when it is gone, or where nobody can tell. */
function residentBytes(pid: number): number | undefined {
	try {
		const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
		return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
	} catch {
		// There is no such process any more.
		return undefined;
	}
}
