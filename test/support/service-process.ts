import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { within } from './eventually.ts';
import { connectFakeDevice, type FakeDevice, type FakeDeviceOptions } from './fake-device.ts';
import { createHttpClient } from './http-client.ts';
import { isOnMongoDb } from './named-stores.ts';
import { createOperator, type Operator } from './operator.ts';
import { freshMongoDatabase, type MongoDatabase } from './test-store.ts';

const main = fileURLToPath(new URL('../../service/main.ts', import.meta.url));

export type ServiceProcess = Awaited<ReturnType<typeof startServiceProcess>>;

/** The real process, from its sources, on free ports of the loopback. `end` or `kill` has to be called. */
export async function startServiceProcess(settings: Readonly<Record<string, string>>, nodeOptions: readonly string[] = []) {
	const { PATH = '', HOME = '' } = process.env;
	const child = spawn(process.execPath, [...nodeOptions, '--import=tsx', main], {
		env: { PATH, HOME, HOST: '127.0.0.1', HTTP_PORT: '0', MQTT_PORT: '0', DRAIN_DELAY_SECONDS: '0', ...settings },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	const output: string[] = [];
	const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
	const ports = await within('the process is ready', readyPorts(child, output), 30_000).catch((error: unknown) => {
		child.kill('SIGKILL');
		throw new Error(`${error instanceof Error ? error.message : error}\n${output.join('\n')}`);
	});

	/** Asks it to stop, and returns the exit code. */
	async function end(signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<number | null> {
		child.kill(signal);
		// Longer than it gives itself: then its code tells that it was not enough.
		return within('the process ends', ended, 30_000);
	}

	/** kill -9. */
	async function kill(): Promise<void> {
		child.kill('SIGKILL');
		await within('the process is gone', ended);
	}

	return {
		pid: child.pid ?? 0,
		ended,
		http: `http://127.0.0.1:${ports.http}`,
		mqtt: `mqtt://127.0.0.1:${ports.mqtt}`,
		output,
		end,
		kill,
		/** It keeps its connections and does nothing. */
		pause: () => void child.kill('SIGSTOP'),
		resume: () => void child.kill('SIGCONT'),
	};
}

export const processPassword = 'password-of-process-tests';
/** How clients of such processes log in. */
export const processLogin = { username: 't1/admin', password: processPassword };

/** A fresh store for each test, with processes on it that are gone after the test, one at a time. */
export function useServiceProcess() {
	let folder = '';
	let database: MongoDatabase | undefined;
	let running: ServiceProcess | undefined;
	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), 'process-'));
		database = isOnMongoDb ? freshMongoDatabase() : undefined;
	});
	afterEach(async () => {
		await running?.kill();
		running = undefined;
		await database?.drop();
		rmSync(folder, { recursive: true, force: true });
	});

	/** The settings that name the store: the folder, or on MongoDB a database of the test. */
	function store(): Readonly<Record<string, string>> {
		return { DATA_DIR: folder, ...(database && { MONGODB_URL: database.url, MONGODB_DATABASE: database.database }) };
	}

	/** On the store of the test, unless the settings name another. */
	async function start(settings: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
		const isElsewhere = settings.DATA_DIR !== undefined || settings.MONGODB_URL !== undefined;
		running = await startServiceProcess({ ...(isElsewhere ? { DATA_DIR: folder } : store()), ...settings });
		return running;
	}

	return { folder: () => folder, store, start };
}

export function operatorOf({ http }: ServiceProcess, user = processLogin.username, password = processPassword): Operator {
	return createOperator(createHttpClient(http, { user, password }));
}

/** A device that logs in as the administrator. */
export function connectDevice(
	{ mqtt }: ServiceProcess,
	serial: string,
	more: Partial<FakeDeviceOptions> = {},
): Promise<FakeDevice> {
	return connectFakeDevice({ url: mqtt, serial, user: processLogin.username, password: processPassword, ...more });
}

/** What a process that cannot start has printed, with its exit code in the first line. */
export async function failedStart(settings: Readonly<Record<string, string>>): Promise<string> {
	return startServiceProcess(settings).then(
		async (started) => {
			await started.kill();
			throw new Error('the process has started');
		},
		(error: Error) => error.message,
	);
}

async function readyPorts(child: ChildProcess, output: string[]): Promise<{ readonly http: number; readonly mqtt: number }> {
	return new Promise((resolve, reject) => {
		child.once('exit', (code) => reject(new Error(`the process ended with ${code}`)));
		for (const stream of [child.stdout, child.stderr]) {
			if (!stream) continue;
			createInterface(stream).on('line', (line) => {
				output.push(line);
				if (line.startsWith('{') && line.includes('"msg":"ready"')) resolve(JSON.parse(line).ports);
			});
		}
	});
}
