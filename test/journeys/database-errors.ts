import { expect } from 'chai';
import {
	ask,
	becomesReady,
	canFailDatabase,
	databaseFaultReason,
	startLoad,
	useFaultyService,
} from '../support/database-faults.ts';
import { eventually } from '../support/eventually.ts';
import type { InjectedError } from '../support/faulty-mongodb.ts';
import { connectDevice, operatorOf } from '../support/service-process.ts';
import { describeWhere } from '../support/skip.ts';

const retryable: InjectedError = { errorCode: 11_600, errorLabels: ['RetryableWriteError'] };
const conflict: InjectedError = { errorCode: 112, errorLabels: ['TransientTransactionError'] };
const lasting: InjectedError = { errorCode: 8000 };
const broken: InjectedError = { closeConnection: true };

/** What mongod answers to a write: its code OutOfDiskSpace. */
const diskFull: InjectedError = { errorCode: 14_031 };
const writes = ['insert', 'update', 'delete', 'findAndModify', 'commitTransaction', 'bulkWrite'];

const faults: readonly (readonly [command: string, what: string, error: InjectedError])[] = [
	['insert', 'an error that may pass', retryable],
	['insert', 'an error that no label calls passing', lasting],
	['update', 'a write conflict', conflict],
	['update', 'an error that no label calls passing', lasting],
	['update', 'a broken connection', broken],
	['findAndModify', 'an error that no label calls passing', lasting],
	['find', 'an error that no label calls passing', lasting],
	['find', 'a broken connection', broken],
	['commitTransaction', 'an error that may pass', retryable],
	['commitTransaction', 'a commit that others were in the way of', conflict],
	['commitTransaction', 'an error that no label calls passing', lasting],
	['commitTransaction', 'a broken connection', broken],
];

// More than the 16 MiB of a document.
const largeBytes = 17 * 1024 * 1024;

describeWhere(canFailDatabase, 'journeys/database-errors', databaseFaultReason, function () {
	this.timeout(240_000);
	const start = useFaultyService();

	it('loses nothing, and delivers everything in order, whatever the database answers for a while', async () => {
		const [database, service] = await start();
		const load = await startLoad(service);
		for (const [command, what, error] of faults) {
			await database.fail(4, [command], error);
			await load.flows(20, 1).catch((fault: Error) => {
				throw new Error(`after ${what} of ${command}: ${fault.message}`);
			});
		}
		await load.settle();
	});

	it('refuses writes and loses nothing while the disk of the database is full, and goes on by itself when there is room', async () => {
		const [database, service] = await start();
		const load = await startLoad(service);
		await load.flows(20, 1);
		const operator = load.operator;
		const deviceId = await operator.idOf('stream-1');
		const post = () => operator.http.call('POST', '/devicecontrol/operations', { deviceId, c8y_Restart: {} });
		await database.fail('alwaysOn', writes, diskFull);
		const refused = await eventually('writes are refused', post, ({ status }) => status !== 201);
		expect(refused).to.deep.include({ status: 503 });
		expect(refused.body).to.include({ error: 'http/unavailable' });
		await becomesReady(service, 503, 30_000);
		expect((await ask(service, '/health')).status).to.equal(200);
		expect((await operator.softwarePage(deviceId, 'pageSize=10')).softwareList).to.have.length(10);
		expect(service.output.join('\n')).to.include('the disk of the database is full');
		const acknowledged = load.ledger.balance().acknowledged;
		expect((await post()).status).to.equal(503);
		expect(load.ledger.balance().acknowledged, 'acknowledged without being stored').to.equal(acknowledged);
		await database.fail('off', writes, diskFull);
		await becomesReady(service, 200, 30_000);
		await load.flows(20, 1);
		await load.settle();
	});

	it('refuses at once what the database can never hold, and lets the device go on', async () => {
		const limits = ['MANAGED_OBJECT_MAX_BYTES', 'HTTP_BODY_MAX_BYTES', 'MQTT_PAYLOAD_MAX_BYTES'];
		const settings = Object.fromEntries(limits.map((name) => [name, String(2 * largeBytes)]));
		const [, service] = await start({ ...settings, MQTT_PACKET_MAX_BYTES: String(3 * largeBytes) });
		const operator = operatorOf(service);
		const device = await connectDevice(service, 'large');
		await device.send('114,c8y_Restart');
		const large = { c8y_Large: { text: 'x'.repeat(largeBytes) } };
		await device.send(JSON.stringify(large), 'inventory/managedObjects/update');
		expect(JSON.parse(await device.nextLine('error'))).to.include({ error: 'mqtt/refused' });
		await device.send('141,package,1,,');
		expect(await operator.namesOf('large')).to.deep.equal(['package 1']);
		const path = `/inventory/managedObjects/${await operator.idOf('large')}`;
		expect(await operator.http.call('PUT', path, large)).to.deep.include({ status: 422 });
		await device.close();
		expect(await service.end()).to.equal(0);
	});
});
