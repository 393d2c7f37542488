import { Socket } from 'node:net';
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { DocumentRefusedError, type Step, StoreError } from '../../store/index.ts';
import { eventually, within } from '../support/eventually.ts';
import { refusal, thingsOf, useMongoStores } from '../support/mongo-stores.ts';
import { startTestMongoDb, type TestMongoDb } from '../support/mongodb.ts';
import { isOnMongoDb } from '../support/named-stores.ts';
import { didNotRun } from '../support/skip.ts';
import type { AnyDocument } from './engine.ts';

const put = (collection: string, document: AnyDocument): Step => ({ kind: 'put', collection, document });

if (isOnMongoDb) describe('store/mongodb', ownCases);
else didNotRun('store/mongodb', 'STORES does not name mongodb');

function ownCases(this: Mocha.Suite): void {
	this.timeout(60_000);
	const { database, open, closeAll } = useMongoStores();

	describe('documents', () => {
		const names = [
			'a.b',
			'$x',
			'',
			'__proto__',
			'%',
			'%25',
			'%t',
			'_bsontype',
			'$ref',
			'a\u0000b',
			'constructor',
			'0',
			'toString',
			'.',
			'$',
		];

		it('keeps field names that MongoDB or its driver take for something else', async () => {
			const things = await thingsOf(await open());
			const odd = JSON.parse(
				`{${names.map((name, n) => `${JSON.stringify(name)}: { ${JSON.stringify(name)}: [${n}] }`).join()}}`,
			);
			await things.insert({ ...odd, _id: 'a', odd });
			const whole = await things.get('a');
			expect(whole?.odd).to.deep.equal(odd);
			expect(Object.keys(whole?.odd ?? {})).to.have.members(names);
			for (const name of names) expect(Object.getOwnPropertyDescriptor(whole ?? {}, name)?.value, name).to.deep.equal(odd[name]);
			await things.findOneAndUpdate({ _id: 'a' }, { $set: { again: odd, $y: 1, 'odd.$x.$x': 'changed' } });
			expect(await things.find({ filter: { $y: { $exists: true } } }).catch((error: unknown) => error)).to.be.instanceOf(
				TypeError,
			);
			expect(await things.count({ 'odd.$x.$x': 'changed', 'again.%.%': 4 })).to.equal(1);
			expect((await things.get('a'))?.again).to.deep.equal(odd);
		});

		it('keeps numbers as they are, also those that an increment has made', async () => {
			const things = await thingsOf(await open());
			const numbers = [2 ** 31, 2 ** 31 - 1, -(2 ** 31) - 1, Number.MAX_SAFE_INTEGER, 1e300, -0, 0.1, 2 ** 53 + 2];
			await things.insert({ _id: 'a', numbers, n: 2 ** 31 - 1, large: Number.MAX_SAFE_INTEGER });
			expect((await things.get('a'))?.numbers).to.deep.equal(numbers);
			const changed = await things.findOneAndUpdate({ _id: 'a' }, { $inc: { n: 1, large: 1, half: 0.5 } });
			expect(changed).to.deep.include({ n: 2 ** 31, large: 2 ** 53, half: 0.5 });
		});

		it('refuses what is too large or nested too deeply, and harms nobody beside', async () => {
			const store = await open();
			const things = await thingsOf(store);
			const deep = JSON.parse(`${'{"a":'.repeat(200)}1${'}'.repeat(200)}`);
			const results = await Promise.allSettled([
				things.insert({ _id: 'one' }),
				things.insert({ _id: 'deep', deep }),
				things.insert({ _id: 'large', text: 'x'.repeat(17_000_000) }),
				store.batch([put('things', { _id: 'two' }), put('things', { _id: 'three', deep })]),
				things.insert({ _id: 'four' }),
			]);
			expect(results.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'rejected', 'rejected', 'fulfilled']);
			for (const result of results)
				if (result.status === 'rejected')
					expect(result.reason)
						.to.be.instanceOf(DocumentRefusedError)
						.with.property('message')
						.that.match(/MongoDB/);
			await things.insert({ _id: 'grown', text: 'x'.repeat(9_000_000) });
			const growing = things.findOneAndUpdate({ _id: 'grown' }, { $set: { more: 'x'.repeat(9_000_000) } });
			await refusal(growing);
			expect(await things.count({})).to.equal(3);
		});
	});

	describe('writes', () => {
		it('says in words of the database why it refused one of many, and writes the others', async () => {
			const things = await thingsOf(await open());
			const client = new MongoClient(database().url);
			try {
				await client.db(database().database).command({ collMod: 'things', validator: { n: { $type: 'number' } } });
			} finally {
				await client.close();
			}
			const [, said] = await Promise.all([
				things.insert({ _id: 'a', n: 1 }),
				refusal(things.insert({ _id: 'b', n: 'secret' })),
				things.insert({ _id: 'c', n: 1 }),
			]);
			expect(said)
				.to.match(/^the database refused .*Document failed validation/)
				.and.not.include('secret');
			expect((await things.find({ filter: {} })).map(({ _id }) => _id)).to.have.members(['a', 'c']);
		});

		it('commits the batches of many callers together, and the others with them when some fail', async () => {
			const store = await open({ maxGroupsInFlight: 1 });
			const things = await thingsOf(store);
			await things.insert({ _id: 'owner' });
			await things.insert({ _id: 'taken' });
			const before = (await store.statistics()).commits;
			const outcomes = await Promise.all(
				Array.from({ length: 200 }, (_, n) => {
					const failing: Step =
						n % 2 === 0
							? { kind: 'require', collection: 'things', id: 'nobody' }
							: { kind: 'insert', collection: 'things', document: { _id: 'taken' } };
					const steps = [put('things', { _id: `${n}`, owner: 'o' }), put('things', { _id: `${n}+`, owner: 'o' })];
					return store.batch(n % 50 < 2 ? [...steps, failing] : steps);
				}),
			);
			expect(outcomes.filter(({ ok }) => !ok)).to.deep.equal([
				...[0, 1, 2, 3].flatMap(() => [
					{ ok: false, failed: 2, duplicate: false },
					{ ok: false, failed: 2, duplicate: true },
				]),
			]);
			expect(await things.count({ owner: 'o' })).to.equal(2 * 192);
			// Three requirements of one document cannot be in one group; everything else can.
			expect((await store.statistics()).commits - before).to.be.lessThan(10);
		});

		for (const [what, options, text] of [
			['batches', { maxWaitingBatches: 10 }, ''],
			// A character may be three bytes.
			['bytes', { maxWaitingBytes: 3_150_000 }, 'x'.repeat(100_000)],
		] as const) {
			it(`refuses ${what} beyond those that may wait, and takes new ones afterwards`, async () => {
				const store = await open(options);
				const things = await thingsOf(store);
				const results = await Promise.allSettled(Array.from({ length: 15 }, (_, n) => things.insert({ _id: `${n}`, text })));
				expect(results.map(({ status }) => status)).to.deep.equal([...Array(10).fill('fulfilled'), ...Array(5).fill('rejected')]);
				await things.insert({ _id: 'later' });
				expect((await store.statistics()).waitingBatches).to.equal(0);
			});
		}

		it('applies a batch of 5,000 steps on several collections, whole', async () => {
			const store = await open();
			const things = await thingsOf(store);
			const others = await store.collection<AnyDocument>({ name: 'others', indexes: [] });
			const steps = Array.from({ length: 5000 }, (_, n) => put(n % 2 === 0 ? 'things' : 'others', { _id: `${n}` }));
			await others.insert({ _id: 'last' });
			const last: Step = { kind: 'insert', collection: 'others', document: { _id: 'last' } };
			expect(await store.batch([...steps, last])).to.deep.equal({ ok: false, failed: 5000, duplicate: true });
			expect([await things.count({}), await others.count({})]).to.deep.equal([0, 1]);
			expect(await store.batch(steps)).to.deep.equal({ ok: true });
			expect([await things.count({}), await others.count({})]).to.deep.equal([2500, 2501]);
		});
	});

	describe('two processes', () => {
		it('hold a requirement against a removal by the other', async () => {
			const [left, right] = [await open(), await open()];
			const [things] = [await thingsOf(left), await thingsOf(right)];
			let added = 0;
			for (let round = 0; round < 30; round++) {
				const owner = `owner${round}`;
				await things.insert({ _id: owner });
				const outcomes = await Promise.all([
					...[1, 2].map((n) =>
						left.batch([{ kind: 'require', collection: 'things', id: owner }, put('things', { _id: `${owner} ${n}`, owner })]),
					),
					right.batch([
						{ kind: 'removeWhere', collection: 'things', filter: { owner } },
						{ kind: 'remove', collection: 'things', id: owner },
					]),
				]);
				added += outcomes.slice(0, 2).filter(({ ok }) => ok).length;
				expect(outcomes[2]).to.deep.equal({ ok: true });
				expect(await things.count({ owner }), `round ${round}`).to.equal(0);
			}
			expect(added, 'requirements that held').to.be.greaterThan(0);
		});

		it('apply batches that overlap, in whatever order their steps are', async () => {
			const stores = [await open(), await open()];
			for (const store of stores) await thingsOf(store);
			const things = await thingsOf(await open());
			for (const _id of ['a', 'b']) await things.insert({ _id, n: 0 });
			const step = (id: string): Step => ({ kind: 'update', collection: 'things', id, update: { $inc: { n: 1 } } });
			const outcomes = await Promise.all(
				Array.from({ length: 40 }, (_, n) => stores[n % 2]?.batch(n % 2 === 0 ? [step('a'), step('b')] : [step('b'), step('a')])),
			);
			expect(outcomes).to.deep.equal(Array(40).fill({ ok: true }));
			expect([await things.get('a'), await things.get('b')]).to.deep.equal([
				{ _id: 'a', n: 40 },
				{ _id: 'b', n: 40 },
			]);
		});

		it('give each document to one that asks for the next', async () => {
			const all = await Promise.all([await open(), await open()].map(thingsOf));
			for (let n = 0; n < 20; n++) await all[0]?.insert({ _id: `${n}`, owner: 'new', n });
			const claims = Array.from({ length: 30 }, (_, n) =>
				all[n % 2]?.findOneAndUpdate({ owner: 'new' }, { $set: { owner: 'old' } }, { sort: [['n', 1]] }),
			);
			const ids = (await Promise.all(claims)).flatMap((found) => (found ? [found._id] : []));
			expect([ids.length, new Set(ids).size]).to.deep.equal([20, 20]);
		});

		it('tell each other what they change, but not what they only required', async () => {
			const [left, right] = [await open(), await open()];
			const seen: string[] = [];
			let gaps = 0;
			const [mine, theirs] = [await thingsOf(left), await thingsOf(right)];
			const end = mine.watch(
				(changes) => seen.push(...changes.map(({ kind, id }) => `${kind} ${id}`)),
				() => gaps++,
			);
			await eventually(
				'the stream has begun',
				() => gaps,
				(count) => count === 1,
			);
			await theirs.insert({ _id: 'a' });
			await right.batch([{ kind: 'require', collection: 'things', id: 'a' }, put('things', { _id: 'b' })]);
			await eventually(
				'the other is heard',
				() => seen,
				(heard) => heard.includes('inserted b'),
			);
			expect(seen).to.deep.equal(['inserted a', 'inserted b']);
			expect(await theirs.get('a')).to.deep.equal({ _id: 'a' });
			end();
		});
	});

	it('waits for no answer on a connection that was lost, and is not known to be yet', async () => {
		const store = await open();
		const things = await thingsOf(store);
		await things.insert({ _id: 'a', n: 0 });
		for (let round = 1; round <= 5; round++) {
			await Promise.all(Array.from({ length: 10 }, () => things.get('a')));
			for (const socket of socketsTo(new URL(database().url).port)) socket.destroy();
			const writes = Array.from({ length: 10 }, () => things.findOneAndUpdate({ _id: 'a' }, { $inc: { n: 1 } }));
			for (const outcome of await within('all are settled', Promise.allSettled(writes)))
				if (outcome.status === 'rejected') expect(outcome.reason).to.be.instanceOf(StoreError);
		}
	});

	describe('a database that goes away', () => {
		let server: TestMongoDb;
		beforeEach(async () => {
			server = await startTestMongoDb();
		});
		afterEach(async () => {
			await closeAll();
			await server.stop();
		});

		it('loses nothing that was acknowledged when it is killed, and goes on by itself, telling listeners of the gap', async () => {
			const faults: string[] = [];
			const store = await open({ url: server.url, onFault: ({ message }) => faults.push(message) });
			const things = await thingsOf(store);
			const heard = new Set<string>();
			let gaps = 0;
			const end = things.watch(
				(changes) => {
					for (const { id } of changes) heard.add(id);
				},
				() => gaps++,
			);
			await eventually(
				'the stream has begun',
				() => gaps,
				(count) => count === 1,
			);
			const acknowledged: string[] = [];
			const failures: unknown[] = [];
			let writing = true;
			const writers = [1, 2, 3, 4].map(async (writer) => {
				for (let n = 0; writing; n++) {
					const [_id, other] = [`${writer}-${n}`, `${writer}-${n}+`];
					const outcome = await store
						.batch([put('things', { _id }), put('things', { _id: other })])
						.catch((error: unknown) => error);
					if (outcome instanceof Error) failures.push(outcome);
					else acknowledged.push(_id, other);
				}
			});
			await eventually(
				'some are written',
				() => acknowledged.length,
				(count) => count > 50,
			);
			await server.restart();
			const before = acknowledged.length;
			await eventually(
				'writes go on',
				() => acknowledged.length,
				(count) => count > before + 50,
				30_000,
			);
			writing = false;
			await Promise.all(writers);
			const stored = new Set((await things.find({ filter: {} })).map(({ _id }) => _id));
			expect(acknowledged.filter((id) => !stored.has(id))).to.deep.equal([]);
			expect(
				[...stored].filter((id) => stored.has(`${id}+`) !== !id.endsWith('+')),
				'halves of batches',
			).to.deep.equal([]);
			for (const failure of failures) expect(failure).to.be.instanceOf(StoreError);
			await eventually(
				'the gap is told',
				() => gaps,
				(count) => count > 1,
				30_000,
			);
			await things.insert({ _id: 'afterwards' });
			await eventually(
				'changes are heard again',
				() => heard.has('afterwards'),
				(isHeard) => isHeard,
			);
			expect(faults.filter((fault) => fault.includes('the stream of changes broke off'))).to.have.length.greaterThan(0);
			end();
		});

		it('says that it does not answer while it stands still, and is there again afterwards', async () => {
			const store = await open({ url: server.url, socketTimeoutMilliseconds: 500, serverSelectionTimeoutMilliseconds: 500 });
			const things = await thingsOf(store);
			await things.insert({ _id: 'before' });
			server.pause();
			expect(await refusal(things.get('before'))).to.match(/the database did not answer within 500 ms/);
			expect(await refusal(store.ping())).to.match(/the database did not answer/);
			expect(await refusal(things.insert({ _id: 'meanwhile' }))).to.match(/the database did not answer/);
			server.resume();
			await eventually(
				'it answers',
				() =>
					store.ping().then(
						() => true,
						() => false,
					),
				(isThere) => isThere,
				30_000,
			);
			await things.insert({ _id: 'after' });
			expect(await things.get('before')).to.deep.equal({ _id: 'before' });
		});
	});
}

/** What this process has open to a port. */
function socketsTo(port: string): Socket[] {
	// Node.js tells of open handles to those who look for leaks; there is nothing else that tells.
	const handles: unknown[] = Reflect.get(process, '_getActiveHandles').call(process);
	return handles.filter((handle): handle is Socket => handle instanceof Socket && String(handle.remotePort) === port);
}
