import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Benchmark, Figures } from './benchmark.ts';
import { runLoad } from './child.ts';
import type { MqttServer } from './load/mqtt-client.ts';
import { serials } from './service-http.ts';
import { adminPassword, adminUser, type Server, startBareAedes, startService } from './targets.ts';

export interface OperationJob {
	readonly server: MqttServer;
	/** Where operations are created; without it a client publishes to the devices. */
	readonly httpPort?: number;
	readonly devices: readonly string[];
	readonly samples: number;
	readonly paceMilliseconds: number;
}

/** Milliseconds from before the sender's request until the device has the message. */
export interface OperationResult {
	readonly sequentialP50: number;
	readonly sequentialP99: number;
	readonly pacedP50: number;
	readonly pacedP99: number;
}

const comparison = { target: 'service', peer: 'bare aedes', aim: { atMost: 3 } };

export const operation: Benchmark = {
	name: 'operation',
	title: 'Operation: from the request to the device',
	explanation: [
		'1,000 devices are connected and listen on `s/ds` at QoS 1. `POST /devicecontrol/operations` with a `c8y_SoftwareUpdate` of one package for ' +
			'one device after the other; the time from before the request until the device has its line 528. The service authenticates, checks the ' +
			'operation against the device, and has it on disk before it sends it. The peer is bare aedes: a connected client publishes the same line ' +
			'at QoS 1 to a topic of the device.',
		'First 1,000 one at a time (each when the one before is there and answered), then 1,000 at a pace of one every 5 ms, after 300 that do not ' +
			'count. Sender and devices are one process, so there is one clock. Devices acknowledge, and report nothing back.',
	],
	columns: [
		{ key: 'sequentialP50', heading: 'one at a time, p50 ms', digits: 2 },
		{ key: 'sequentialP99', heading: 'p99 ms', digits: 2 },
		{ key: 'pacedP50', heading: 'every 5 ms, p50 ms', digits: 2 },
		{ key: 'pacedP99', heading: 'p99 ms', digits: 2 },
	],
	comparisons: [
		{ what: 'p99 of the service to bare aedes, one at a time', figure: 'sequentialP99', ...comparison },
		{ what: 'p99 of the service to bare aedes, every 5 ms', figure: 'pacedP99', ...comparison },
	],
	prepare: async ({ directory, profileDirectory }) => [
		{
			name: 'service',
			run: () => runOn(() => startService(mkdtempSync(join(directory, 'operation-')), { profileDirectory }), true),
		},
		{ name: 'bare aedes', run: () => runOn(startBareAedes, false) },
	],
};

async function runOn(start: () => Promise<Server>, overHttp: boolean): Promise<Figures> {
	const { ports, stop } = await start();
	try {
		const job: OperationJob = {
			server: { port: ports.mqtt, username: adminUser, password: adminPassword },
			...(overHttp && { httpPort: ports.http }),
			devices: serials(1000),
			samples: 1000,
			paceMilliseconds: 5,
		};
		return { ...(await runLoad<OperationResult>('./load/operation-load.js', job)) };
	} finally {
		await stop();
	}
}
