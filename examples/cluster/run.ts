/** Two processes of the service over one MongoDB, and HAProxy in front: `npm run cluster -- --help`. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { startTestMongoDb } from '../../test/support/mongodb.ts';
import { hasProgram } from '../../test/support/programs.ts';
import { type Cluster, memberNames, startCluster } from './cluster.ts';

const usage = `npm run cluster -- [--http-port 8080] [--mqtt-port 1883]

Starts two processes of the service and HAProxy in front of them, on this machine; Ctrl-C stops all of it.
"restart" and Enter replaces one process after the other, "kill" and Enter ends the first without warning and starts it again.

MONGODB_URL: a replica set to work on, with MONGODB_DATABASE where the URL names no database. Unset, a server that speaks
MongoDB's protocol is installed from PyPI (Python 3.11 is needed), started, and removed with all its data at the end.
ADMIN_PASSWORD, BOOTSTRAP_PASSWORD: made up and shown when unset.`;

async function run(ports: { readonly httpPort: string; readonly mqttPort: string }, interrupted: AbortSignal): Promise<void> {
	if (!hasProgram('haproxy')) throw new Error('haproxy is not installed; on Debian: apt-get install haproxy');
	const { MONGODB_URL: given, MONGODB_DATABASE: database } = process.env;
	const folder = mkdtempSync(join(tmpdir(), 'cluster-'));
	const mongodb = given ? undefined : await startTestMongoDb({ detached: true });
	let cluster: Cluster | undefined;
	try {
		const adminPassword = process.env.ADMIN_PASSWORD || randomBytes(12).toString('hex');
		cluster = await startCluster({
			...ports,
			folder,
			settings: {
				MONGODB_URL: given || (mongodb?.url ?? ''),
				...(database && { MONGODB_DATABASE: database }),
				ADMIN_PASSWORD: adminPassword,
				BOOTSTRAP_PASSWORD: process.env.BOOTSTRAP_PASSWORD || randomBytes(12).toString('hex'),
			},
		});
		print(whereEverythingIs(cluster, mongodb?.url ?? 'MONGODB_URL', process.env.ADMIN_PASSWORD ? undefined : adminPassword));
		await obey(cluster, interrupted);
	} finally {
		print('stopping');
		await cluster?.stop();
		await mongodb?.stop();
		rmSync(folder, { recursive: true, force: true });
	}
}

function whereEverythingIs({ http, mqtt, log, members }: Cluster, mongodb: string, adminPassword: string | undefined): string {
	const lines: readonly (readonly [string, string])[] = [
		['HTTP', http],
		['MQTT', mqtt],
		['user', `t1/admin${adminPassword ? `, password ${adminPassword}` : ''}`],
		['HAProxy', `log ${log}`],
		...memberNames.map((name) => {
			const member = members[name];
			return [`process ${name}`, `${member.http}/metrics, ${member.mqtt}, log ${member.log}`] as const;
		}),
		['MongoDB', mongodb],
	];
	return lines.map(([what, where]) => `  ${what.padEnd(14)} ${where}`).join('\n');
}

/** Does what is typed, until Ctrl-C. */
async function obey({ members }: Cluster, interrupted: AbortSignal): Promise<void> {
	const input = createInterface({ input: process.stdin });
	let last: Promise<void> = Promise.resolve();
	input.on('line', (line) => {
		last = last.then(async () => {
			if (line.trim() === 'restart') {
				for (const name of memberNames) print(`process ${name} ended with ${await members[name].restart()}, and is back`);
			} else if (line.trim() === 'kill') {
				await members.one.kill();
				print('process one was killed, and is back');
			} else print('restart, kill, or Ctrl-C');
		});
		last.catch(() => undefined);
	});
	await new Promise<void>((resolve) => {
		if (interrupted.aborted) resolve();
		interrupted.addEventListener('abort', () => resolve(), { once: true });
	});
	input.close();
	await last;
}

function print(text: string): void {
	process.stdout.write(`${text}\n`);
}

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interruption.abort());
try {
	const { values } = parseArgs({
		options: {
			'http-port': { type: 'string', default: '8080' },
			'mqtt-port': { type: 'string', default: '1883' },
			help: { type: 'boolean', default: false },
		},
	});
	if (values.help) print(usage);
	else await run({ httpPort: values['http-port'], mqttPort: values['mqtt-port'] }, interruption.signal);
} catch (error) {
	process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
	process.exitCode = 1;
}
