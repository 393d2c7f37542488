import { execFileSync } from 'node:child_process';
import { readFileSync, statfsSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Processor time since some moment, in ticks of the kernel. */
export interface ProcessorTime {
	readonly all: number;
	readonly busy: number;
	/** Taken from this machine by its host. */
	readonly steal: number;
	/** Of this process and of its children that have ended. */
	readonly own: number;
}

/** What disturbed a run. */
export interface Noise {
	/** Share of the processor time that the host took away, from 0 to 1. */
	readonly steal: number;
	/** Cores that processes which are not ours kept busy. */
	readonly foreignCores: number;
}

/** What the kernel has counted so far; nothing on systems without `/proc`. */
export function readProcessorTime(): ProcessorTime | undefined {
	try {
		const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softIrq = 0, steal = 0] = numbersOf(
			readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.slice('cpu'.length) ?? '',
		);
		const busy = user + nice + system + irq + softIrq;
		// The second field is the program's name in brackets, which may hold blanks.
		const own = numbersOf(readFileSync('/proc/self/stat', 'utf8').replace(/^.*\) \S /s, ''));
		return { all: busy + idle + wait + steal, busy, steal, own: own.slice(10, 14).reduce((sum, ticks) => sum + ticks, 0) };
	} catch {
		return undefined;
	}
}

export function noiseBetween(before: ProcessorTime | undefined, after: ProcessorTime | undefined): Noise | undefined {
	if (!before || !after || after.all === before.all) return undefined;
	const all = after.all - before.all;
	const foreign = after.busy - before.busy - (after.own - before.own);
	return { steal: (after.steal - before.steal) / all, foreignCores: Math.max(0, foreign / all) * cpus().length };
}

/** Waits until other programs leave the processors alone, at most so long. */
export async function waitForQuiet(maxSeconds: number): Promise<void> {
	const deadline = performance.now() + maxSeconds * 1000;
	while (performance.now() < deadline) {
		const before = readProcessorTime();
		await wait(1000);
		const noise = noiseBetween(before, readProcessorTime());
		if (!noise || noise.foreignCores + noise.steal < quietCores) return;
	}
}

const quietCores = 0.15;

/** One sentence on the machine and the versions. */
export function describeMachine(): string {
	const [first] = cpus();
	const packages = ['aedes', 'express', 'autocannon', 'libsql', '@node-rs/argon2'].map((name) => `${name} ${versionOf(name)}`);
	return [
		`${cpus().length} cores (${first?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`,
		`Node ${process.versions.node}`,
		...packages,
		`commit ${readCommit()}`,
	].join('; ');
}

/** Where data may be written: the system's directory for temporary files, unless it is kept in memory. */
export function chooseDataDirectory(): string {
	const tmpfs = 0x0102_1994;
	return statfsSync(tmpdir()).type === tmpfs ? join(process.cwd(), 'data') : tmpdir();
}

function versionOf(name: string): string {
	const { version }: { version: string } = JSON.parse(readFileSync(join('node_modules', name, 'package.json'), 'utf8'));
	return version;
}

function readCommit(): string {
	try {
		const git = (...args: string[]) =>
			execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
		const changed = git('status', '--porcelain', '--', '.', ':!docs/*.md') === '' ? '' : ' with changes';
		return git('rev-parse', '--short', 'HEAD') + changed;
	} catch {
		return 'unknown';
	}
}

function numbersOf(text: string): number[] {
	return text.trim().split(/\s+/).map(Number);
}
