import { expect } from 'chai';
import { eventually, within } from '../support/eventually.ts';
import { connectFakeDevice, type FakeDevice } from '../support/fake-device.ts';
import { createHttpClient } from '../support/http-client.ts';
import { isOnMongoDb } from '../support/named-stores.ts';
import { createOperator, type Operator } from '../support/operator.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { describeWhere } from '../support/skip.ts';
import { freshMongoDatabase, type MongoDatabase } from '../support/test-store.ts';

const password = 'password-of-process-tests';
const deviceCount = 12;
const operationCount = 3;
/** What somebody is told who wants to change what a killed process had begun to; see `createOperation`. */
const lateCommit = 'did not commit a transaction';

describeWhere(
	isOnMongoDb,
	'journeys/rolling-restart',
	'processes share MongoDB only, and STORES does not name mongodb',
	rollingRestarts,
);

function rollingRestarts(this: Mocha.Suite): void {
	this.timeout(300_000);
	let database: MongoDatabase | undefined;
	const running: ServiceProcess[] = [];
	let isDone = false;
	before(() => {
		database = freshMongoDatabase();
	});
	// A test that has failed must not leave its devices running.
	afterEach(async () => {
		isDone = true;
		await Promise.all(running.splice(0).map((process) => process.kill()));
	});
	after(async () => {
		await database?.drop();
	});

	async function start(): Promise<ServiceProcess> {
		const process = await startServiceProcess({
			...(database && { MONGODB_URL: database.url, MONGODB_DATABASE: database.database }),
			ADMIN_PASSWORD: password,
			LEASE_SECONDS: '5',
			DRAIN_DELAY_SECONDS: '1',
			DRAIN_CONNECTIONS_PER_SECOND: '10',
			SHUTDOWN_GRACE_SECONDS: '15',
		});
		running.push(process);
		return process;
	}

	const operatorOf = ({ http }: ServiceProcess): Operator =>
		createOperator(createHttpClient(http, { user: 't1/admin', password }));

	/** A device that goes to the next process whenever its connection ends, and sends again what was not acknowledged. */
	async function runDevice(serial: string, places: () => readonly ServiceProcess[]) {
		const acknowledged: number[] = [];
		const refused: string[] = [];
		let connections = 0;
		for (let next = 0; !isDone; ) {
			const all = places();
			const device = await connectTo(all[connections++ % all.length], serial);
			if (!device) continue;
			let isOpen = true;
			const ended = device.closed.then(() => {
				isOpen = false;
			});
			const working = answerOperations(device, () => isOpen);
			while (isOpen && !isDone) {
				await Promise.race([
					device.send(['114,c8y_Restart', `141,package-${next},1,,`]).then(() => acknowledged.push(next++)),
					ended,
				]).catch((error: Error) => refused.push(error.message));
			}
			if (isDone) await within(`${serial} has answered its operations`, Promise.race([working.idle(), ended]), 60_000);
			device.drop();
			await ended;
		}
		return { acknowledged, connections, refused };
	}

	async function connectTo(place: ServiceProcess | undefined, serial: string): Promise<FakeDevice | undefined> {
		if (!place) return undefined;
		const wanted = { url: place.mqtt, serial, user: 't1/admin', password, topics: ['s/ds'] };
		return connectFakeDevice(wanted).catch(() => undefined);
	}

	function answerOperations(device: FakeDevice, isOpen: () => boolean) {
		let last: Promise<unknown> = Promise.resolve();
		device.client.on('message', (_topic, payload) => {
			if (!payload.toString().startsWith('510,') || !isOpen()) return;
			last = last.then(() => Promise.race([device.send(['501,c8y_Restart', '503,c8y_Restart']), device.closed]));
		});
		return { idle: () => last };
	}

	/** What a process had begun to write when it was killed keeps the database from changing the same documents for a while. */
	async function createOperation(operator: Operator, serial: string, way: 'asked' | 'killed'): Promise<string> {
		const create = () => operator.createOperation(serial, { c8y_Restart: {} });
		if (way === 'asked') return (await create()).id;
		const made = await eventually(
			'an operation is created',
			() => create().catch(() => undefined),
			(operation) => operation !== undefined,
			120_000,
		);
		return made?.id ?? fail();
	}

	async function roll(ways: readonly ('asked' | 'killed')[]): Promise<void> {
		let places: ServiceProcess[] = [await start(), await start()];
		isDone = false;
		const serials = Array.from({ length: deviceCount }, (_, i) => `rolling-${i}`);
		const devices = serials.map((serial) => runDevice(serial, () => places));
		const anyOperator = () => operatorOf(places[0] ?? fail());
		for (const serial of serials) {
			await eventually(
				`${serial} is known`,
				() => anyOperator().findId(serial),
				(id) => id !== undefined,
				60_000,
			);
		}
		const created: string[] = [];
		for (const way of ways) {
			const [old = fail(), other = fail()] = places;
			// Devices that leave the one must not come back to it.
			const ending = (async () => {
				places = [other];
				if (way === 'asked') return old.end();
				await old.kill();
				return 0;
			})();
			for (let i = 0; i < operationCount; i++) {
				for (const serial of serials) created.push(await createOperation(operatorOf(other), serial, way));
			}
			expect(await ending).to.equal(0);
			places = [other, await start()];
		}
		for (const id of created) await anyOperator().reaches(id, 'SUCCESSFUL', 60_000);
		isDone = true;
		const results = await Promise.all(devices);
		for (const [index, { acknowledged, connections, refused }] of results.entries()) {
			const serial = serials[index] ?? '';
			const stored = (await anyOperator().softwareOf(serial)).map(({ name }) => name);
			expect(acknowledged.map((number) => `package-${number}`).filter((name) => !stored.includes(name))).to.deep.equal([]);
			expect(acknowledged.length, `messages of ${serial}`).to.be.above(0);
			expect(connections, `connections of ${serial}`).to.be.at.least(2);
			expect(refused).to.deep.equal([]);
		}
		// Whoever waited for a process that was killed saw that it is gone.
		expect(running.flatMap(({ output }) => output.filter((line) => line.includes('did not end in time')))).to.deep.equal([]);
		const faults = running.flatMap(({ output }) => output.filter((line) => /"level":[56]0/.test(line)));
		expect(faults.filter((line) => !(ways.includes('killed') && line.includes(lateCommit)))).to.deep.equal([]);
	}

	it('loses nothing that was acknowledged, and delivers every operation, when one process after the other is replaced', () =>
		roll(['asked', 'asked']));

	it('loses nothing of that when a process is killed, and lets its devices go on when it is seen to be gone', () =>
		roll(['killed']));
}

function fail(): never {
	throw new Error('there is no such process');
}
