import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { within } from './eventually.ts';

/*
 * The MongoDB of the tests: SecantusDB, a server that speaks MongoDB's protocol and comes from PyPI (it needs Python 3.11).
 * `npx tsx test/support/mongodb.ts -- npm test -- test/contract` starts one, runs the command on it, and stops it.
 * With MONGODB_TEST_URL, the command runs on that server instead, which may be a real MongoDB.
 */

const release = 'SecantusDB==0.7.0b3';
const cache = fileURLToPath(new URL('../../node_modules/.cache', import.meta.url));
const startProgram = 'import sys; from secantus.cli import main; sys.exit(main())';
const run = promisify(execFile);

/** A server of one test or one run. Its data is gone after `stop`, which has to be called. */
export interface TestMongoDb {
	readonly url: string;
	/** kill -9. */
	kill(): Promise<void>;
	/** It keeps its connections and does nothing. */
	pause(): void;
	resume(): void;
	/** Starts it again on the same data and the same port. */
	restart(): Promise<void>;
	stop(): Promise<void>;
}

/** Starts a server on a free port. `standalone` makes it one that is no replica set; `detached`, one that Ctrl-C does not end. */
export async function startTestMongoDb(
	options: { readonly standalone?: boolean; readonly detached?: boolean } = {},
): Promise<TestMongoDb> {
	const python = await installed();
	const [port, folder] = [await freePort(), await mkdtemp(join(tmpdir(), 'test-mongodb-'))];
	const flags = ['--host', '127.0.0.1', '--port', String(port), '--storage-path', folder, '--sync-on-commit'];
	const { standalone, detached = false } = options;
	const start = () =>
		startServer(python, [...flags, '--enable-test-commands', ...(standalone ? ['--standalone'] : [])], detached);
	let server = await start();

	async function end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
		if (server.exitCode !== null || server.signalCode !== null) return;
		const gone = once(server, 'exit');
		server.kill('SIGCONT');
		server.kill(signal);
		// A server that takes its time to end has nothing that is needed again.
		const late = setTimeout(() => server.kill('SIGKILL'), 10_000);
		await gone;
		clearTimeout(late);
	}

	return {
		url: `mongodb://127.0.0.1:${port}/${standalone ? '' : '?replicaSet=secantus'}`,
		kill: () => end('SIGKILL'),
		pause: () => {
			server.kill('SIGSTOP');
			waitUntilStopped(server.pid ?? 0);
		},
		resume: () => void server.kill('SIGCONT'),
		restart: async () => {
			await end('SIGKILL');
			server = await start();
		},
		stop: async () => {
			await end('SIGTERM');
			await rm(folder, { recursive: true, force: true });
		},
	};
}

async function startServer(python: string, flags: readonly string[], detached: boolean): Promise<ChildProcess> {
	const server = spawn(python, ['-c', startProgram, ...flags], { stdio: ['ignore', 'ignore', 'pipe'], detached });
	const output: string[] = [];
	const listening = new Promise<void>((resolve, reject) => {
		server.once('error', reject);
		server.once('exit', (code) => reject(new Error(`the database server ended with ${code}`)));
		createInterface(server.stderr).on('line', (line) => {
			output.push(line);
			if (output.length > 100) output.shift();
			if (line.includes('secantus listening on')) resolve();
		});
	});
	await within('the database server listens', listening, 60_000).catch((error: unknown) => {
		server.kill('SIGKILL');
		throw new Error(`${error instanceof Error ? error.message : error}\n${output.join('\n')}`);
	});
	return server;
}

/** A signal is only sent when `kill` returns: on a busy machine a thread may answer once more. Where there is no /proc, it may. */
function waitUntilStopped(pid: number): void {
	const threads = `/proc/${pid}/task`;
	const deadline = Date.now() + 5000;
	const isRunning = (thread: string) => !/\) T /.test(readFileSync(join(threads, thread, 'stat'), 'utf8'));
	while (existsSync(threads) && Date.now() < deadline && readdirSync(threads).some(isRunning));
}

/** The Python that has the server, installed once into the cache of the packages. */
async function installed(): Promise<string> {
	const folder = join(cache, release.toLowerCase().replace('==', '-'));
	const python = join(folder, 'bin', 'python3');
	if (existsSync(python)) return python;
	await mkdir(cache, { recursive: true });
	const made = await mkdtemp(join(cache, 'installing-'));
	try {
		await run('python3', ['-m', 'venv', made]);
		await run(join(made, 'bin', 'python3'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', release]);
		// Somebody else may have been faster.
		await rename(made, folder).catch((error: unknown) => {
			if (!existsSync(python)) throw error;
		});
	} finally {
		await rm(made, { recursive: true, force: true });
	}
	return python;
}

async function freePort(): Promise<number> {
	const probe = createServer().listen(0, '127.0.0.1');
	await once(probe, 'listening');
	const { port } = probe.address() as AddressInfo;
	await new Promise((resolve) => probe.close(resolve));
	return port;
}

/** Runs the command with a server, and answers with its exit code. */
async function runWithServer(command: readonly string[]): Promise<number> {
	const [program, ...args] = command;
	if (program === undefined) throw new Error('a command is missing: npx tsx test/support/mongodb.ts -- npm test');
	const given = process.env.MONGODB_TEST_URL;
	const server = given ? undefined : await startTestMongoDb();
	const environment = {
		...process.env,
		STORES: process.env.STORES ?? 'mongodb',
		MONGODB_TEST_URL: given || server?.url,
		...(server && { MONGODB_TEST_SERVER_ENDS: 'true' }),
	};
	try {
		const child = spawn(program, args, { stdio: 'inherit', env: environment });
		for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
		const [code] = await once(child, 'exit');
		return code ?? 1;
	} finally {
		await server?.stop();
	}
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
	const words = process.argv.slice(2);
	process.exitCode = await runWithServer(words[0] === '--' ? words.slice(1) : words);
}
