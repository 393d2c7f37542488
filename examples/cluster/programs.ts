import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A program that writes all it says to one file. */
export interface LoggedProgram {
	/** Resolves with the exit code when it is gone. */
	readonly ended: Promise<number | null>;
	signal(signal: NodeJS.Signals): void;
	/** Resolves when it answers as wanted. @throws Error with its last lines, when it has ended before or takes too long */
	answers(isThere: () => Promise<boolean>): Promise<void>;
}

const patienceMilliseconds = 60_000;

/** Starts a program in a process group of its own: Ctrl-C is for whoever started it, and ends it in order. */
export function startLogged(
	command: readonly string[],
	environment: Readonly<Record<string, string | undefined>>,
	log: string,
): LoggedProgram {
	const [program = '', ...args] = command;
	const file = openSync(log, 'a', 0o600);
	const child = spawn(program, args, { env: environment, stdio: ['ignore', file, file], detached: true });
	closeSync(file);
	const ended = exitOf(child);
	let isRunning = true;
	ended.then(
		() => {
			isRunning = false;
		},
		() => {
			isRunning = false;
		},
	);

	async function answers(isThere: () => Promise<boolean>): Promise<void> {
		const deadline = performance.now() + patienceMilliseconds;
		while (!(await isThere())) {
			if (isRunning && performance.now() < deadline) await delay(100);
			else throw new Error(`${program} ${isRunning ? 'is not ready in time' : 'has ended'}:\n${lastLines(log)}`);
		}
	}

	return { ended, signal: (signal) => void (isRunning && child.kill(signal)), answers };
}

async function exitOf(child: ChildProcess): Promise<number | null> {
	const [code] = await once(child, 'exit');
	return code;
}

function lastLines(file: string): string {
	return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-20).join('\n');
}
