import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { inWorkAtMost } from '../../service/mqtt/broker-link.ts';
import { shortTimeouts } from '../support/database-faults.ts';
import { eventually } from '../support/eventually.ts';
import { useFaultyMongoDb } from '../support/faulty-mongodb.ts';
import { createHttpClient } from '../support/http-client.ts';
import { isOnMongoDb, namedStores } from '../support/named-stores.ts';
import { createOperator, type Operator } from '../support/operator.ts';
import { type OutsideBroker, startOutsideBroker } from '../support/outside-broker.ts';
import {
	bridgeSettings,
	figure,
	hasOnly,
	haveShares,
	isReady,
	isUnready,
	partitions,
	sendSequence,
} from '../support/outside-broker-checks.ts';
import { hasProgram } from '../support/programs.ts';
import { adminPassword } from '../support/service-fixture.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { didNotRun, skipUnless } from '../support/skip.ts';
import { freshMongoDatabase, type MongoDatabase } from '../support/test-store.ts';

const serials = Array.from({ length: 12 }, (_, index) => `out${index}`);
/** Messages of a partition that the service takes before it has acknowledged others. */
const window = 3;
const handled = 'mqtt_messages_total{direction="up",template="141"}';

describe('clients/outside-broker processes', function () {
	this.timeout(180_000);

	let broker: OutsideBroker;
	const running: ServiceProcess[] = [];
	before(skipUnless(hasProgram('mosquitto') && hasProgram('mosquitto_passwd'), 'mosquitto is not installed'));
	beforeEach(async () => {
		broker = await startOutsideBroker(serials);
	});
	afterEach(async () => {
		for (const process of running.splice(0)) await process.kill();
		await broker.stop();
	});

	async function start(store: Readonly<Record<string, string>>): Promise<ServiceProcess> {
		const process = await startServiceProcess({ ...bridgeSettings(broker), ADMIN_PASSWORD: adminPassword, ...store });
		running.push(process);
		await isReady(process.http);
		return process;
	}

	const operatorOf = ({ http }: ServiceProcess): Operator =>
		createOperator(createHttpClient(http, { user: 't1/admin', password: adminPassword }));

	const connectAll = () => Promise.all(serials.map((serial) => broker.connect(serial)));

	const onEmbedded = async () => {
		const folder = mkdtempSync(join(tmpdir(), 'outside-broker-'));
		try {
			const killed = await start({ DATA_DIR: folder });
			const devices = await connectAll();
			const sending = Promise.all(devices.map((device) => sendSequence(device, 0, 120)));
			await eventually(
				'some of it is handled',
				() => figure(killed.http, handled),
				(count) => count > serials.length,
			);
			await killed.kill();
			await sending;
			const operator = operatorOf(await start({ DATA_DIR: folder }));
			for (const serial of serials) await hasOnly(operator, serial, 'seq 119');
		} finally {
			rmSync(folder, { recursive: true, force: true });
		}
	};
	if (namedStores.includes('sqlite')) it('hands everything to the next process when one is killed', onEmbedded);

	if (!isOnMongoDb) return didNotRun('clients/outside-broker processes on MongoDB', 'STORES does not name mongodb');
	describe('on MongoDB', () => {
		const startDatabase = useFaultyMongoDb();
		let database: MongoDatabase;
		beforeEach(() => {
			database = freshMongoDatabase();
		});
		afterEach(() => database.drop());

		it('goes on with one of two processes when the other is killed', async () => {
			const store = { MONGODB_URL: database.url, MONGODB_DATABASE: database.database };
			const [killed, survivor] = [await start(store), await start(store)];
			await haveShares([killed.http, survivor.http], [partitions / 2, partitions / 2]);
			const devices = await connectAll();
			await Promise.all(devices.map((device) => sendSequence(device, 0, 10)));
			const operator = operatorOf(survivor);
			for (const serial of serials) await hasOnly(operator, serial, 'seq 9');
			const counts = await Promise.all([killed, survivor].map(({ http }) => figure(http, handled)));
			expect(Math.min(...counts)).to.be.greaterThan(0);
			for (const device of devices) {
				await device.send('114,c8y_Restart');
				await operator.createOperation(device.serial, { c8y_Restart: {} });
				expect(await device.nextLine()).to.equal(`510,${device.serial}`);
			}
			const sending = Promise.all(devices.map((device) => sendSequence(device, 10, 40)));
			await eventually(
				'some more is handled',
				() => figure(killed.http, handled),
				(count) => count > (counts[0] ?? 0),
			);
			await killed.kill();
			await sending;
			await haveShares([survivor.http], [partitions]);
			// The database may keep a transaction of the killed process open for a minute, and what it had touched locked.
			for (const serial of serials) await hasOnly(operator, serial, 'seq 39', 90_000);
		});

		it('leaves with the broker what it cannot store while the database does nothing, and handles it in order afterwards', async () => {
			const faulty = await startDatabase();
			const store = { MONGODB_URL: faulty.url, ...shortTimeouts, MQTT_BRIDGE_UNACKNOWLEDGED_MAX_MESSAGES: String(window) };
			// So long that the partitions stay here meanwhile.
			const patient = await start({ ...store, LEASE_SECONDS: '120' });
			await haveShares([patient.http], [partitions]);
			const devices = await connectAll();
			const sendAll = (from: number, to: number) => Promise.all(devices.map((device) => sendSequence(device, from, to)));
			await sendAll(0, 5);
			for (const serial of serials) await hasOnly(operatorOf(patient), serial, 'seq 4');
			const inWork = () => figure(patient.http, 'mqtt_bridge_messages_in_work');
			faulty.pause();
			await isUnready(patient.http);
			// The broker has them when this resolves: far more than the service takes at a time.
			await sendAll(5, 15);
			let most = await eventually('some are in work', inWork, (count) => count >= window);
			for (let look = 0; look < 3; look++) most = Math.max(most, await inWork());
			expect(most).to.be.at.most(partitions * inWorkAtMost(window));
			faulty.resume();
			for (const serial of serials) await hasOnly(operatorOf(patient), serial, 'seq 14', 60_000);
			expect(await figure(patient.http, 'mqtt_message_errors_total{kind="given up"}')).to.equal(0);
			expect(await patient.end()).to.equal(0);

			// Whatever was acknowledged to the broker without being stored would be gone with the process.
			const killed = await start(store);
			await haveShares([killed.http], [partitions]);
			faulty.pause();
			await sendAll(15, 20);
			await isUnready(killed.http);
			await killed.kill();
			faulty.resume();
			const next = await start(store);
			for (const serial of serials) await hasOnly(operatorOf(next), serial, 'seq 19', 90_000);
		});
	});
});
