import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { canFailDatabase, databaseFaultReason, useFaultyService } from '../support/database-faults.ts';
import { eventually } from '../support/eventually.ts';
import { openRawClient, upstream } from '../support/raw-client.ts';
import { operatorOf, processLogin, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { describeWhere } from '../support/skip.ts';

const leaseSeconds = 3;
// A server by itself keeps them for 60 s.
const endedMilliseconds = 30_000;

describeWhere(canFailDatabase, 'journeys/database-transactions', databaseFaultReason, function () {
	this.timeout(180_000);
	const start = useFaultyService();
	let other: ServiceProcess | undefined;
	afterEach(async () => {
		await other?.kill();
		other = undefined;
	});

	it('ends what a killed process has left open in the database as soon as it is seen to be gone', async () => {
		const settings = { LEASE_SECONDS: String(leaseSeconds), MONGODB_DATABASE: 'shared' };
		const [database, killed] = await start(settings);
		other = await startServiceProcess({ ...settings, ADMIN_PASSWORD: processLogin.password, MONGODB_URL: database.url });
		const direct = new MongoClient(database.url);
		try {
			const device = await openRawClient(killed.mqtt);
			await device.logIn({ clientId: 'locked', ...processLogin });
			device.send(upstream(1, '141,first,1,,'));
			await device.next('puback');
			// Its commits stay without an answer, so it is killed with everything written and nothing committed.
			await direct.db('admin').command({
				configureFailPoint: 'failCommand',
				mode: 'alwaysOn',
				data: { failCommands: ['commitTransaction'], blockConnection: true, blockTimeMS: 100_000 },
			});
			device.send(upstream(2, '141,second,1,,'));
			const notes = direct.db('shared').collection('_transactions');
			await eventually(
				'both note their sessions',
				() => notes.countDocuments(),
				(count) => count >= 1,
			);
			await eventually(
				'the package is locked',
				() => isLocked(direct),
				(locked) => locked,
			);
			await killed.kill();
			const killedAt = performance.now();
			await direct.db('admin').command({ configureFailPoint: 'failCommand', mode: 'off' });
			await eventually(
				'the package is free',
				() => isLocked(direct),
				(locked) => !locked,
				endedMilliseconds,
			);
			expect(performance.now() - killedAt).to.be.below(endedMilliseconds);
			const again = await openRawClient(other.mqtt);
			await again.logIn({ clientId: 'locked', ...processLogin });
			again.send(upstream(2, '141,second,1,,', { dup: true }));
			await eventually(
				'it is acknowledged',
				() => again.untaken('puback').length,
				(count) => count === 1,
				endedMilliseconds,
			);
			expect(await operatorOf(other).namesOf('locked')).to.deep.equal(['first 1', 'second 1']);
			again.close();
			await eventually(
				'the note is gone',
				() => notes.countDocuments({ renewals: { $exists: true } }),
				(count) => count <= 1,
				endedMilliseconds,
			);
		} finally {
			await direct.close();
		}
	});
});

/** Whether somebody else's transaction has changed a device, or what belongs to it, and is open. */
async function isLocked(client: MongoClient): Promise<boolean> {
	const session = client.startSession();
	try {
		session.startTransaction();
		await client
			.db('shared')
			.collection('managedObjects')
			.updateMany({}, { $inc: { 'lock%test': 1 } }, { session });
		return false;
	} catch {
		return true;
	} finally {
		await session.endSession();
	}
}
