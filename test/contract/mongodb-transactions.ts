import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { type Step, StoreError } from '../../store/index.ts';
import { type MongoStore, type MongoStoreOptions, openMongoStore } from '../../store/mongodb/index.ts';
import { eventually, within } from '../support/eventually.ts';
import { type FaultyMongoDb, useFaultyMongoDb } from '../support/faulty-mongodb.ts';
import { isOnMongoDb } from '../support/named-stores.ts';
import { didNotRun } from '../support/skip.ts';
import type { AnyDocument } from './engine.ts';

const silentMilliseconds = 600;
const change = (id: string): Step => ({ kind: 'update', collection: 'things', id, update: { $inc: { n: 1 } } });
const pair = [change('a'), change('b')];

if (isOnMongoDb) describe('store/mongodb/transactions', transactionCases);
else didNotRun('store/mongodb/transactions', 'STORES does not name mongodb');

function transactionCases(this: Mocha.Suite): void {
	this.timeout(60_000);

	const opened: MongoStore[] = [];
	let server: FaultyMongoDb;
	// Before the server ends.
	afterEach(() => Promise.all(opened.splice(0).map((store) => store.close())));
	const start = useFaultyMongoDb();
	beforeEach(async () => {
		server = await start();
	});

	/** A process on the database, and its collection. */
	async function open(options: Partial<MongoStoreOptions> = {}) {
		const store = await openMongoStore({
			url: server.url,
			now: Date.now,
			silentMilliseconds,
			transactionTimeoutMilliseconds: 20_000,
			onFault: () => {},
			...options,
		});
		opened.push(store);
		return { store, things: await store.collection<AnyDocument>({ name: 'things', indexes: [] }) };
	}

	for (const [what, given] of [
		['the end of a transaction was lost', { closeConnection: true }],
		['the database refused to end a transaction', { errorCode: 1 }],
	] as const) {
		it(`frees what was locked where ${what}`, async () => {
			const [left, right] = [await open(), await open()];
			for (const _id of ['a', 'b']) await left.things.insert({ _id, n: 0 });
			await server.fail('alwaysOn', ['abortTransaction'], given);
			const outcome = await left.store.batch([...pair, { kind: 'require', collection: 'things', id: 'nobody' }]);
			expect(outcome).to.deep.equal({ ok: false, failed: 2, duplicate: false });
			await server.fail('off', ['abortTransaction'], {});
			expect(await right.store.batch(pair)).to.deep.equal({ ok: true });
			expect(await left.store.batch(pair)).to.deep.equal({ ok: true });
			expect(await right.things.get('a')).to.deep.equal({ _id: 'a', n: 2 });
		});
	}

	it('keeps no more sessions, and says so once, where the database refuses to end any', async () => {
		const faults: string[] = [];
		const { store, things } = await open({ onFault: ({ message }) => faults.push(message) });
		await things.insert({ _id: 'a', n: 0 });
		await server.fail('alwaysOn', ['killSessions'], { errorCode: 59 });
		const direct = new MongoClient(server.url);
		try {
			const notes = direct.db('deviceSoftware').collection<{ sessions: unknown[]; renewals: number }>('_transactions');
			for (const rounds of [3, 6, 9]) {
				await store.batch([change('a'), { kind: 'require', collection: 'things', id: 'nobody' }]);
				await eventually(
					'it has looked again',
					() => notes.findOne(),
					(note) => (note?.renewals ?? 0) > rounds,
				);
			}
			expect((await notes.findOne())?.sessions.length).to.be.below(3);
		} finally {
			await direct.close();
		}
		expect(faults).to.have.lengthOf(1);
		expect(faults[0]).to.include('the database refuses to end transactions');
		expect(await store.batch(pair.slice(0, 1))).to.deep.equal({ ok: true });
	});

	it('is not silent while the database takes long to tell of others', async () => {
		const { store } = await open();
		const direct = new MongoClient(server.url);
		try {
			await server.fail('alwaysOn', ['find'], { blockConnection: true, blockTimeMS: 8000 });
			const renewals = () => direct.db('deviceSoftware').collection('_transactions').aggregate([]).next();
			await eventually('its note is renewed again and again', renewals, (note) => (note?.renewals ?? 0) > 8, 15_000);
			expect(await store.unlessSilent(async () => 'yes')).to.equal('yes');
		} finally {
			await server.fail('off', ['find'], {});
			await direct.close();
		}
	});

	it('writes what belongs to nothing before a silence, also where it shares a transaction with what does', async () => {
		const { store, things } = await open();
		for (const _id of ['a', 'b', 'c', 'd']) await things.insert({ _id, n: 0 });
		await server.fail('alwaysOn', ['update'], { blockConnection: true, blockTimeMS: 300 });
		const refused = store.unlessSilent(() => store.batch(pair)).catch(({ message }: Error) => message);
		const written = store.batch([change('c'), change('d')]);
		await eventually(
			'they are under way',
			async () => (await store.statistics()).waitingBatches,
			(waiting) => waiting === 2,
		);
		stall(2 * silentMilliseconds);
		await server.fail('off', ['update'], {});
		expect(await refused).to.include('was silent');
		expect(await written).to.deep.equal({ ok: true });
		expect(await things.get('a')).to.deep.equal({ _id: 'a', n: 0 });
	});

	it('ends with writes that are refused because it was silent', async () => {
		const { store, things } = await open();
		await things.insert({ _id: 'a', n: 0 });
		const refused = store.unlessSilent(async () => {
			const writing = store.batch([change('a'), change('b')]).catch(({ message }: Error) => message);
			stall(2 * silentMilliseconds);
			const closing = store.close();
			expect(await writing).to.include('was silent');
			await closing;
		});
		await within('the store is closed', refused);
	});

	it('writes nothing of what was begun before a silence after which others may have gone on', async () => {
		const { store, things } = await open();
		for (const _id of ['a', 'b']) await things.insert({ _id, n: 0 });
		const tries: (string | undefined)[] = [];
		const note = async (writing: Promise<unknown>) =>
			tries.push(
				await writing.then(
					() => 'written',
					(error: unknown) => (error instanceof StoreError ? error.message.slice(0, 23) : String(error)),
				),
			);
		const write = (steps: readonly Step[]) => note(store.batch(steps));
		await store.unlessSilent(async () => {
			await write(pair);
			stall(2 * silentMilliseconds);
			await write(pair);
			// It has been heard of again since then.
			await eventually(
				'it is in its next era',
				() => store.unlessSilent(async () => 'yes').catch(() => 'no'),
				(answer) => answer === 'yes',
			);
			await write(pair);
			await write([change('a')]);
			await note(things.findOneAndUpdate({ n: { $gt: 0 } }, { $inc: { n: 1 } }));
			await note(things.insert({ _id: 'c' }));
		});
		expect(tries.splice(0)).to.deep.equal(['written', ...Array(5).fill('this process was silent')]);
		let goOn = () => {};
		let later: Promise<unknown> | undefined;
		await store.unlessSilent(async () => {
			await write(pair);
			later = new Promise<void>((resolve) => {
				goOn = resolve;
			}).then(() => write(pair));
		});
		stall(2 * silentMilliseconds);
		await write(pair);
		// Begun there, and left behind by what has succeeded.
		goOn();
		await later;
		expect(tries).to.deep.equal(['written', 'written', 'written']);
		expect(await things.get('a')).to.deep.equal({ _id: 'a', n: 4 });
	});

	it('counts as a silence that others have removed its note, whatever its clock says', async () => {
		const { store, things } = await open();
		for (const _id of ['a', 'b']) await things.insert({ _id, n: 0 });
		const client = new MongoClient(server.url);
		try {
			const notes = client.db('deviceSoftware').collection('_transactions');
			const isThere = () => eventually('its note is there', () => notes.countDocuments(), Boolean);
			await isThere();
			const error = await store.unlessSilent(async () => {
				await notes.deleteMany({});
				await isThere();
				await store.ping();
				return store.batch(pair).catch((reason: unknown) => reason);
			});
			expect(error).to.be.instanceOf(StoreError);
			expect(await store.unlessSilent(() => store.batch(pair))).to.deep.equal({ ok: true });
			expect(await things.get('a')).to.deep.equal({ _id: 'a', n: 1 });
		} finally {
			await client.close();
		}
	});

	it('counts as a silence what ends with a renewal that was on its way too long', async () => {
		let onRenewal = () => {};
		const onCommand = (name: string, about?: string) => name === 'update' && about === '_transactions' && onRenewal();
		const { store, things } = await open({ onCommand });
		for (const _id of ['a', 'b']) await things.insert({ _id, n: 0 });
		const isHeardOf = () => store.unlessSilent(async () => true).catch(() => false);
		const error = await store.unlessSilent(async () => {
			let hasStalled = false;
			onRenewal = () => {
				if (!hasStalled) stall(0.75 * silentMilliseconds);
				hasStalled = true;
			};
			await eventually('it was heard of again', async () => hasStalled && (await isHeardOf()), Boolean);
			return store.batch(pair).catch((reason: unknown) => reason);
		});
		expect(error)
			.to.be.instanceOf(StoreError)
			.with.property('message')
			.that.match(/^this process was silent/);
		expect(await things.get('a')).to.deep.equal({ _id: 'a', n: 0 });
	});

	it('writes what others wanted together with what was begun before a silence', async () => {
		const { store, things } = await open();
		for (const _id of ['a', 'b', 'c', 'd']) await things.insert({ _id, n: 0 });
		const client = new MongoClient(server.url);
		try {
			await client.withSession(async (session) => {
				session.startTransaction();
				await client
					.db('deviceSoftware')
					.collection<{ _id: string }>('things')
					.updateOne({ _id: 'a' }, { $inc: { n: 10 } }, { session });
				const own = store.unlessSilent(() => store.batch(pair)).catch((reason: unknown) => reason);
				const others = store.batch([change('c'), change('d')]);
				// Both are in a transaction that cannot be written now.
				await eventually(
					'it was tried',
					() => store.statistics(),
					({ waitingBatches }) => waitingBatches === 2,
				);
				for (let n = 0; n < 3; n++) await things.get('a');
				stall(2 * silentMilliseconds);
				await session.abortTransaction();
				expect(await own)
					.to.be.instanceOf(StoreError)
					.with.property('message')
					.that.match(/^this process was silent/);
				expect(await others).to.deep.equal({ ok: true });
			});
		} finally {
			await client.close();
		}
		expect(await things.find({ filter: {}, sort: [['_id', 1]] })).to.deep.equal([
			{ _id: 'a', n: 0 },
			{ _id: 'b', n: 0 },
			{ _id: 'c', n: 1 },
			{ _id: 'd', n: 1 },
		]);
	});
}

/** Nothing of this process runs meanwhile. */
function stall(milliseconds: number): void {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
