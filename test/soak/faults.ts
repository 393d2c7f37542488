import { setTimeout as delay } from 'node:timers/promises';
import type { FakeClock } from '../support/fake-clock.ts';
import { type InjectedError, injectFault } from '../support/faulty-mongodb.ts';
import type { TestMongoDb } from '../support/mongodb.ts';
import type { SmallDisk } from '../support/small-disk.ts';
import type { Chance } from './chance.ts';
import type { Findings } from './findings.ts';
import type { FleetPlace, ServiceFleet } from './service-fleet.ts';
import type { SoakDevice } from './soak-device.ts';

export interface FaultScene {
	readonly fleet: ServiceFleet;
	readonly devices: readonly SoakDevice[];
	/** Where it is ours to be killed. */
	readonly database: TestMongoDb | undefined;
	/** The one that the embedded store has for itself. */
	readonly disk: SmallDisk | undefined;
	/** The one of all processes. */
	readonly clock: FakeClock | undefined;
	readonly chance: Chance;
}

interface Fault {
	readonly name: string;
	/** How often it is chosen, against the others of its kind. */
	readonly weight: number;
	readonly happen: (scene: FaultScene) => Promise<unknown>;
}

interface FaultKind {
	/** Seconds between two of them. */
	readonly pause: readonly [min: number, max: number];
	readonly isPossible: (scene: FaultScene) => boolean;
	readonly faults: readonly Fault[];
}

/** Of the disk that the embedded store has for itself while nothing is wrong with it. */
export const soakDiskMegabytes = 4096;

/** What the database answers instead of doing what it is asked for: what may pass, what others are in the way of, what lasts. */
const databaseErrors: readonly InjectedError[] = [
	{ errorCode: 11_600, errorLabels: ['RetryableWriteError'] },
	{ errorCode: 112, errorLabels: ['TransientTransactionError'] },
	{ errorCode: 8000 },
	{ closeConnection: true },
];
const databaseCommands = ['find', 'insert', 'update', 'delete', 'findAndModify', 'commitTransaction'];

/** THE table of what goes wrong. Faults of one kind happen one after the other, those of different kinds at any time. */
export const faultKinds: readonly FaultKind[] = [
	{
		pause: [3, 14],
		isPossible: () => true,
		faults: [
			{ name: 'kill -9 of a process', weight: 4, happen: (scene) => restarted(scene, scene.fleet.kill) },
			{ name: 'SIGTERM of a process', weight: 3, happen: (scene) => restarted(scene, scene.fleet.stop) },
			{
				name: 'SIGSTOP of a process',
				weight: 4,
				happen: (scene) => onPlace(scene, (place) => scene.fleet.pause(place, scene.chance.whole(500, 8000))),
			},
			{
				name: 'kill -9 of all processes',
				weight: 1,
				happen: async ({ fleet }) => {
					await fleet.killAll();
					await fleet.startAll();
				},
			},
		],
	},
	{
		pause: [12, 40],
		isPossible: ({ database }) => database !== undefined,
		faults: [
			{
				name: 'kill -9 of the database',
				weight: 1,
				happen: async ({ database, chance }) => {
					await database?.kill();
					await delay(chance.whole(0, 3000));
					await database?.restart();
				},
			},
			{
				name: 'SIGSTOP of the database',
				weight: 1,
				happen: async ({ database, chance }) => {
					database?.pause();
					await delay(chance.whole(500, 6000));
					database?.resume();
				},
			},
			{
				name: 'errors of the database',
				weight: 3,
				happen: async ({ database, chance }) => {
					const error = chance.pick(databaseErrors);
					if (database && error) await injectFault(database.url, chance.whole(1, 30), databaseCommands, error);
				},
			},
		],
	},
	{
		pause: [10, 30],
		isPossible: ({ disk }) => disk !== undefined,
		faults: [
			{
				name: 'no room on the disk',
				weight: 1,
				happen: async ({ disk, chance }) => {
					disk?.fill();
					await delay(chance.whole(500, 6000));
					disk?.resize(soakDiskMegabytes);
				},
			},
		],
	},
	{
		pause: [10, 30],
		isPossible: ({ clock }) => clock !== undefined,
		faults: [
			{
				name: 'clock set back',
				weight: 1,
				happen: async ({ clock, chance }) => {
					clock?.shift(-chance.whole(1, 300));
					await delay(chance.whole(2000, 8000));
					clock?.shift(0);
				},
			},
		],
	},
	{
		pause: [1, 6],
		isPossible: () => true,
		faults: [
			{
				name: 'all connections cut',
				weight: 1,
				happen: async ({ devices }) => {
					for (const device of devices) device.cut();
				},
			},
			{
				name: 'connections cut',
				weight: 3,
				happen: async ({ devices, chance }) => {
					for (const device of chance.some(devices, chance.whole(1, Math.ceil(devices.length / 2)))) device.cut();
				},
			},
			{
				name: 'devices that do not read',
				weight: 1,
				happen: async ({ devices, chance }) => {
					for (const device of chance.some(devices, 3)) device.stall(chance.whole(1000, 15_000));
				},
			},
		],
	},
];

/** Lets faults happen until they are stopped. `say` hears of each but the many ones of devices. */
export function startFaults(scene: FaultScene, findings: Findings, say: (line: string) => void) {
	const ending = new AbortController();
	const underWay = new Set<string>();

	async function repeat({ pause, faults }: FaultKind, chance: Chance): Promise<void> {
		const choices = faults.flatMap((fault) => Array.from({ length: fault.weight }, () => fault));
		for (;;) {
			const [min, max] = pause;
			const isOver = await delay(chance.between(min, max) * 1000, false, { signal: ending.signal }).catch(() => true);
			const fault = chance.pick(choices);
			if (isOver || !fault) return;
			const startedAt = performance.now();
			underWay.add(fault.name);
			await fault.happen({ ...scene, chance });
			underWay.delete(fault.name);
			const seconds = (performance.now() - startedAt) / 1000;
			findings.count(`fault: ${fault.name}`);
			if (seconds > 0.1) say(`${fault.name}, ${seconds.toFixed(1)} s`);
		}
	}

	const repeating = faultKinds.map((kind) => ({ kind, chance: scene.chance.fork() }));
	const done = Promise.all(
		repeating.filter(({ kind }) => kind.isPossible(scene)).map(({ kind, chance }) => repeat(kind, chance)),
	);

	return {
		/** Rejects when a fault could not be mended: a process that does not start again. */
		done,
		isCalm: () => underWay.size === 0,
		/** The last ones are mended. */
		stop: async () => {
			ending.abort();
			await done;
		},
	};
}

function restarted(scene: FaultScene, end: (place: FleetPlace) => Promise<void>): Promise<void> {
	return onPlace(scene, async (place) => {
		await end(place);
		await scene.fleet.start(place);
	});
}

async function onPlace({ fleet, chance }: FaultScene, act: (place: FleetPlace) => Promise<void>): Promise<void> {
	const place = chance.pick(fleet.places);
	if (place) await act(place);
}
