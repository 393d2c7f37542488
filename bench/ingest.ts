import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Benchmark, Figures, Target, Workshop } from './benchmark.ts';
import { runLoad } from './child.ts';
import { packageName, packagesEach, packageUrl } from './load/ingest-packages.ts';
import { type MqttServer, mapSome } from './load/mqtt-client.ts';
import { callService, findDevice, readMetric, serials, softwarePath } from './service-http.ts';
import { adminPassword, adminUser, type Server, startBareAedes, startService } from './targets.ts';

export interface IngestJob {
	readonly server: MqttServer;
	readonly devices: readonly string[];
	/** Messages of one device that may wait for their acknowledgement. */
	readonly window: number;
	readonly warmUpMilliseconds: number;
	readonly milliseconds: number;
	readonly drainMilliseconds: number;
}

export interface IngestResult {
	readonly messagesPerSecond: number;
	readonly lost: number;
	readonly payloadBytes: number;
	readonly sentByDevice: readonly number[];
}

const devices = serials(200);
const windows = [20, 1] as const;
const services = [
	{ name: 'service', settings: {} },
	{ name: 'service without records of reports', settings: { AUDIT_DEVICE_REPORTS: 'false' } },
] as const;

export const ingest: Benchmark = {
	name: 'ingest',
	title: 'Ingest: messages acknowledged a second',
	explanation: [
		'200 devices publish lines of template 141 (one package each, 120 bytes) on `s/us` at QoS 1 as fast as they are acknowledged, with up to 20 ' +
			'messages that wait for their acknowledgement, and with one. The service acknowledges what is on disk; the peer is bare aedes with its ' +
			'defaults and no handler, which acknowledges and forgets.',
		`Each device goes through ${packagesEach} package names again and again, each time with another URL, so that every message changes what is ` +
			'stored. The clients are plain sockets that patch a few digits in a packet made before. After each run the lists of all devices are read ' +
			'over HTTP: each package must be there with the URL of the last message about it. A single lost message fails the benchmark.',
		'By default each write of a list is on record: who changed what, when, sealed into a chain of hashes. With `AUDIT_DEVICE_REPORTS=false` it is not.',
	],
	columns: [
		{ key: 'messagesPerSecond', heading: 'messages a second', digits: 0 },
		{ key: 'microseconds', heading: 'µs a message', digits: 1 },
		{ key: 'lost', heading: 'lost', digits: 0 },
		{ key: 'messagesPerCommit', heading: 'messages a commit', digits: 0 },
	],
	comparisons: windows.flatMap((window) =>
		services.map(({ name }) => ({
			what: `${name} to bare aedes, window ${window}`,
			figure: 'messagesPerSecond',
			target: `${name}, window ${window}`,
			peer: `bare aedes, window ${window}`,
			aim: { atLeast: window === 1 ? 0.6 : 0.7 },
		})),
	),
	prepare: async (workshop) =>
		windows.flatMap((window): Target[] => [
			...services.map(({ name, settings }) => ({
				name: `${name}, window ${window}`,
				run: () => runService(workshop, window, settings),
			})),
			{ name: `bare aedes, window ${window}`, run: () => runPeer(window) },
		]),
};

async function runService(
	{ directory, profileDirectory }: Workshop,
	window: number,
	settings: Readonly<Record<string, string>>,
): Promise<Figures> {
	const server = await startService(mkdtempSync(join(directory, 'ingest-')), { profileDirectory, settings });
	try {
		const result = await runLoad<IngestResult>('./load/ingest-load.js', jobFor(server, window));
		const sent = new Map(devices.map((serial, index) => [serial, result.sentByDevice[index] ?? 0]));
		await mapSome(devices, 8, (serial) => checkStored(server.ports.http, serial, sent.get(serial) ?? 0));
		const all = result.sentByDevice.reduce((sum, count) => sum + count, 0);
		return { ...figuresOf(result), messagesPerCommit: all / (await readMetric(server.ports.http, 'store_commits_total')) };
	} finally {
		await server.stop();
	}
}

async function runPeer(window: number): Promise<Figures> {
	const server = await startBareAedes();
	try {
		return figuresOf(await runLoad<IngestResult>('./load/ingest-load.js', jobFor(server, window)));
	} finally {
		await server.stop();
	}
}

function jobFor({ ports }: Server, window: number): IngestJob {
	return {
		server: { port: ports.mqtt, username: adminUser, password: adminPassword },
		devices,
		window,
		warmUpMilliseconds: 2000,
		milliseconds: 4000,
		drainMilliseconds: 10_000,
	};
}

function figuresOf({ messagesPerSecond, lost }: IngestResult): Figures {
	if (lost > 0) throw new Error(`${lost} messages were never acknowledged`);
	return { messagesPerSecond, microseconds: 1e6 / messagesPerSecond, lost, messagesPerCommit: Number.NaN };
}

/** @throws when the stored list is not what the acknowledged messages say */
async function checkStored(port: number, serial: string, sent: number): Promise<void> {
	const path = softwarePath(await findDevice(port, serial), { pageSize: 2000, withTotalElements: true });
	const page = await callService<{ softwareList: { name: string; url: string }[] }>(port, 'GET', path);
	const stored = new Map(page.softwareList.map(({ name, url }) => [name, url]));
	const expected = Math.min(sent, packagesEach);
	if (stored.size !== expected) throw new Error(`${serial}: ${stored.size} packages are stored, ${expected} were acknowledged`);
	for (let number = Math.max(0, sent - packagesEach); number < sent; number++) {
		const url = stored.get(packageName(number));
		if (url !== packageUrl(number)) throw new Error(`${serial}: message ${number} was acknowledged, but ${url} is stored`);
	}
}
