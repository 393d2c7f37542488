import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface ChildOptions {
	/** File beside this one, compiled. */
	readonly entry: string;
	readonly args?: readonly string[];
	readonly nodeArgs?: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
}

/** A process of ours, which says what it has to say as lines of JSON on its standard output. */
export interface Child {
	/** The next line whose `msg` is `kind`. @throws when the process ends before, or stays silent for too long */
	hear<T>(kind: string): Promise<T>;
	/** Sends a message through the channel between the processes. */
	tell(message: string): void;
	/** Asks it to end, and makes it end if it does not. Returns when it is gone. */
	stop(): Promise<void>;
}

interface Line {
	readonly msg?: string;
}

const silenceMilliseconds = 120_000;
const stopMilliseconds = 20_000;
const running = new Set<ChildProcess>();

// Whatever ends this process ends what it has started; each by its own id.
process.on('exit', () => {
	for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

export function startChild({ entry, args = [], nodeArgs = [], env = {} }: ChildOptions): Child {
	const child = spawn(process.execPath, [...nodeArgs, new URL(entry, import.meta.url).pathname, ...args], {
		// Nothing is inherited: a setting in the caller's environment must not change what is measured.
		env: { PATH: process.env.PATH, ...env },
		stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
	});
	running.add(child);
	const ended = new Promise<void>((resolve) => {
		child.once('exit', () => {
			running.delete(child);
			resolve();
		});
	});
	const heard: Line[] = [];
	let onLine = (line: Line): void => void heard.push(line);
	if (child.stdout) {
		createInterface({ input: child.stdout }).on('line', (text) => {
			// The service writes a log line for each connection: only what is waited for is parsed.
			if (text.startsWith('{') && /"msg":"(ready|result)"/.test(text)) onLine(JSON.parse(text));
		});
	}

	// What a process of ours says under a name has the form that the caller expects under it.
	function hear<T>(kind: string): Promise<T> {
		return new Promise((resolve, reject) => {
			const settle = (): void => {
				clearTimeout(deadline);
				child.off('exit', onExit);
				onLine = (line) => void heard.push(line);
			};
			const fail = (reason: string): void => {
				settle();
				reject(new Error(`${entry} ${reason} '${kind}'`));
			};
			const deadline = setTimeout(() => fail('did not in time say'), silenceMilliseconds);
			const onExit = (): void => fail('ended before it said');
			child.once('exit', onExit);
			onLine = (line) => {
				if (line.msg !== kind) return;
				settle();
				resolve(line as T);
			};
			for (const line of heard.splice(0)) onLine(line);
		});
	}

	async function stop(): Promise<void> {
		if (!running.has(child)) return;
		child.kill('SIGTERM');
		const deadline = setTimeout(() => child.kill('SIGKILL'), stopMilliseconds);
		await ended;
		clearTimeout(deadline);
	}

	return { hear, stop, tell: (message) => void child.send(message) };
}

/** Runs a load process to its end and gives what it found. */
export async function runLoad<T>(entry: string, job: object): Promise<T> {
	const child = startChild({ entry, args: [JSON.stringify(job)] });
	try {
		return await child.hear<T>('result');
	} finally {
		await child.stop();
	}
}
