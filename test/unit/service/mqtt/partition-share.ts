import { expect } from 'chai';
import { pino } from 'pino';
import { createPartitionShare, nameOf, type Served } from '../../../../service/mqtt/partition-share.ts';
import { type DocumentStore, openLeases } from '../../../../store/index.ts';
import { openSqliteStore } from '../../../../store/sqlite/index.ts';

const partitions = 8;
const leaseMilliseconds = 1000;

describe('service/mqtt/partition-share', () => {
	let store: DocumentStore;
	let now = 0;
	let processes = 0;
	const elapsed = () => now;
	beforeEach(async () => {
		now = 0;
		processes = 0;
		store = await openSqliteStore({ directory: ':memory:', now: () => 0 });
	});
	afterEach(() => store.close());

	async function join(holder: string, first = 0, how: Partial<Served> = {}) {
		processes++;
		const served = new Set<number>();
		const ends: string[] = [];
		const leases = await openLeases({ store, holder, elapsed, leaseMilliseconds });
		const share = createPartitionShare({
			partitions,
			leases,
			processes: () => processes,
			open(partition) {
				served.add(partition);
				const end = (word: string) => {
					served.delete(partition);
					ends.push(word);
				};
				return {
					async close() {
						const hasFinished = (await how.close?.()) ?? true;
						if (hasFinished) end('closed');
						return hasFinished;
					},
					async abandon() {
						end('abandoned');
						await how.abandon?.();
					},
				};
			},
			elapsed,
			first,
			log: pino({ level: 'silent' }),
		});
		return { share, served, ends, leases };
	}

	type Joined = Awaited<ReturnType<typeof join>>;

	async function ticks(of: readonly Joined[], count: number): Promise<void> {
		for (let i = 0; i < count; i++) {
			now += leaseMilliseconds / 4;
			for (const { share } of of) await share.tick();
			const all = of.flatMap(({ served }) => [...served]);
			expect(new Set(all).size).to.equal(all.length);
		}
	}

	const sizes = (of: readonly Joined[]) => of.map(({ served }) => served.size);

	it('takes everything alone, and shares it evenly with whoever joins', async () => {
		const one = await join('one');
		await ticks([one], 1);
		expect(sizes([one])).to.deep.equal([8]);
		const two = await join('two', 3);
		await ticks([one, two], 3);
		expect(sizes([one, two])).to.deep.equal([4, 4]);
		const three = await join('three', 5);
		await ticks([one, two, three], 4);
		const shares = sizes([one, two, three]);
		expect(Math.max(...shares)).to.equal(3);
		expect(shares.reduce((sum, size) => sum + size)).to.equal(8);
		expect(new Set([one, two, three].flatMap(({ ends }) => ends))).to.deep.equal(new Set(['closed']));
	});

	it('takes over what a silent process had when its leases are over', async () => {
		const [one, two] = [await join('one'), await join('two')];
		await ticks([one, two], 3);
		expect(sizes([one, two])).to.deep.equal([4, 4]);
		await ticks([one], 3);
		expect(one.served.size).to.equal(4);
		// Before it finds out: it may not go on with what somebody else will have.
		two.share.dropExpired();
		expect(two.served.size).to.equal(4);
		now += leaseMilliseconds / 4;
		two.share.dropExpired();
		expect(two.ends).to.deep.equal(Array(4).fill('abandoned'));
		await one.share.tick();
		expect(one.served.size).to.equal(4);
		processes--;
		await ticks([one], 2);
		expect(one.served.size).to.equal(8);
	});

	it('gives everything back at once when it ends', async () => {
		const [one, two] = [await join('one'), await join('two')];
		await ticks([one, two], 3);
		await one.share.close();
		expect(sizes([one])).to.deep.equal([0]);
		processes--;
		await two.share.tick();
		expect(sizes([two])).to.deep.equal([8]);
	});

	it('leaves the others nothing to do when there are more processes than partitions', async () => {
		const all = await Promise.all(Array.from({ length: 10 }, (_, index) => join(`process ${index}`, index)));
		await ticks(all, 6);
		expect(sizes(all).sort()).to.deep.equal([0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
	});

	it('renews what it keeps while it gives others back, however long that takes', async () => {
		let end = (_hasFinished: boolean): void => {};
		const closed = new Promise<boolean>((resolve) => (end = resolve));
		const one = await join('one', 0, { close: () => closed });
		await ticks([one], 1);
		processes = 2;
		const sharing: Promise<void>[] = [];
		for (let i = 0; i < 3; i++) {
			now += leaseMilliseconds / 4;
			sharing.push(one.share.tick());
			// Behind it in the store's queue.
			await one.leases.acquire('another');
			one.share.dropExpired();
		}
		now += leaseMilliseconds / 2;
		one.share.dropExpired();
		expect([...one.served]).to.deep.equal([0, 1, 2, 3]);
		expect(one.ends).to.deep.equal(Array(4).fill('abandoned'));
		end(true);
		await Promise.all(sharing);
	});

	it('takes nothing again before what it had in work there has ended', async () => {
		let end = (): void => {};
		const ended = new Promise<void>((resolve) => (end = resolve));
		const one = await join('one', 0, { abandon: () => ended });
		await ticks([one], 1);
		now += leaseMilliseconds;
		one.share.dropExpired();
		await ticks([one], 5);
		expect(sizes([one])).to.deep.equal([0]);
		end();
		await ended;
		await ticks([one], 1);
		expect(sizes([one])).to.deep.equal([8]);
	});

	for (const [what, close] of [
		['cannot be closed', () => Promise.reject(new Error('it fails'))],
		['has something in work after its time', async () => false],
	] as const) {
		it(`lets the lease of a partition run out that ${what}`, async () => {
			const [one, two] = [await join('one', 0, { close }), await join('two')];
			processes = 1;
			await ticks([one], 1);
			await one.share.close();
			expect(one.ends).to.deep.equal(Array(8).fill('abandoned'));
			await ticks([two], 4);
			expect(sizes([two])).to.deep.equal([0]);
			await ticks([two], 1);
			expect(sizes([two])).to.deep.equal([8]);
		});
	}

	it('leaves a partition that somebody else has taken', async () => {
		const one = await join('one');
		await ticks([one], 1);
		await store.batch([{ kind: 'remove', collection: 'leases', id: nameOf(2) }]);
		const other = await openLeases({ store, holder: 'other', elapsed, leaseMilliseconds });
		expect(await other.acquire(nameOf(2))).to.include({ term: 1 });
		await ticks([one], 1);
		expect(one.served).to.not.include(2);
		expect(one.ends).to.deep.equal(['abandoned']);
	});
});
