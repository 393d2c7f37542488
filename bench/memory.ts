import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Benchmark, Figures, Target, Workshop } from './benchmark.ts';
import { runLoad, startChild } from './child.ts';
import type { MqttServer } from './load/mqtt-client.ts';
import { serials } from './service-http.ts';
import { adminPassword, adminUser, type Server, startBareAedes, startService } from './targets.ts';

export interface MemoryJob {
	readonly server: MqttServer;
	readonly devices: readonly string[];
	/** They say who they are and leave, so that the service knows them when they come again. */
	readonly isFirst: boolean;
}

const devices = serials(5000);

export const memory: Benchmark = {
	name: 'memory',
	title: 'Memory: a connected idle device',
	explanation: [
		'5,000 devices connect, subscribe to `s/ds` and `s/e` at QoS 1, and stay. Resident memory of the server after a forced garbage collection, ' +
			'less what it was before the first device connected, a device. The devices are known to the service, each with its managed object, from an ' +
			'earlier run; all use one user name. The peer is bare aedes with the same subscriptions.',
	],
	columns: [
		{ key: 'kilobytesEach', heading: 'KB a device', digits: 1 },
		{ key: 'beforeCollection', heading: 'before the collection', digits: 1 },
		{ key: 'heapEach', heading: 'of it JavaScript heap of the main thread', digits: 1 },
		{ key: 'baseMegabytes', heading: 'MB without devices', digits: 0 },
	],
	comparisons: [
		{ what: 'service to bare aedes', figure: 'kilobytesEach', target: 'service', peer: 'bare aedes', aim: { atMost: 1.5 } },
	],
	prepare,
};

async function prepare({ directory, profileDirectory }: Workshop): Promise<Target[]> {
	const data = mkdtempSync(join(directory, 'memory-'));
	const server = await startService(data);
	try {
		await runLoad('./load/memory-load.js', jobFor(server, true));
	} finally {
		await server.stop();
	}
	return [
		{ name: 'service', run: () => runOn(() => startService(data, { profileDirectory })) },
		{ name: 'bare aedes', run: () => runOn(startBareAedes) },
	];
}

async function runOn(start: () => Promise<Server>): Promise<Figures> {
	const server = await start();
	try {
		const empty = await server.readUsage();
		const load = startChild({ entry: './load/memory-load.js', args: [JSON.stringify(jobFor(server, false))] });
		try {
			await load.hear('result');
			// What connecting left to do is done.
			await wait(1000);
			const full = await server.readUsage();
			const each = (kilobytes: number) => (kilobytes - empty.rssKilobytes) / devices.length;
			return {
				kilobytesEach: each(full.rssKilobytes),
				beforeCollection: each(full.rssBeforeKilobytes),
				heapEach: (full.heapKilobytes - empty.heapKilobytes) / devices.length,
				baseMegabytes: empty.rssKilobytes / 1024,
			};
		} finally {
			await load.stop();
		}
	} finally {
		await server.stop();
	}
}

function jobFor({ ports }: Server, isFirst: boolean): MemoryJob {
	return { server: { port: ports.mqtt, username: adminUser, password: adminPassword }, devices, isFirst };
}
