import { expect } from 'chai';
import { openProcessRecords } from '../../store/index.ts';
import { openSharedStore } from '../support/shared-store.ts';
import { useBench } from '../unit/inventory/inventory-bench.ts';

const leaseMilliseconds = 90;
const self = (_id: string) => ({ _id, startedAt: 0, host: 'h', version: '1' });

describe('contract/process-records', () => {
	const bench = useBench(async () => ({ store: await openSharedStore() }));

	async function observer() {
		const clock = { now: 0 };
		const records = await openProcessRecords({ store: bench().store, elapsed: () => clock.now, leaseMilliseconds });
		return Object.assign(clock, records);
	}

	it('takes a process for gone that was seen to be silent for the whole time, and no other', async () => {
		const a = await observer();
		expect(await a.beat(self('silent'))).to.equal(false);
		await a.beat(self('lively'));
		await a.look();
		for (let i = 1; i <= 3; i++) {
			expect(a.listGone()).to.deep.equal([]);
			expect(await a.isGone('silent')).to.equal(false);
			a.now += 30;
			expect(await a.beat(self('lively'))).to.equal(true);
			await a.look();
		}
		expect(a.listGone()).to.deep.equal(['silent']);
		expect([await a.isGone('silent'), await a.isGone('lively'), a.count()]).to.deep.equal([true, false, 1]);
	});

	it('gives all a chance to beat again after a time in which nobody could', async () => {
		const a = await observer();
		await a.beat(self('other'));
		await a.look();
		a.now += 1000;
		await a.look();
		expect(a.listGone()).to.deep.equal([]);
	});

	it('takes for gone what has no record, but not what has begun since', async () => {
		const a = await observer();
		await a.look();
		await a.beat(self('new'));
		expect([await a.isGone('new'), await a.isGone('unknown')]).to.deep.equal([false, true]);
		await a.remove('new');
		expect(await a.isGone('new')).to.equal(true);
	});

	it('tells a process that it was taken for gone', async () => {
		const a = await observer();
		await a.beat(self('me'));
		expect(await a.beat(self('me'))).to.equal(true);
		await a.remove('me');
		expect(await a.beat(self('me'))).to.equal(false);
		expect(await a.beat(self('me'))).to.equal(true);
	});
});
