import { expect } from 'chai';
import { type DocumentStore, type Lease, type Leases, openLeases, type StoredDocument } from '../../store/index.ts';
import { openTestStore } from '../support/test-store.ts';

const leaseMilliseconds = 100;

interface Participant extends Leases {
	/** Its own clock, which no other one shares. */
	now: number;
}

describe('contract/lease', () => {
	let store: DocumentStore;
	beforeEach(async () => {
		store = await openTestStore(() => 0);
	});
	afterEach(() => store.close());

	async function participant(holder: string, now = 0): Promise<Participant> {
		const clock = { now };
		const leases = await openLeases({ store, holder, elapsed: () => clock.now, leaseMilliseconds });
		return Object.assign(clock, leases);
	}

	function held(lease: Lease | undefined): Lease {
		if (!lease) throw new Error('the lease is not held');
		return lease;
	}

	it('gives a lease that nobody has to one of all who ask', async () => {
		const all = await Promise.all(Array.from({ length: 20 }, (_, i) => participant(`p${i}`)));
		const taken = await Promise.all(all.map((one) => one.acquire('work')));
		expect(taken.filter(Boolean)).to.deep.equal([{ name: 'work', term: 1, validUntil: leaseMilliseconds }]);
	});

	it('keeps leases of different names apart', async () => {
		const [a, b] = [await participant('a'), await participant('b')];
		expect(held(await a.acquire('one')).term).to.equal(1);
		expect(held(await b.acquire('two')).term).to.equal(1);
	});

	it('gives it to somebody else only after it was seen unchanged for the whole time, whatever the clocks show', async () => {
		const [a, b] = [await participant('a', 5_000_000), await participant('b')];
		held(await a.acquire('work'));
		expect(await b.acquire('work')).to.equal(undefined);
		b.now = 99;
		expect(await b.acquire('work')).to.equal(undefined);
		b.now = 100;
		expect(held(await b.acquire('work'))).to.deep.equal({ name: 'work', term: 2, validUntil: 200 });
	});

	it('begins to watch anew with each renewal that it sees', async () => {
		const [a, b] = [await participant('a'), await participant('b')];
		let lease = held(await a.acquire('work'));
		for (let i = 1; i <= 5; i++) {
			a.now += 60;
			lease = held(await a.renew(lease));
			b.now += 60;
			expect(await b.acquire('work'), `look ${i}`).to.equal(undefined);
		}
		b.now += 100;
		expect(held(await b.acquire('work')).term).to.equal(2);
	});

	it('gives it to one of many who waited equally long', async () => {
		const a = await participant('a');
		held(await a.acquire('work'));
		const others = await Promise.all(Array.from({ length: 20 }, (_, i) => participant(`p${i}`)));
		for (const other of others) {
			await other.acquire('work');
			other.now = leaseMilliseconds;
		}
		const taken = await Promise.all(others.map((other) => other.acquire('work')));
		expect(taken.filter(Boolean)).to.have.length(1);
	});

	it('counts the time of a renewal from before it began', async () => {
		const a = await participant('a');
		const lease = held(await a.acquire('work'));
		a.now = 40;
		const renewing = a.renew(lease);
		a.now = 70;
		expect(held(await renewing).validUntil).to.equal(140);
	});

	it('takes it for lost when the time has passed, also during a renewal, and can have it again with a new term', async () => {
		const a = await participant('a');
		const lease = held(await a.acquire('work'));
		a.now = 100;
		expect(await a.renew(lease)).to.equal(undefined);
		const again = held(await a.acquire('work'));
		expect(again.term).to.equal(2);
		const renewing = a.renew(again);
		a.now = 250;
		expect(await renewing).to.equal(undefined);
	});

	it('renews and releases nothing that somebody else has', async () => {
		const [a, b] = [await participant('a'), await participant('b')];
		const lease = held(await a.acquire('work'));
		await b.acquire('work');
		b.now = 100;
		const taken = held(await b.acquire('work'));
		expect(await a.renew(lease)).to.equal(undefined);
		await a.release(lease);
		expect(held(await b.renew(taken)).term).to.equal(2);
	});

	it('needs no waiting after a release, and the term grows', async () => {
		const [a, b] = [await participant('a'), await participant('b')];
		await a.release(held(await a.acquire('work')));
		expect(held(await b.acquire('work')).term).to.equal(2);
	});

	it('refuses what a holder writes that stalled past its time, and nothing of what the next one writes', async () => {
		interface Note extends StoredDocument {
			readonly by: string;
		}
		const note = (by: string): Note => ({ _id: 'n', by });
		const notes = await store.collection<Note>({ name: 'notes', indexes: [] });
		const write = (by: Participant, name: string, lease: Lease) =>
			store.batch([by.guard(lease), { kind: 'put', collection: 'notes', document: note(name) }]);
		const [a, b] = [await participant('a'), await participant('b')];
		const stalled = held(await a.acquire('work'));
		expect(await write(a, 'a', stalled)).to.deep.equal({ ok: true });
		await b.acquire('work');
		b.now = 100;
		const taken = held(await b.acquire('work'));
		expect(await write(b, 'b', taken)).to.deep.equal({ ok: true });
		expect(await write(a, 'a', stalled)).to.deep.include({ ok: false, failed: 0 });
		expect((await notes.get('n'))?.by).to.equal('b');
		// Nor when it has come to the same holder again.
		await b.release(taken);
		held(await a.acquire('work'));
		expect(await write(a, 'a', stalled)).to.deep.include({ ok: false, failed: 0 });
	});
});
