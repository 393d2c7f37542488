import { expect } from 'chai';
import type { Collection, Query, Step } from '../../../store/index.ts';
import { type AnyDocument, type Bench, idsOf } from '../engine.ts';

/** Sorting, paging, counting, and reading much. */
export function queryCases(bench: Bench): void {
	const { it, store, collection } = bench;
	describe('queries', () => {
		const people: readonly AnyDocument[] = [
			{ _id: '1', name: 'b', age: 3, city: 'x' },
			{ _id: '2', name: 'a', age: 3, city: 'y' },
			{ _id: '3', name: 'c', age: 1, city: 'x' },
			{ _id: '4', name: 'B', city: 'x' },
			{ _id: '5', name: 'ä', age: 20, city: 'y' },
			{ _id: '6', age: 10, city: 'x', o: { n: 2 } },
		];
		const sorts: [query: Omit<Query, 'filter'>, ids: string[]][] = [
			[{ sort: [['_id', 1]] }, ['1', '2', '3', '4', '5', '6']],
			[{ sort: [['_id', -1]], limit: 2 }, ['6', '5']],
			[{ sort: [['name', 1]] }, ['6', '4', '2', '1', '3', '5']],
			[{ sort: [['age', 1], ['name', -1]] }, ['4', '3', '1', '2', '6', '5']],
			[{ sort: [['age', -1], ['name', 1]] }, ['5', '6', '2', '1', '3', '4']],
			[{ sort: [['city', 1], ['_id', -1]], skip: 1, limit: 4 }, ['4', '3', '1', '5']],
			[{ sort: [['o.n', -1], ['_id', 1]], limit: 2 }, ['6', '1']],
			[{ sort: [['_id', 1]], skip: 100 }, []],
			[{ sort: [['_id', 1]], limit: 0 }, []],
		]; // biome-ignore format: one line a row
		it('finds by a sparse index those that have its field, while they have it', async () => {
			const indexes = [
				{ name: 'place', keys: ['city', 'place'], sparse: 'place' },
				{ name: 'waiting', keys: ['waiting', 'age'], sparse: 'waiting' },
				{ name: 'city', keys: ['city', 'age'] },
			];
			const things = await collection<AnyDocument>({ indexes });
			const write = (...steps: Step[]) => store().batch(steps);
			const put = (document: AnyDocument): Step => ({ kind: 'put', collection: things.name, document });
			const found = async () => {
				const placed = { filter: { city: 'x', place: { $gte: 0 } }, sort: [['place', 1]] as const, limit: 9 };
				const waiting = { filter: { waiting: true }, sort: [['age', 1]] as const };
				const all = { filter: { city: 'x' }, sort: [['age', 1]] as const };
				const ids = (documents: readonly AnyDocument[]) => documents.map(({ _id }) => _id).join('');
				return [
					ids(await things.find({ ...placed, hint: 'place' })),
					ids(await things.find(placed)),
					ids(await things.find({ ...waiting, hint: 'waiting' })),
					ids(await things.find(all)),
					await things.count({ waiting: true }),
				];
			};
			await write(...['c', 'b', 'a'].map((_id, n) => put({ _id, city: 'x', age: n, waiting: true })));
			expect(await found()).to.deep.equal(['', '', 'cba', 'cba', 3]);
			// By a put that changes nothing else, by one that does, and by an update.
			await write(put({ _id: 'a', city: 'x', age: 2, place: 2 }), put({ _id: 'b', city: 'x', age: 5, place: 3 }));
			expect(await found()).to.deep.equal(['ab', 'ab', 'c', 'cab', 1]);
			await write({ kind: 'update', collection: things.name, id: 'c', update: { $set: { place: 1 }, $unset: ['waiting'] } });
			expect(await found()).to.deep.equal(['cab', 'cab', '', 'cab', 0]);
			await write(put({ _id: 'a', city: 'x', age: 2, waiting: true }), { kind: 'remove', collection: things.name, id: 'b' });
			expect(await found()).to.deep.equal(['c', 'c', 'a', 'ca', 1]);
		});

		for (const indexes of [
			[],
			[
				{ name: 'age', keys: ['age', 'name'] },
				{ name: 'city', keys: ['city'] },
				{ name: 'name', keys: ['name'] },
			],
		]) {
			const what = indexes.length > 0 ? 'indexed' : 'not indexed';
			let things: Collection<AnyDocument>;
			before(async () => {
				things = await collection<AnyDocument>({ indexes });
				await store().batch(people.map((document) => ({ kind: 'put', collection: things.name, document })));
			});
			for (const [query, ids] of sorts) {
				it(`finds ${JSON.stringify(query)} in order (${what})`, async () => {
					const found = await things.find({ filter: {}, ...query });
					expect(found.map(({ _id }) => _id)).to.deep.equal(ids);
				});
			}

			it(`finds values (${what})`, async () => {
				const sort = [['_id', 1]] as const;
				const query: Query = { filter: { city: 'x', _id: { $gt: '1' } }, sort, limit: 3 };
				expect(await things.findValues(['_id', 'name', 'age', 'o.n', 'o'], query)).to.deep.equal([
					['3', 'c', 1, null, null],
					['4', 'B', null, null, null],
					['6', null, 10, 2, null],
				]);
				expect(await things.findValues(['age'], { ...query, skip: 1 })).to.deep.equal([[null], [10]]);
				expect(await things.findValues(['name'], { filter: { city: 'never' } })).to.deep.equal([]);
				expect(await things.findValues(['name'], { filter: {}, limit: 0 })).to.deep.equal([]);
				const nothing = await things.findValues([], { filter: {} }).catch((error: unknown) => error);
				expect(nothing).to.be.instanceOf(TypeError);
			});

			it(`counts groups (${what})`, async () => {
				const groups = await things.groupCount(['city', 'age'], { _id: { $lt: '5' } });
				expect(groups).to.have.deep.members([
					{ key: ['x', 3], count: 1 },
					{ key: ['y', 3], count: 1 },
					{ key: ['x', 1], count: 1 },
					{ key: ['x', null], count: 1 },
				]);
				expect(await things.groupCount(['city'], {})).to.have.deep.members([
					{ key: ['x'], count: 4 },
					{ key: ['y'], count: 2 },
				]);
				expect(await things.groupCount(['city'], { city: 'never' })).to.deep.equal([]);
			});
		}

		it('finds values of all scalars', async () => {
			for (const indexes of [[], [{ name: 'v', keys: ['v', '_id'] }]]) {
				const things = await collection<AnyDocument>({ indexes });
				const values = ['a', 'x\u0000\u0001', 1, 0.5, true, false, null];
				await store().batch(
					values.map((v, n) => ({ kind: 'put', collection: things.name, document: { _id: `\u0001${n}`, v } as AnyDocument })),
				);
				const found = await things.findValues(['v', '_id'], { filter: {}, sort: [['_id', 1]] });
				expect(found).to.deep.equal(values.map((v, n) => [v, `\u0001${n}`]));
			}
		});

		it('counts groups of all scalars', async () => {
			for (const indexes of [[], [{ name: 'v', keys: ['v'] }]]) {
				const things = await collection<AnyDocument>({ indexes });
				const values = ['a', 'a', 'x\u0000', 1, 1, 0.5, true, true, false, null];
				await store().batch(
					values.map((v, n) => ({ kind: 'put', collection: things.name, document: { _id: `${n}`, v } as AnyDocument })),
				);
				expect(await things.groupCount(['v'], {})).to.have.deep.members([
					{ key: ['a'], count: 2 },
					{ key: ['x\u0000'], count: 1 },
					{ key: [1], count: 2 },
					{ key: [0.5], count: 1 },
					{ key: [true], count: 2 },
					{ key: [false], count: 1 },
					{ key: [null], count: 1 },
				]);
			}
		});

		const pages: [what: string, query: Query][] = [
			['a negative limit', { filter: {}, limit: -1 }],
			['half a document', { filter: {}, limit: 0.5 }],
			['a negative skip', { filter: {}, skip: -1 }],
		];
		for (const [what, query] of pages) {
			it(`refuses ${what}`, async () => {
				const things = await collection();
				expect(await things.find(query).catch((error: unknown) => error)).to.be.instanceOf(Error);
			});
		}

		it('answers the same by whatever index it is told to read', async () => {
			const things = await collection<AnyDocument>({
				indexes: [
					{ name: 'age', keys: ['age', 'name'] },
					{ name: 'city', keys: ['city', 'age'] },
					{ name: 'tags', keys: ['city', 'tags'], multikey: 'tags' },
				],
			});
			const tagged = people.map((document): AnyDocument => ({ ...document, tags: ['all', document._id] }));
			await store().batch(tagged.map((document) => ({ kind: 'put', collection: things.name, document })));
			const queries: Query[] = [
				{ filter: { city: 'x', age: 3 }, sort: [['_id', 1]] },
				{ filter: { city: 'x', age: { $gte: 1 }, $and: [{ tags: 'all' }] }, sort: [['age', -1], ['_id', 1]], limit: 2 },
				{ filter: { city: 'x', tags: 'all', $nor: [{ name: 'b' }] }, sort: [['name', 1]], skip: 1 },
			]; // biome-ignore format: one line a row
			for (const query of queries) {
				const expected = await things.find(query);
				const total = await things.count(query.filter);
				expect(expected).not.to.deep.equal([]);
				for (const hint of ['age', 'city', ...('tags' in query.filter ? ['tags'] : [])]) {
					expect(await things.find({ ...query, hint }), `${JSON.stringify(query)} by ${hint}`).to.deep.equal(expected);
					expect(await things.count(query.filter, hint)).to.equal(total);
				}
			}
		});

		it('scans more than a page in the order of ids, each once', async () => {
			const things = await collection<AnyDocument>({ indexes: [{ name: 'odd', keys: ['odd'] }] });
			const ids = Array.from({ length: 4321 }, (_, n) => `d${String(n).padStart(5, '0')}`);
			await store().batch(
				ids.map((_id, n) => ({ kind: 'put', collection: things.name, document: { _id, odd: n % 2 } as AnyDocument })),
			);
			expect(await scanned(things, {})).to.deep.equal(ids);
			expect(await scanned(things, { odd: 1 })).to.deep.equal(ids.filter((_, n) => n % 2 === 1));
			expect(await scanned(things, { _id: { $gte: 'd01000', $lt: 'd03001' } })).to.deep.equal(ids.slice(1000, 3001));
			expect(await scanned(things, { odd: 7 })).to.deep.equal([]);
		});

		it('reads what was just written', async () => {
			const things = await collection();
			for (let n = 0; n < 50; n++) {
				await things.insert({ _id: `${n}` });
				expect(await things.count({})).to.equal(n + 1);
			}
		});

		it('finds documents by new elements after an update, and no longer by old ones', async () => {
			const things = await collection<AnyDocument>({ indexes: [{ name: 'tags', keys: ['o', 'tags'], multikey: 'tags' }] });
			await things.insert({ _id: 'a', o: 1, tags: ['x', 'y'] });
			await store().batch([{ kind: 'update', collection: things.name, id: 'a', update: { $set: { tags: ['y', 'z'] } } }]);
			await store().batch([{ kind: 'put', collection: things.name, document: { _id: 'b', o: 1, tags: ['z'] } as AnyDocument }]);
			await store().batch([{ kind: 'put', collection: things.name, document: { _id: 'b', o: 2, tags: ['z'] } as AnyDocument }]);
			const idsWith = (o: number, tags: string) => idsOf(things.find({ filter: { o, tags } }));
			expect([await idsWith(1, 'x'), await idsWith(1, 'y'), await idsWith(1, 'z'), await idsWith(2, 'z')]).to.deep.equal([
				[],
				['a'],
				['a'],
				['b'],
			]);
			await store().batch([{ kind: 'remove', collection: things.name, id: 'a' }]);
			expect(await idsWith(1, 'z')).to.deep.equal([]);
		});

		describe('findOneAndUpdate', () => {
			it('changes the first in order and answers with the document as it is afterwards', async () => {
				const things = await collection<AnyDocument>({ indexes: [{ name: 's', keys: ['s', 'n'] }] });
				for (const n of [3, 1, 2]) await things.insert({ _id: `${n}`, s: 'new', n });
				const claim = () => things.findOneAndUpdate({ s: 'new' }, { $set: { s: 'old' } }, { sort: [['n', 1]] });
				expect(await claim()).to.deep.equal({ _id: '1', s: 'old', n: 1 });
				expect(await Promise.all([claim(), claim(), claim()])).to.deep.equal([
					{ _id: '2', s: 'old', n: 2 },
					{ _id: '3', s: 'old', n: 3 },
					undefined,
				]);
			});
		});
	});
}

async function scanned(things: Collection<AnyDocument>, filter: Query['filter']): Promise<string[]> {
	const ids: string[] = [];
	for await (const { _id } of things.scan(filter)) ids.push(_id);
	return ids;
}
