import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, within } from '../support/eventually.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestMongoDb, type TestMongoDb } from '../support/mongodb.ts';
import { processLogin, processPassword } from '../support/service-process.ts';
import { makeSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { freshMongoDatabase } from '../support/test-store.ts';
import { createChance } from './chance.ts';
import { soakDiskMegabytes, startFaults } from './faults.ts';
import { noteEverything } from './final-reading.ts';
import { createFindings, type Findings } from './findings.ts';
import { createServiceFleet, type ServiceFleet } from './service-fleet.ts';
import { createSoakDevice, type SoakDevice } from './soak-device.ts';
import { createSoakLedgers } from './soak-ledgers.ts';
import { createSoakOperator } from './soak-operator.ts';
import type { SoakOptions } from './soak-options.ts';
import { createSoakReader } from './soak-reader.ts';
import { judgeSoak, mebibytes } from './soak-report.ts';

const progressMilliseconds = 10_000;
const sampleMilliseconds = 1000;
const readers = 3;

/** How long everything may take to come to rest after the last fault; what a killed process had begun can hold up the test MongoDB for a minute. */
const restMilliseconds = { sqlite: 90_000, mongodb: 180_000 };

/** `true` when nothing was lost or doubled, and nothing was seen that cannot be. */
export async function runSoak(options: SoakOptions, print: (line: string) => void): Promise<boolean> {
	const startedAt = performance.now();
	const seconds = () => (performance.now() - startedAt) / 1000;
	const say = (line: string) => print(`${timeOf(seconds())}  ${line}`);
	const { minutes, store, processes, devices: deviceCount, rate, operationRate, seed, logs } = options;
	print(`soak: --minutes ${minutes} --store ${store} --processes ${processes} --devices ${deviceCount} --seed ${seed}`);

	const findings = createFindings(say);
	const chance = createChance(seed);
	const ledgers = createSoakLedgers();
	const database = store === 'mongodb' && !process.env.MONGODB_TEST_URL ? await startTestMongoDb() : undefined;
	const scratch = mkdtempSync(join(tmpdir(), 'soak-'));
	const place = await makeStore(store, scratch, database);
	const clock = createFakeClock(scratch);
	const fleet = createServiceFleet({
		count: processes,
		settings: { ...settings, ...place.settings, ...clock?.settings },
		findings,
		logs,
	});
	const devices: SoakDevice[] = Array.from({ length: deviceCount }, (_, index) =>
		createSoakDevice({
			serial: `soak-${String(index + 1).padStart(3, '0')}`,
			login: processLogin,
			places: fleet.mqtt,
			ledgers,
			findings,
			chance: chance.fork(),
			intervalMilliseconds: (1000 * deviceCount) / rate,
		}),
	);
	try {
		await fleet.startAll();
		const faults = startFaults({ fleet, devices, database, disk: place.disk, clock, chance: chance.fork() }, findings, say);
		const operator = createSoakOperator({
			places: fleet.http,
			ledgers,
			findings,
			chance: chance.fork(),
			settled: async () => {
				while (!faults.isCalm()) await delay(100);
				await delay(store === 'mongodb' ? 2000 : 0);
			},
			intervalMilliseconds: (1000 * deviceCount) / operationRate,
		});
		const reading = Array.from({ length: readers }, () =>
			createSoakReader({
				places: fleet.http,
				devices,
				findings,
				chance: chance.fork(),
				intervalMilliseconds: place.readMilliseconds,
			}),
		);
		const creating = operator.run(devices);
		const running = Promise.all([...devices.map(({ run }) => run()), creating, ...reading.map(({ run }) => run())]);
		const interrupted = new Promise((_, reject) => {
			for (const signal of ['SIGINT', 'SIGTERM'] as const)
				process.once(signal, () => reject(new Error(`interrupted by ${signal}`)));
		});
		const sampling = setInterval(fleet.noteMemory, sampleMilliseconds);
		const progress = setInterval(() => say(describeProgress(fleet, devices, findings, seconds())), progressMilliseconds);
		try {
			await Promise.race([delay(minutes * 60_000), faults.done, running, interrupted]);
			await faults.stop();
			for (const device of devices) device.stopPublishing();
			operator.stop();
			for (const reader of reading) reader.stop();
			say('no more load, no more faults');
			await Promise.race([comeToRest(devices, creating, findings, restMilliseconds[store]), interrupted]);
			for (const device of devices) device.end();
			await within('devices, operator and readers end', running, restMilliseconds[store]);
		} finally {
			clearInterval(sampling);
			clearInterval(progress);
		}
		fleet.noteMemory();
		// What is found from here on was on the disk.
		await fleet.killAll();
		await fleet.startAll();
		await noteEverything(fleet.http, devices, ledgers, findings);
		await Promise.all(fleet.places.map(fleet.stop));
		const verdict = judgeSoak(ledgers, findings, fleet.memory);
		print('');
		for (const line of verdict.lines) print(line);
		print(`${verdict.isGood ? 'good' : 'NOT GOOD'} after ${timeOf(seconds())}, seed ${seed}`);
		return verdict.isGood;
	} finally {
		await fleet.close();
		await place.remove();
		await database?.stop();
		rmSync(scratch, { recursive: true, force: true });
	}
}

interface StorePlace {
	readonly settings: Readonly<Record<string, string>>;
	readonly remove: () => Promise<void>;
	/** The store's own, where mounting one is permitted. */
	readonly disk?: SmallDisk | undefined;
	/** Between two reads of one reader, about. */
	readonly readMilliseconds: number;
}

/** Short times, so that what happens after them happens often. */
const settings = {
	ADMIN_PASSWORD: processPassword,
	LEASE_SECONDS: '5',
	DRAIN_CONNECTIONS_PER_SECOND: '50',
	SHUTDOWN_GRACE_SECONDS: '15',
	MQTT_DELIVERY_SWEEP_SECONDS: '10',
	MONGODB_TRANSACTION_TIMEOUT_SECONDS: '10',
};

async function makeStore(store: SoakOptions['store'], folder: string, database: TestMongoDb | undefined): Promise<StorePlace> {
	if (store === 'sqlite') {
		const disk = makeSmallDisk(soakDiskMegabytes);
		const settings = { DATA_DIR: join(disk?.path ?? folder, 'store'), STORE_MIN_FREE_BYTES: '1000000' };
		return { settings, remove: async () => disk?.remove(), disk, readMilliseconds: 30 };
	}
	const { url, database: name, drop } = freshMongoDatabase(database?.url);
	const remove = database ? async () => {} : drop;
	return { settings: { MONGODB_URL: url, MONGODB_DATABASE: name }, remove, readMilliseconds: 300 };
}

async function comeToRest(
	devices: readonly SoakDevice[],
	creating: Promise<unknown>,
	findings: Findings,
	deadlineMilliseconds: number,
): Promise<void> {
	let isCreating = true;
	void creating.then(() => {
		isCreating = false;
	});
	const isAtRest = () => !isCreating && devices.every(({ isIdle }) => isIdle()) && openOperations(devices, findings) === 0;
	await eventually('everything is at rest', isAtRest, (rests) => rests, deadlineMilliseconds).catch(() => {
		for (const { serial, isIdle, countUnacknowledged } of devices)
			if (!isIdle())
				findings.wrong('lost', `${serial} is not at rest: ${countUnacknowledged()} messages without an acknowledgement`);
	});
}

function openOperations(devices: readonly SoakDevice[], findings: Findings): number {
	return findings.counted('operations') - sum(devices.map(({ countEnded }) => countEnded()));
}

function describeProgress(fleet: ServiceFleet, devices: readonly SoakDevice[], findings: Findings, seconds: number): string {
	fleet.noteMemory();
	const each = (what: string) => (findings.counted(what) / seconds).toFixed(1);
	const faults = sum([...findings.counts].filter(([what]) => what.startsWith('fault:')).map(([, count]) => count));
	const memory = fleet.memory.filter(({ isAlive }) => isAlive()).map((record) => mebibytes(record.read().last));
	return [
		`${each('messages acknowledged')} messages/s, ${each('operations done')} operations/s, ${each('reads')} reads/s`,
		`${faults} faults`,
		`memory ${memory.join(' + ') || '-'}`,
		`open: ${sum(devices.map(({ countUnacknowledged }) => countUnacknowledged()))} messages, ${openOperations(devices, findings)} operations`,
		`${findings.found().length} found wrong`,
	].join('; ');
}

function timeOf(seconds: number): string {
	return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
}

function sum(values: readonly number[]): number {
	return values.reduce((total, value) => total + value, 0);
}
