import { expect } from 'chai';
import { type Change, type Collection, type DocumentStore, StoreError } from '../../../store/index.ts';
import { type AnyDocument, type Bench, freshName } from '../engine.ts';

/** Watching, expiring, opening and closing. */
export function lifeCases(bench: Bench): void {
	const { it, engine, store, collection } = bench;
	describe('life', () => {
		it('tells a watcher what has changed, and no longer when it has ended', async () => {
			const things = await collection<AnyDocument>();
			await things.insert({ _id: 'before' });
			const seen: Change<AnyDocument>[] = [];
			const end = watchInto(things, seen);
			await whenWatching(things, store(), seen);
			const { name } = things;
			await things.insert({ _id: 'a', n: 1 });
			await store().batch([{ kind: 'update', collection: name, id: 'a', update: { $inc: { n: 1 } } }]);
			await store().batch([{ kind: 'put', collection: name, document: { _id: 'a', n: 2 } as AnyDocument }]);
			await store().batch([
				{ kind: 'put', collection: name, document: { _id: 'never' } },
				{ kind: 'require', collection: name, id: 'nobody' },
			]);
			await store().batch([{ kind: 'put', collection: name, document: { _id: 'a', n: 3 } as AnyDocument }]);
			await store().batch([{ kind: 'remove', collection: name, id: 'a' }]);
			await until(() => seen.some(({ kind }) => kind === 'removed'));
			expect(seen).to.deep.equal([
				{ kind: 'inserted', id: 'a', document: { _id: 'a', n: 1 } },
				{ kind: 'updated', id: 'a', document: { _id: 'a', n: 2 } },
				{ kind: 'updated', id: 'a', document: { _id: 'a', n: 3 } },
				{ kind: 'removed', id: 'a' },
			]);
			const second: Change<AnyDocument>[] = [];
			const endSecond = watchInto(things, second);
			await whenWatching(things, store(), second);
			end();
			const before = seen.length;
			await things.insert({ _id: 'after' });
			await until(() => second.some(({ id }) => id === 'after'));
			expect(seen.slice(before)).to.deep.equal([]);
			endSecond();
		});

		it('goes on telling all watchers when one of them fails', async () => {
			const things = await collection<AnyDocument>();
			const failing: Change<AnyDocument>[] = [];
			const ends = [
				things.watch((changes) => {
					failing.push(...changes);
					throw new Error('a listener throws');
				}),
			];
			const seen: Change<AnyDocument>[] = [];
			ends.push(watchInto(things, seen));
			await whenWatching(things, store(), seen);
			for (const _id of ['x', 'y']) await things.insert({ _id });
			await until(() => [seen, failing].every((changes) => changes.some(({ id }) => id === 'y')));
			expect(seen.map(({ id }) => id)).to.deep.equal(['x', 'y']);
			for (const end of ends) end();
		});

		it('tells a watcher nothing of other collections', async () => {
			const [left, right] = [await collection<AnyDocument>(), await collection<AnyDocument>()];
			const seen: Change<AnyDocument>[] = [];
			const end = watchInto(left, seen);
			await whenWatching(left, store(), seen);
			await right.insert({ _id: 'right' });
			await left.insert({ _id: 'left' });
			await until(() => seen.length > 0);
			expect(seen.map(({ id }) => id)).to.deep.equal(['left']);
			end();
		});

		it('removes what has expired and nothing else', async function (this: void) {
			const things = await collection<AnyDocument>({ indexes: [], expire: { field: 'at', afterSeconds: 60 } });
			await store().batch(
				[{ _id: 'old', at: 1 }, { _id: 'new', at: 4102444800000 }, { _id: 'without' }, { _id: 'text', at: '1970' }].map(
					(document) => ({
						kind: 'put',
						collection: things.name,
						document,
					}),
				),
			);
			await engine.expire?.(store());
			await until(async () => (await things.get('old')) === undefined);
			expect((await things.find({ filter: {}, sort: [['_id', 1]] })).map(({ _id }) => _id)).to.deep.equal([
				'new',
				'text',
				'without',
			]);
		});

		it('opens a collection twice as one', async () => {
			const name = freshName();
			const [first, second] = await Promise.all([
				store().collection({ name, indexes: [] }),
				store().collection({ name, indexes: [] }),
			]);
			await first.insert({ _id: 'a' });
			expect(await second.get('a')).to.deep.equal({ _id: 'a' });
		});

		const names = ['', 'a b', 'a"b', 'a;', 'a1', 'ä'];
		for (const name of names) {
			it(`refuses the collection name ${JSON.stringify(name)}`, async () => {
				expect(
					await store()
						.collection({ name, indexes: [] })
						.catch((error: unknown) => error),
				).to.be.instanceOf(Error);
			});
		}

		it('answers a ping, and counts what it commits', async () => {
			await store().ping();
			const before = await store().statistics();
			const things = await collection();
			await Promise.all(Array.from({ length: 10 }, (_, n) => things.insert({ _id: `${n}` })));
			const after = await store().statistics();
			expect(after.committedBatches - before.committedBatches).to.equal(10);
			expect(after.commits).to.be.greaterThan(before.commits);
			expect(after.waitingBatches).to.equal(0);
		});

		it('resolves writes that were under way together in the order of the calls', async () => {
			const things = await collection();
			const order: number[] = [];
			const numbers = Array.from({ length: 100 }, (_, n) => n);
			await Promise.all(numbers.map((n) => things.insert({ _id: `${n}` }).then(() => order.push(n))));
			expect(order).to.deep.equal(numbers);
		});

		it('finishes what was accepted when it is closed, and refuses the rest', async () => {
			const closing = await engine.open();
			const things = await closing.collection({ name: freshName(), indexes: [] });
			const accepted = Array.from({ length: 200 }, (_, n) => things.insert({ _id: `${n}` }));
			const counted = things.count({});
			const closed = closing.close();
			expect(await Promise.allSettled(accepted)).to.satisfy((all: PromiseSettledResult<void>[]) =>
				all.every(({ status }) => status === 'fulfilled'),
			);
			expect(await counted).to.be.a('number');
			await closed;
			await closing.close();
			expect(await Promise.race([closing.failed, new Promise((resolve) => setImmediate(resolve))])).to.equal(undefined);
			const refused = [
				things.get('1'),
				things.find({ filter: {} }),
				things.insert({ _id: 'x' }),
				closing.batch([]),
				closing.ping(),
			];
			for (const { reason } of (await Promise.allSettled<unknown>(refused)) as PromiseRejectedResult[])
				expect(reason).to.be.instanceOf(StoreError);
			expect(await closing.collection({ name: freshName(), indexes: [] }).catch((error: unknown) => error)).to.be.instanceOf(
				StoreError,
			);
		});
	});
}

function watchInto(things: Collection<AnyDocument>, seen: Change<AnyDocument>[]): () => void {
	return things.watch((changes) => {
		seen.push(...changes);
	});
}

/** A change stream takes its time to begin: writes until the watcher sees one, and forgets what it saw. */
async function whenWatching(things: Collection<AnyDocument>, store: DocumentStore, seen: Change<AnyDocument>[]): Promise<void> {
	let last = '';
	await until(async () => {
		last = freshName();
		await things.insert({ _id: last });
		return seen.length > 0;
	});
	await until(() => seen.some(({ id }) => id === last));
	await store.batch([{ kind: 'removeWhere', collection: things.name, filter: { _id: { $gte: 'c', $lt: 'd' } } }]);
	await until(() => seen.some(({ id, kind }) => id === last && kind === 'removed'));
	seen.length = 0;
}

async function until(isDone: () => boolean | Promise<boolean>): Promise<void> {
	while (!(await isDone())) await new Promise((resolve) => setImmediate(resolve));
}
