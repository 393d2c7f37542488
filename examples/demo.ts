/** A fleet of devices on this machine, and one software update for all of them: `npm run demo -- --help`. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import cliProgress from 'cli-progress';
import { pino } from 'pino';
import { load } from '../config/index.ts';
import { compose } from '../service/compose.ts';
import { type Change, createOperator, type Operator } from './demo-operator.ts';
import { type DemoOptions, readOptions, usage } from './demo-options.ts';
import { summarize } from './demo-summary.ts';
import { type Device, startDevice } from './device.ts';
import { type InstalledPackage, readPackages } from './package-list.ts';

const tenant = 'demo';
const connectedAtATime = 20;

interface Member {
	readonly device: Device;
	readonly id: string;
}

async function runDemo(options: DemoOptions, interrupted: AbortSignal): Promise<boolean> {
	const folder = mkdtempSync(join(tmpdir(), 'demo-'));
	const password = randomBytes(12).toString('base64url');
	const settings = {
		HOST: '127.0.0.1',
		HTTP_PORT: '0',
		MQTT_PORT: '0',
		DATA_DIR: folder,
		TENANT_ID: tenant,
		SHUTDOWN_GRACE_SECONDS: '2',
	};
	const config = load({ ...settings, ADMIN_PASSWORD: password });
	const service = await compose(config, pino({ level: 'warn' }, pino.destination(2)));
	const devices: Device[] = [];
	try {
		const portOf = (wanted: string) => service.listeners.find(({ name }) => name === wanted)?.port;
		const credentials = { user: `${tenant}/admin`, password };
		const url = `http://127.0.0.1:${portOf('http')}`;
		print(`The service runs on ${url} and mqtt://127.0.0.1:${portOf('mqtt')}, its store is in ${folder}`);
		const operator = createOperator({ url, ...credentials });
		const packages = readPackages();
		print(
			`This machine has ${packages.length} ${packages[0]?.type} packages, which each device reports (${options.devices} in all)`,
		);

		const start = async (index: number): Promise<void> => {
			const device = await startDevice({
				url: `mqtt://127.0.0.1:${portOf('mqtt')}`,
				serial: `demo-${String(index + 1).padStart(3, '0')}`,
				...credentials,
				packages: variation(packages, index),
				softwareTypes: [...new Set(packages.map(({ type }) => type))],
				supportedOperations: ['c8y_SoftwareUpdate'],
				installMilliseconds: options.installMilliseconds,
				failureRate: options.failureRate,
			});
			devices.push(device);
		};
		const reportSeconds = await timed(() => forEachOf(options.devices, start, interrupted));
		devices.sort((a, b) => (a.serial < b.serial ? -1 : 1));
		return await updateAll(operator, devices, packages, { ...options, reportSeconds, interrupted });
	} finally {
		await Promise.all(devices.map((device) => device.stop()));
		await service.close();
		rmSync(folder, { recursive: true, force: true });
	}
}

/** One update for every device, and a summary when all have ended. False when that did not happen in time. */
async function updateAll(
	operator: Operator,
	devices: readonly Device[],
	packages: readonly InstalledPackage[],
	options: DemoOptions & { readonly reportSeconds: number; readonly interrupted: AbortSignal },
): Promise<boolean> {
	const members = await Promise.all(
		devices.map(async (device): Promise<Member> => ({ device, id: await operator.idOf(device.serial) })),
	);
	const before = new Map(members.map(({ id, device }) => [id, device.installed()]));
	const packagesBefore = await countAll(operator, members);
	const changes = wantedChanges(packages);
	print(`Every device is asked to ${changes.map(({ action, name, version }) => `${action} ${name} ${version}`).join(', ')}`);

	let isComplete = false;
	const updateSeconds = await timed(async () => {
		await Promise.all(members.map(({ id }) => operator.update(id, changes)));
		isComplete = await watchUntilEnded(operator, members.length, options);
	});
	const failed = await operator.failures();
	const successful = await operator.countOperations('SUCCESSFUL');
	const failedIds = new Set(failed.map(({ deviceId }) => deviceId));
	const example = members.find(({ id }) => !failedIds.has(id)) ?? members[0];
	if (!example) throw new Error('there is no device');
	const result = {
		devices: devices.length,
		reportSeconds: options.reportSeconds,
		updateSeconds,
		successful,
		failureReasons: failed.map(({ failureReason }) => failureReason ?? 'no reason given'),
		unfinished: devices.length - successful - failed.length,
		packagesBefore,
		packagesAfter: await countAll(operator, members),
		example: {
			serial: example.device.serial,
			before: before.get(example.id) ?? [],
			after: await operator.packagesOf(example.id),
		},
	};
	print(summarize(result));
	if (!isComplete) print(`Not all updates have ended within ${options.timeoutSeconds} s.`);
	return isComplete;
}

