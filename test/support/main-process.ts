import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { within } from './eventually.ts';

const main = fileURLToPath(new URL('../../service/main.ts', import.meta.url));

export interface CommandRun {
	/** `null` when it was killed. */
	readonly code: number | null;
	readonly output: string;
}

export interface CommandOptions {
	readonly settings?: Readonly<Record<string, string>>;
	readonly hear?: (line: string, end: (signal: 'SIGKILL' | 'SIGTERM') => void) => void;
}

export async function runMigrate(words: readonly string[], options: CommandOptions = {}): Promise<CommandRun> {
	return runMain(['migrate', ...words], options);
}

/** The program with these arguments as a process of its own; `hear` gets each line, and what ends the process. */
export async function runMain(words: readonly string[], options: CommandOptions = {}): Promise<CommandRun> {
	const { PATH = '', HOME = '' } = process.env;
	const env = { PATH, HOME, ...options.settings };
	const child = spawn(process.execPath, ['--import=tsx', main, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });
	const output: string[] = [];
	for (const stream of [child.stdout, child.stderr]) {
		createInterface(stream).on('line', (line) => {
			output.push(line);
			options.hear?.(line, (signal) => child.kill(signal));
		});
	}
	const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
	const code = await within('the command ends', ended, 180_000).catch((error: unknown) => {
		child.kill('SIGKILL');
		throw new Error(`${error instanceof Error ? error.message : error}\n${output.join('\n')}`);
	});
	return { code, output: output.join('\n') };
}
