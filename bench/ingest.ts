import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import type { Benchmark, FigureColumn, Figures, Target, Workshop } from './benchmark.ts';
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

interface Served {
	readonly name: string;
	/** Others than by default. */
	readonly settings: Readonly<Record<string, string>>;
	/** How long it is measured; where little is done in that time, getting ready would count for too much. */
	readonly milliseconds?: number;
}

const mongoUrl = process.env.MONGODB_TEST_URL;
const devices = serials(200);
const windows = [20, 1] as const;
const services: readonly Served[] = [
	{ name: 'service', settings: {} },
	{ name: 'service without records of reports', settings: { AUDIT_DEVICE_REPORTS: 'false' } },
];

const columns: readonly FigureColumn[] = [
	{ key: 'messagesPerSecond', heading: 'messages a second', digits: 0 },
	{ key: 'microseconds', heading: 'µs a message', digits: 1 },
	{ key: 'processorMicroseconds', heading: 'µs of processor time a message', digits: 1 },
	{ key: 'lost', heading: 'lost', digits: 0 },
	{ key: 'messagesPerCommit', heading: 'messages a commit', digits: 0 },
];

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
	columns,
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
			...services.map((service) => targetOf(workshop, window, service)),
			{ name: `bare aedes, window ${window}`, run: () => runPeer(window) },
		]),
};

/** The same on MongoDB, for what the service itself has to do there. */
export const ingestOnMongoDb: Benchmark = {
	name: 'mongodb',
	title: 'Ingest on MongoDB: what the service does for a message',
	explanation: [
		'The same messages of the same devices, with the service on the MongoDB that `MONGODB_TEST_URL` names: ' +
			'`npx tsx test/support/mongodb.ts -- npm run bench -- mongodb` starts that of the tests, which is written in Python and speaks ' +
			"MongoDB's protocol. Messages a second are what that database can do, and tell nothing of MongoDB. The processor time is that of the " +
			'service alone: what a process needs for a message, however quick its database.',
	],
	columns,
	comparisons: [],
	isPossible: () => mongoUrl !== undefined,
	async prepare(workshop) {
		if (mongoUrl === undefined) throw new Error('MONGODB_TEST_URL names no MongoDB');
		return services.map(({ name, settings }) => {
			const MONGODB_DATABASE = `bench-${process.pid}-${Object.keys(settings).length}`;
			const target = targetOf(workshop, 20, {
				name: `${name} on MongoDB`,
				settings: { ...settings, MONGODB_URL: mongoUrl, MONGODB_DATABASE },
				milliseconds: 20_000,
			});
			return {
				...target,
				async run() {
					try {
						return await target.run();
					} finally {
						await dropDatabase(mongoUrl, MONGODB_DATABASE);
					}
				},
			};
		});
	},
};

async function dropDatabase(url: string, name: string): Promise<void> {
	const client = new MongoClient(url);
	try {
		await client.db(name).dropDatabase();
	} finally {
		await client.close();
	}
}

function targetOf(workshop: Workshop, window: number, served: Served): Target {
	return { name: `${served.name}, window ${window}`, run: () => runService(workshop, window, served) };
}

async function runService(
	{ directory, profileDirectory }: Workshop,
	window: number,
	{ settings, milliseconds }: Served,
): Promise<Figures> {
	const server = await startService(mkdtempSync(join(directory, 'ingest-')), { profileDirectory, settings });
	try {
		const { result, figures } = await load(server, window, milliseconds);
		const sent = new Map(devices.map((serial, index) => [serial, result.sentByDevice[index] ?? 0]));
		await mapSome(devices, 8, (serial) => checkStored(server.ports.http, serial, sent.get(serial) ?? 0));
		return { ...figures, messagesPerCommit: countSent(result) / (await readMetric(server.ports.http, 'store_commits_total')) };
	} finally {
		await server.stop();
	}
}

async function runPeer(window: number): Promise<Figures> {
	const server = await startBareAedes();
	try {
		return (await load(server, window)).figures;
	} finally {
		await server.stop();
	}
}

/** Processor time is that of all threads, from the first message to the last acknowledgement. */
async function load(
	server: Server,
	window: number,
	milliseconds = 4000,
): Promise<{ readonly result: IngestResult; readonly figures: Figures }> {
	const { cpuSeconds } = await server.readUsage();
	const job: IngestJob = {
		server: { port: server.ports.mqtt, username: adminUser, password: adminPassword },
		devices,
		window,
		warmUpMilliseconds: 2000,
		milliseconds,
		drainMilliseconds: 10_000,
	};
	const result = await runLoad<IngestResult>('./load/ingest-load.js', job);
	const { cpuSecondsBefore } = await server.readUsage();
	const { messagesPerSecond, lost } = result;
	if (lost > 0) throw new Error(`${lost} messages were never acknowledged`);
	const processorMicroseconds = ((cpuSecondsBefore - cpuSeconds) * 1e6) / countSent(result);
	const microseconds = 1e6 / messagesPerSecond;
	return { result, figures: { messagesPerSecond, microseconds, processorMicroseconds, lost, messagesPerCommit: Number.NaN } };
}

function countSent({ sentByDevice }: IngestResult): number {
	return sentByDevice.reduce((sum, count) => sum + count, 0);
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