/** A bar on a terminal, else a line whenever something has changed. */
async function watchUntilEnded(
	operator: Operator,
	total: number,
	{ timeoutSeconds, interrupted }: { readonly timeoutSeconds: number; readonly interrupted: AbortSignal },
): Promise<boolean> {
	const format = 'updates {bar} {value}/{total} ended, {failed} failed, {executing} at work';
	const bar = new cliProgress.SingleBar({ format, hideCursor: true }, cliProgress.Presets.shades_classic);
	const isTerminal = process.stdout.isTTY;
	if (isTerminal) bar.start(total, 0, { failed: 0, executing: 0 });
	const deadline = Date.now() + timeoutSeconds * 1000;
	let shown = '';
	try {
		for (;;) {
			interrupted.throwIfAborted();
			const statuses = ['SUCCESSFUL', 'FAILED', 'EXECUTING'];
			const [successful = 0, failed = 0, executing = 0] = await Promise.all(statuses.map(operator.countOperations));
			const ended = successful + failed;
			const line = `${ended}/${total} ended, ${failed} failed, ${executing} at work`;
			if (isTerminal) bar.update(ended, { failed, executing });
			else if (line !== shown) print(line);
			shown = line;
			if (ended >= total) return true;
			if (Date.now() > deadline) return false;
			await delay(isTerminal ? 100 : 500, undefined, { signal: interrupted });
		}
	} finally {
		if (isTerminal) bar.stop();
	}
}

/** No two machines are quite the same: each lacks some of the packages and has one that no other has. */
function variation(packages: readonly InstalledPackage[], index: number): InstalledPackage[] {
	const present = packages.filter((_, position) => position < 2 || (position + index) % 50 !== 0);
	return [...present, { name: `site-${index + 1}-settings`, version: '1.0', type: packages[0]?.type ?? '', url: '' }];
}

function wantedChanges([first, second]: readonly InstalledPackage[]): Change[] {
	const softwareType = first?.type ?? '';
	const url = (name: string, version: string) => `https://packages.example.com/${encodeURIComponent(name)}_${version}.deb`;
	const changes: Change[] = [
		{ name: 'fleet-agent', version: '2.0.0', softwareType, url: url('fleet-agent', '2.0.0'), action: 'install' },
	];
	if (first) changes.push({ name: first.name, version: '99.0', softwareType, url: url(first.name, '99.0'), action: 'install' });
	if (second) changes.push({ name: second.name, version: second.version, softwareType, url: '', action: 'delete' });
	return changes;
}

async function countAll(operator: Operator, members: readonly Member[]): Promise<number> {
	const counts = await Promise.all(members.map(({ id }) => operator.countPackages(id)));
	return counts.reduce((sum, count) => sum + count, 0);
}

/** Calls with every index below `count`, some at a time. After a failure it begins no more, and fails when all have come to rest. */
async function forEachOf(count: number, call: (index: number) => Promise<void>, interrupted: AbortSignal): Promise<void> {
	let next = 0;
	const worker = async () => {
		while (next < count && !interrupted.aborted) {
			await call(next++).catch((error: unknown) => {
				next = count;
				throw error;
			});
		}
	};
	const ends = await Promise.allSettled(Array.from({ length: connectedAtATime }, worker));
	for (const end of ends) if (end.status === 'rejected') throw end.reason;
	interrupted.throwIfAborted();
}

/** How long it took, in seconds. */
async function timed(work: () => Promise<void>): Promise<number> {
	const begin = performance.now();
	await work();
	return (performance.now() - begin) / 1000;
}

function print(text: string): void {
	process.stdout.write(`${text}\n`);
}

const interruption = new AbortController();
process.once('SIGINT', () => interruption.abort());
try {
	const options = readOptions(process.argv.slice(2));
	if (!options) print(usage);
	else if (!(await runDemo(options, interruption.signal))) process.exitCode = 1;
} catch (error) {
	const reason = interruption.signal.aborted ? 'interrupted' : error instanceof Error ? error.message : String(error);
	process.stderr.write(`${reason}\n`);
	process.exitCode = 1;
}
