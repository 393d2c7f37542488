import { expect } from 'chai';
import { pino } from 'pino';
import { type LeaseKeeper, openLeaseKeeper } from '../../../service/leases.ts';
import type { DocumentStore, Lease, StoredDocument } from '../../../store/index.ts';
import { openSqliteStore } from '../../../store/sqlite/index.ts';
import { eventually, within } from '../../support/eventually.ts';

const leaseMilliseconds = 900;

/** Work that tells when it begins and ends. */
function work() {
	const waiting: ((begun: { readonly lease: Lease; readonly signal: AbortSignal }) => void)[] = [];
	const begun: { readonly lease: Lease; readonly signal: AbortSignal }[] = [];
	return {
		onHeld(lease: Lease, signal: AbortSignal) {
			const one = { lease, signal };
			const wait = waiting.shift();
			if (wait) wait(one);
			else begun.push(one);
		},
		async next() {
			const present = begun.shift();
			return present ?? within('the work begins', new Promise<{ lease: Lease; signal: AbortSignal }>((r) => waiting.push(r)));
		},
		begun,
	};
}

const ended = (signal: AbortSignal) =>
	within(
		'the work is told to end',
		new Promise<void>((resolve) => {
			if (signal.aborted) resolve();
			else signal.addEventListener('abort', () => resolve());
		}),
	);

describe('service/leases', () => {
	let store: DocumentStore;
	const keepers: LeaseKeeper[] = [];
	beforeEach(async () => {
		store = await openSqliteStore({ directory: ':memory:', now: Date.now });
	});
	afterEach(async () => {
		await Promise.all(keepers.splice(0).map((keeper) => keeper.close()));
		await store.close();
	});

	async function keeper(holder: string, on: DocumentStore = store): Promise<LeaseKeeper> {
		const log = pino({ level: 'silent' });
		const opened = await openLeaseKeeper({ store: on, holder, leaseMilliseconds, elapsed: () => performance.now(), log });
		keepers.push(opened);
		return opened;
	}

	it('lets one work at a time, and the next one when it stops', async () => {
		const [a, b] = [await keeper('a'), await keeper('b')];
		const [worksA, worksB] = [work(), work()];
		const held = a.holdLease('job', worksA);
		const first = await worksA.next();
		expect(held.current()?.term).to.equal(1);
		b.holdLease('job', worksB);
		// Renewed again and again: longer than it would last by itself.
		const records = await store.collection<StoredDocument & { readonly renewals: number }>({ name: 'leases', indexes: [] });
		await eventually(
			'it is renewed',
			() => records.get('job'),
			(record) => (record?.renewals ?? 0) >= 4,
		);
		expect([first.signal.aborted, worksB.begun.length]).to.deep.equal([false, 0]);
		await held.stop();
		expect(first.signal.aborted).to.equal(true);
		expect((await worksB.next()).lease.term).to.equal(2);
		expect(held.current()).to.equal(undefined);
	});

	it('tells the work when the lease cannot be renewed in time, and refuses what it writes late', async () => {
		let reachable = true;
		const cut: DocumentStore = {
			...store,
			async collection(spec) {
				const collection = await store.collection(spec);
				const gone = () => Promise.reject(new Error('out of reach'));
				return {
					...collection,
					get: (id) => (reachable ? collection.get(id) : gone()),
					findOneAndUpdate: (...call) => (reachable ? collection.findOneAndUpdate(...call) : gone()),
				};
			},
		};
		const [a, b] = [await keeper('a', cut), await keeper('b')];
		const [worksA, worksB] = [work(), work()];
		a.holdLease('job', worksA);
		const first = await worksA.next();
		b.holdLease('job', worksB);
		reachable = false;
		await ended(first.signal);
		const second = await worksB.next();
		expect(second.lease.term).to.equal(2);
		interface Note extends StoredDocument {
			readonly by: string;
		}
		await store.collection<Note>({ name: 'notes', indexes: [] });
		const note = (by: string): Note => ({ _id: 'n', by });
		const write = (by: LeaseKeeper, lease: Lease, name: string) =>
			store.batch([by.guard(lease), { kind: 'put', collection: 'notes', document: note(name) }]);
		expect((await write(a, first.lease, 'a')).ok).to.equal(false);
		expect((await write(b, second.lease, 'b')).ok).to.equal(true);
	});

	it('gives the lease back when the work fails, and tries again', async () => {
		const a = await keeper('a');
		const works = work();
		let failures = 0;
		a.holdLease('job', {
			onHeld(lease, signal) {
				if (failures++ === 0) throw new Error('broken');
				works.onHeld(lease, signal);
			},
		});
		expect((await works.next()).lease.term).to.equal(2);
	});
});
