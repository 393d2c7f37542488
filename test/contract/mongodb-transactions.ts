import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { type Step, StoreError } from '../../store/index.ts';
import { type MongoStore, type MongoStoreOptions, openMongoStore } from '../../store/mongodb/index.ts';
import { eventually } from '../support/eventually.ts';
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

	it('writes nothing of what was begun before a silence after which others may have gone on', async () => {
		const { store, things } = await open();
		for (const _id of ['a', 'b']) await things.insert({ _id, n: 0 });
		const tries: (string | undefined)[] = [];
		const write = async (steps: readonly Step[]) =>
			tries.push(
				await store.batch(steps).then(
					() => 'written',
					(error: unknown) => (error instanceof StoreError ? error.message.slice(0, 23) : String(error)),
				),
			);
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
		});
		expect(tries).to.deep.equal(['written', ...Array(3).fill('this process was silent')]);
		await store.unlessSilent(() => write(pair));
		stall(2 * silentMilliseconds);
		await write(pair);
		expect(tries.slice(4)).to.deep.equal(['written', 'written']);
		expect(await things.get('a')).to.deep.equal({ _id: 'a', n: 3 });
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
