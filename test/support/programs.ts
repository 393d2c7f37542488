import { type ChildProcess, spawn, spawnSync } from 'node:child_process';

/** Where a program is, if it is on the path. */
export function findProgram(name: string): string | undefined {
	return spawnSync('sh', ['-c', `command -v "${name}"`], { encoding: 'utf8' }).stdout.trim() || undefined;
}

export function hasProgram(name: string): boolean {
	return findProgram(name) !== undefined;
}

/** How many packages dpkg has installed here; 0 where there is no dpkg. */
export function countDebianPackages(): number {
	const { status, stdout } = spawnSync('dpkg-query', ['-f', '.', '-W'], { encoding: 'utf8' });
	return status === 0 ? stdout.length : 0;
}

export interface Program {
	/** What it has printed, a line an entry, both streams. */
	readonly lines: readonly string[];
	/** Resolves with the exit code. */
	readonly ended: Promise<number | null>;
	/** Asks it to end, by its own id, and waits; when the grace is over, it is ended without being asked. */
	stop(graceMilliseconds?: number): Promise<void>;
}

/** Starts a program of somebody else's; the caller stops it. */
export function startProgram(
	command: string,
	args: readonly string[],
	environment: Readonly<Record<string, string>> = {},
): Program {
	const child = spawn(command, args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
	const lines: string[] = [];
	for (const stream of [child.stdout, child.stderr]) collectLines(stream, lines);
	const ended = new Promise<number | null>((resolve) => {
		child.once('error', (error) => {
			lines.push(error.message);
			resolve(null);
		});
		child.once('close', resolve);
	});
	return { lines, ended, stop: (graceMilliseconds = 15_000) => stop(child, ended, graceMilliseconds) };
}

async function stop(child: ChildProcess, ended: Promise<unknown>, graceMilliseconds: number): Promise<void> {
	child.kill('SIGTERM');
	const late = setTimeout(() => child.kill('SIGKILL'), graceMilliseconds);
	await ended;
	clearTimeout(late);
}

function collectLines(stream: NodeJS.ReadableStream, lines: string[]): void {
	let rest = '';
	stream.setEncoding('utf8');
	stream.on('data', (text: string) => {
		const parts = (rest + text).split('\n');
		rest = parts.pop() ?? '';
		lines.push(...parts);
	});
	stream.on('end', () => rest !== '' && lines.push(rest));
}
