import { expect } from 'chai';
import { createReadiness } from '../../../service/readiness.ts';
import { openSqliteStore } from '../../../store/sqlite/index.ts';

describe('service/readiness', () => {
	it('looks at the store once a second, however often it is asked', async () => {
		const store = await openSqliteStore({ directory: ':memory:', now: () => 0 });
		let now = 0;
		const readiness = createReadiness({ store, elapsed: () => now, timeoutMilliseconds: 3000, isStopping: () => false });
		const commits = async () => (await store.statistics()).commits;
		const before = await commits();
		for (let i = 0; i < 5; i++) expect((await readiness()).store).to.deep.equal({ ready: true });
		expect((await commits()) - before).to.equal(1);
		now = 1000;
		await readiness();
		expect((await commits()) - before).to.equal(2);
		await store.close();
		expect((await readiness()).store.ready).to.equal(true);
		now = 2000;
		expect((await readiness()).store).to.deep.equal({ ready: false, reason: 'the store is closed' });
	});

	it('says that a service which stops is not ready', async () => {
		const store = await openSqliteStore({ directory: ':memory:', now: () => 0 });
		const readiness = createReadiness({ store, elapsed: () => 0, timeoutMilliseconds: 3000, isStopping: () => true });
		expect((await readiness()).broker).to.deep.equal({ ready: false, reason: 'the service is stopping' });
		await store.close();
	});
});
