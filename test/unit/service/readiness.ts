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

	it('is red in time when the store does not answer, asks it one thing at a time, and is green when it does', async () => {
		let now = 0;
		let pings = 0;
		let answer = () => {};
		const ping = () => {
			pings++;
			return new Promise<void>((resolve) => {
				answer = resolve;
			});
		};
		const readiness = createReadiness({ store: { ping }, elapsed: () => now, timeoutMilliseconds: 10, isStopping: () => false });
		const reason = 'the database did not answer within 10 ms';
		for (let round = 1; round <= 3; round++) {
			expect((await readiness()).store).to.deep.equal({ ready: false, reason });
			now += 1000;
		}
		expect(pings).to.equal(1);
		const asked = readiness();
		answer();
		expect((await asked).store).to.deep.equal({ ready: true });
	});

	it('says that a service which stops is not ready', async () => {
		const store = await openSqliteStore({ directory: ':memory:', now: () => 0 });
		const readiness = createReadiness({ store, elapsed: () => 0, timeoutMilliseconds: 3000, isStopping: () => true });
		expect((await readiness()).broker).to.deep.equal({ ready: false, reason: 'the service is stopping' });
		await store.close();
	});

	it('says so at once, however slow the store is', async () => {
		const ping = () => new Promise<void>(() => {});
		const readiness = createReadiness({ store: { ping }, elapsed: () => 0, timeoutMilliseconds: 60_000, isStopping: () => true });
		expect((await readiness()).broker).to.deep.equal({ ready: false, reason: 'the service is stopping' });
	});
});
