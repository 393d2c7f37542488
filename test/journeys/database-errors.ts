import { expect } from 'chai';
import { canFailDatabase, databaseFaultReason, startLoad, useFaultyService } from '../support/database-faults.ts';
import type { InjectedError } from '../support/faulty-mongodb.ts';
import { connectDevice, operatorOf } from '../support/service-process.ts';
import { skipUnless } from '../support/skip.ts';

const retryable: InjectedError = { errorCode: 11_600, errorLabels: ['RetryableWriteError'] };
const conflict: InjectedError = { errorCode: 112, errorLabels: ['TransientTransactionError'] };
const lasting: InjectedError = { errorCode: 8000 };
const broken: InjectedError = { closeConnection: true };

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

describe('journeys/database-errors', function () {
	this.timeout(240_000);
	before(skipUnless(canFailDatabase, databaseFaultReason));
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

	it('refuses at once what the database can never hold, and lets the device go on', async () => {
		const [, service] = await start({ HTTP_JSON_MAX_DEPTH: '1000' });
		const operator = operatorOf(service);
		const device = await connectDevice(service, 'deep');
		await device.send('114,c8y_Restart');
		const deep = `{"c8y_Deep":${'{"a":'.repeat(150)}1${'}'.repeat(151)}`;
		await device.send(deep, 'inventory/managedObjects/update');
		expect(JSON.parse(await device.nextLine('error'))).to.include({ error: 'mqtt/refused' });
		await device.send('141,package,1,,');
		expect(await operator.namesOf('deep')).to.deep.equal(['package 1']);
		const path = `/inventory/managedObjects/${await operator.idOf('deep')}`;
		expect(await operator.http.call('PUT', path, JSON.parse(deep))).to.deep.include({ status: 422 });
		await device.close();
		expect(await service.end()).to.equal(0);
	});
});
