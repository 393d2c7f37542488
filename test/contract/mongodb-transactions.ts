import { expect } from 'chai';
import { type Step, StoreError } from '../../store/index.ts';
import { type MongoStore, openMongoStore } from '../../store/mongodb/index.ts';
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
	async function open() {
		const store = await openMongoStore({
			url: server.url,
			now: Date.now,
			silentMilliseconds,
			transactionTimeoutMilliseconds: 20_000,
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
}

/** Nothing of this process runs meanwhile. */
function stall(milliseconds: number): void {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
