import { becomesReady, canFailDatabase, databaseFaultReason, startLoad, useFaultyService } from '../support/database-faults.ts';
import { describeWhere } from '../support/skip.ts';

describeWhere(canFailDatabase, 'journeys/database-killed', databaseFaultReason, function () {
	this.timeout(240_000);
	const start = useFaultyService();

	it('loses nothing, and delivers everything in order, when the database is killed under load and comes back, twice', async () => {
		const [database, service] = await start();
		const load = await startLoad(service);
		for (let round = 1; round <= 2; round++) {
			await load.flows();
			await database.kill();
			await becomesReady(service, 503, 10_000);
			await database.restart();
			await becomesReady(service, 200, 30_000);
		}
		await load.flows();
		await load.settle();
	});
});
