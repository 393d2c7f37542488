import { setTimeout as wait } from 'node:timers/promises';
import type { Benchmark, Comparison, Figures, Target, Workshop } from '../benchmark.ts';
import { startChild } from '../child.ts';
import { readMetric } from '../service-http.ts';
import { type Server, startBareAedes, startService } from '../targets.ts';
import { type Fleet, prepareFleet } from './fleet.ts';

export interface StormJob {
	readonly port: number;
	readonly fleetFile: string;
	/** Whom the devices trust; without it they come over plain TCP. */
	readonly caFile?: string;
	readonly by: 'password' | 'certificate';
	/** Devices that are connecting at a time. */
	readonly inFlight: number;
}

/** Connections a second, and milliseconds from before the connection is opened until its CONNACK. */
export interface StormResult {
	readonly perSecond: number;
	readonly p50: number;
	readonly p99: number;
}

interface Way {
	readonly name: string;
	readonly by: StormJob['by'];
	readonly overTls: boolean;
}

const ways: readonly Way[] = [
	{ name: 'TLS, password', by: 'password', overTls: true },
	{ name: 'TLS, certificate', by: 'certificate', overTls: true },
	{ name: 'TCP, password', by: 'password', overTls: false },
];

/** What a fleet costs that reconnects all at once. */
export function createStorm({ devices, inFlight }: { readonly devices: number; readonly inFlight: number }): Benchmark {
	const few = Math.ceil(devices / 5);
	const [all, fewer] = [devices, few].map((count) => count.toLocaleString('en-US'));
	const smaller = `service, TLS, certificate, ${fewer} devices`;

	return {
		name: 'storm',
		title: `Reconnect storm: ${all} devices`,
		explanation: [
			`${all} devices connect, ${inFlight} at a time, each with a user, a password (hashed at the default cost) and a certificate of its own (ECDSA P-256), ` +
				'and stay. The first storm meets a service that has just started and has verified no password yet; then all are cut off and come again. The time ' +
				'until CONNACK begins before the connection is opened. The devices are registered in the embedded database. The peer is bare aedes, which lets ' +
				'everybody in unseen; over TLS with the same certificate, and it asks for those of clients in the same way and does not look at them.',
			'TLS is 1.3; no session is resumed, on neither side: the service offers none, because a resumed one would come without the certificates between ' +
				'the device and its authority. The devices verify the certificate of the server. They are one process, which works on the same processors: over ' +
				'TLS a handshake costs it about as much as the server. Processor time is that of all threads of the server alone, and the figure to reckon ' +
				'with for another machine.',
			'The limits of the service on connections a second are lifted, and no other; by default a process takes up 1,000 (`MQTT_CONNECTIONS_PER_SECOND`).',
			`Whether a connection costs more the more devices there are is in the last ratio: ${all} of ${all} registered devices against ${fewer} of ${fewer}.`,
		],
		columns: [
			{ key: 'firstPerSecond', heading: 'first: connections a second', digits: 0 },
			{ key: 'firstP50', heading: 'p50 ms', digits: 0 },
			{ key: 'firstP99', heading: 'p99 ms', digits: 0 },
			{ key: 'firstCpu', heading: 'CPU s a 1,000', digits: 2 },
			{ key: 'againPerSecond', heading: 'again: connections a second', digits: 0 },
			{ key: 'againP50', heading: 'p50 ms', digits: 0 },
			{ key: 'againP99', heading: 'p99 ms', digits: 0 },
			{ key: 'againCpu', heading: 'CPU s a 1,000', digits: 2 },
			{ key: 'megabytes', heading: 'MB at the end', digits: 0 },
		],
		comparisons: [
			...ways.flatMap(({ name }) => comparisonsOf(name)),
			{
				what: `CPU a connection again, TLS, certificate: ${all} to ${fewer} devices`,
				figure: 'againCpu',
				target: 'service, TLS, certificate',
				peer: smaller,
			},
		],
		prepare: async (workshop) => {
			const fleet = await prepareFleet(workshop.directory, devices);
			const small = await prepareFleet(workshop.directory, few);
			return [
				...ways.flatMap((way): Target[] => [
					{ name: `service, ${way.name}`, run: () => runService(workshop, fleet, way, inFlight) },
					{ name: `bare aedes, ${way.name}`, run: () => runPeer(fleet, way, inFlight) },
				]),
				{
					name: smaller,
					run: () => runService(workshop, small, { name: smaller, by: 'certificate', overTls: true }, inFlight),
				},
			];
		},
	};
}

function comparisonsOf(name: string): Comparison[] {
	const targets = { target: `service, ${name}`, peer: `bare aedes, ${name}` };
	return [
		{ what: `connections a second, service to bare aedes, ${name}, first`, figure: 'firstPerSecond', ...targets },
		{ what: `connections a second, service to bare aedes, ${name}, again`, figure: 'againPerSecond', ...targets },
		{ what: `CPU a connection, service to bare aedes, ${name}, again`, figure: 'againCpu', ...targets },
	];
}

async function runService({ profileDirectory }: Workshop, fleet: Fleet, way: Way, inFlight: number): Promise<Figures> {
	const server = await startService(fleet.dataDirectory, { profileDirectory, tls: fleet.tls });
	const allHaveLeft = async () => {
		while ((await readMetric(server.ports.http, 'mqtt_connections')) > 0) await wait(100);
	};
	return runOn(server, fleet, way, inFlight, allHaveLeft);
}

async function runPeer(fleet: Fleet, way: Way, inFlight: number): Promise<Figures> {
	return runOn(await startBareAedes(way.overTls ? fleet.tls : undefined), fleet, way, inFlight, () => wait(1000));
}

async function runOn(
	server: Server,
	fleet: Fleet,
	{ by, overTls }: Way,
	inFlight: number,
	allHaveLeft: () => Promise<void>,
): Promise<Figures> {
	try {
		const { mqtt, mqtts = 0 } = server.ports;
		const job: StormJob = {
			port: overTls ? mqtts : mqtt,
			fleetFile: fleet.file,
			...(overTls && { caFile: fleet.caFile }),
			by,
			inFlight,
		};
		const first = await storm(server, job, fleet.devices);
		await allHaveLeft();
		const again = await storm(server, job, fleet.devices);
		return {
			firstPerSecond: first.perSecond,
			firstP50: first.p50,
			firstP99: first.p99,
			firstCpu: first.cpu,
			againPerSecond: again.perSecond,
			againP50: again.p50,
			againP99: again.p99,
			againCpu: again.cpu,
			megabytes: again.megabytes,
		};
	} finally {
		await server.stop();
	}
}

/** One storm: what the devices saw, processor seconds of the server for 1,000 of them, and its memory while all are connected. */
async function storm(server: Server, job: StormJob, devices: number) {
	const load = startChild({ entry: './load/storm-load.js', args: [JSON.stringify(job)] });
	try {
		const before = await server.readUsage();
		const seen = await load.hear<StormResult>('result');
		const after = await server.readUsage();
		return {
			...seen,
			cpu: ((after.cpuSecondsBefore - before.cpuSeconds) / devices) * 1000,
			megabytes: after.rssKilobytes / 1024,
		};
	} finally {
		await load.stop();
	}
}
