import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type CollectionSpec, type IndexSpec, type Query, StoreError } from '../../store/index.ts';
import { openConnection } from '../../store/sqlite/connection.ts';
import { openSqliteStore, type SqliteStore } from '../../store/sqlite/index.ts';
import { layOut } from '../../store/sqlite/layout.ts';
import { valuesSql } from '../../store/sqlite/query-sql.ts';
import { openCollectionTables, openSchema } from '../../store/sqlite/schema.ts';
import { toBinding } from '../../store/sqlite/values.ts';
import { type AnyDocument, idsOf } from './engine.ts';

const indexes: readonly IndexSpec[] = [
	{ name: 'status', keys: ['tenant', 'status', 'created'] },
	{ name: 'device', keys: ['tenant', 'deviceId', '_id'] },
	{ name: 'name', keys: ['name'], unique: true },
	{ name: 'tags', keys: ['tenant', 'tags', 'created'], multikey: 'tags' },
	{ name: 'nested', keys: ['owner.id'] },
	{ name: 'place', keys: ['tenant', 'place'], sparse: 'place' },
];

describe('store/sqlite indexes', () => {
	let directory: string;
	const opened: SqliteStore[] = [];

	beforeEach(async () => {
		directory = await mkdtemp(join(tmpdir(), 'store-indexes-'));
	});
	afterEach(async () => {
		await Promise.all(opened.splice(0).map((store) => store.close()));
		await rm(directory, { recursive: true, force: true });
	});

	async function open(where = directory): Promise<SqliteStore> {
		const store = await openSqliteStore({ directory: where, now: Date.now });
		opened.push(store);
		return store;
	}

	async function reopen(store: SqliteStore, spec: CollectionSpec<AnyDocument>) {
		await store.close();
		const next = await open();
		return { store: next, things: await next.collection<AnyDocument>(spec) };
	}

	const plans: [what: string, query: Query, plan: RegExp][] = [
		['an id', { filter: { _id: 'a' } }, /^SEARCH m USING PRIMARY KEY \(id=\?\)$/],
		['a range of ids in order', { filter: { _id: { $gte: 'a', $lt: 'b' } }, sort: [['_id', 1]], limit: 100 }, /^SEARCH m USING PRIMARY KEY \(id>\? AND id<\?\)$/],
		['a range of ids backwards', { filter: { _id: { $lt: 'b' } }, sort: [['_id', -1]] }, /^SEARCH m USING PRIMARY KEY \(id>\? AND id<\?\)$/],
		['a prefix of ids', { filter: { _id: { $wildcard: 'a*' } } }, /^SEARCH m USING PRIMARY KEY \(id>\? AND id<\?\)$/],
		['a compound key in order', { filter: { tenant: 't', status: 'PENDING' }, sort: [['created', 1]], limit: 1 }, /^SEARCH m USING INDEX i:things:status \(f:tenant=\? AND f:status=\?\)$/],
		['a compound key backwards', { filter: { tenant: 't', status: 'PENDING' }, sort: [['created', -1]] }, /^SEARCH m USING INDEX i:things:status \(f:tenant=\? AND f:status=\?\)$/],
		['a compound key and a range', { filter: { tenant: 't', status: 'x', created: { $gte: 5 } } }, /^SEARCH m USING INDEX i:things:status \(f:tenant=\? AND f:status=\? AND f:created>\? AND f:created<\?\)$/],
		['one of several', { filter: { tenant: 't', status: { $in: ['a', 'b', 'c'] } } }, /^SEARCH m USING INDEX i:things:status \(f:tenant=\? AND f:status=\?\)$/],
		['null', { filter: { tenant: 't', status: null } }, /^SEARCH m USING INDEX i:things:status \(f:tenant=\? AND f:status=\?\)$/],
		['true', { filter: { tenant: true } }, /^SEARCH m USING INDEX i:things:(status|device) \(f:tenant=\?\)$/],
		['a missing field', { filter: { tenant: 't', status: { $exists: false } } }, /^SEARCH m USING INDEX i:things:status \(f:tenant=\? AND f:status=\?\)$/],
		['a device\'s documents by id', { filter: { tenant: 't', deviceId: 'd', _id: { $gt: 'x' } }, sort: [['_id', 1]] }, /^SEARCH m USING INDEX i:things:device \(f:tenant=\? AND f:deviceId=\? AND id>\?/],
		['a unique key', { filter: { name: 'n' } }, /^SEARCH m USING INDEX i:things:name \(f:name=\?\)$/],
		['a prefix', { filter: { name: { $wildcard: 'abc*' } } }, /^SEARCH m USING INDEX i:things:name \(f:name>\? AND f:name<\?\)$/],
		['a nested field', { filter: { 'owner.id': 7 } }, /^SEARCH m USING INDEX i:things:nested \(f:owner.id=\?\)$/],
		['a range of a sparse key in order', { filter: { tenant: 't', place: { $gte: 5 } }, sort: [['place', 1]], limit: 5 }, /^SEARCH m USING INDEX i:things:place \(f:tenant=\? AND f:place>\? AND f:place<\?\)$/],
		['a sparse key', { filter: { tenant: 't', place: 'p' } }, /^SEARCH m USING INDEX i:things:place \(f:tenant=\? AND f:place=\?\)$/],
		['an element of a list', { filter: { tenant: 't', tags: 'x' } }, /^SEARCH s USING PRIMARY KEY \(k0=\? AND k1=\?\)\nSEARCH m USING PRIMARY KEY \(id=\?\)$/],
		['an element of a list, in order', { filter: { tenant: 't', tags: 'x', created: { $lt: 9 } }, sort: [['created', -1]] }, /^SEARCH s USING PRIMARY KEY \(k0=\? AND k1=\? AND k2>\? AND k2<\?\)\nSEARCH m USING PRIMARY KEY \(id=\?\)$/],
		['an indexed field and others', { filter: { name: 'n', other: 5, 'deep.er': { $exists: true } } }, /^SEARCH m USING INDEX i:things:name \(f:name=\?\)/],
	]; // biome-ignore format: one line a row
	for (const [what, query, plan] of plans) {
		it(`answers ${what} from an index, without sorting`, async () => {
			const store = await open(':memory:');
			await store.collection({ name: 'things', indexes });
			const steps = await store.explain('things', query);
			expect(steps.join('\n')).to.match(plan);
			expect(steps.join('\n')).to.not.match(/SCAN m|SCAN s|TEMP B-TREE/);
		});
	}

	it('sees what is written after plans were asked for', async () => {
		const store = await open();
		const things = await store.collection<AnyDocument>({ name: 'things', indexes });
		const filters = [{}, { name: 'a' }, { tags: 'x' }, { other: 1 }];
		let written = 0;
		for (const filter of [...filters, ...filters]) {
			await store.explain('things', { filter });
			await things.insert({ _id: `${written}`, name: `${written}` });
			written++;
			expect(await things.count({}), JSON.stringify(filter)).to.equal(written);
		}
	});

	it('keeps documents and indexes over a restart', async () => {
		const before = await open();
		const spec = { name: 'things', indexes };
		await (await before.collection<AnyDocument>(spec)).insert({ _id: 'a', tenant: 't', name: 'n', tags: ['x', 'y'] });
		const { things } = await reopen(before, spec);
		expect(await idsOf(things.find({ filter: { tenant: 't', tags: 'y' } }))).to.deep.equal(['a']);
		expect(await things.insert({ _id: 'b', name: 'n' }).catch((error: unknown) => error)).to.have.property(
			'name',
			'DuplicateKeyError',
		);
	});

	it('fills an added index from the documents that are there', async () => {
		const before = await open();
		await before.collection({ name: 'things', indexes: [] });
		const documents = Array.from({ length: 1700 }, (_, n) => ({
			_id: `d${n}`,
			n: n % 10,
			ok: n % 2 === 0,
			tags: [`t${n % 3}`, 'all'],
		}));
		await before.batch(documents.map((document) => ({ kind: 'put', collection: 'things', document })));
		const added: IndexSpec[] = [
			{ name: 'n', keys: ['ok', 'n'] },
			{ name: 'tags', keys: ['tags', 'n'], multikey: 'tags' },
		];
		const { store, things } = await reopen(before, { name: 'things', indexes: added });
		expect(await things.count({ ok: true, n: 4 })).to.equal(170);
		expect(await things.count({ ok: false, n: 4 })).to.equal(0);
		expect(await things.count({ tags: 't1' })).to.equal(567);
		expect(await things.count({ tags: 'all', n: 3 })).to.equal(170);
		expect((await store.explain('things', { filter: { ok: true, n: 4 } })).join()).to.include('i:things:n');
	});

	it('makes an index sparse that was whole, and whole again', async () => {
		const spec = (sparse?: 'place'): CollectionSpec<AnyDocument> => ({
			name: 'things',
			indexes: [{ name: 'place', keys: ['place', 'n'], ...(sparse && { sparse }) }],
		});
		const entries = (): unknown => {
			const connection = openConnection(join(directory, 'store.db'), { readOnly: true });
			const whole = connection.prepare(`SELECT sql LIKE '%NOT NULL' FROM sqlite_master WHERE name = 'i:things:place'`).get([]);
			connection.close();
			return whole?.[0];
		};
		let store = await open();
		let things = await store.collection<AnyDocument>(spec());
		await things.insert({ _id: 'a', place: 1 });
		await things.insert({ _id: 'b' });
		for (const sparse of ['place', undefined, 'place'] as const) {
			({ store, things } = await reopen(store, spec(sparse)));
			expect(entries()).to.equal(sparse ? 1 : 0);
			expect(await idsOf(things.find({ filter: { place: { $gte: 0 } }, hint: 'place' }))).to.deep.equal(['a']);
			expect(await idsOf(things.find({ filter: {} }))).to.deep.equal(['a', 'b']);
		}
	});

	it('goes on filling where it was interrupted, and knows when another layout came in between', async () => {
		const count = 25_000;
		const added: IndexSpec[] = [
			{ name: 'n', keys: ['n', '_id'] },
			{ name: 'tags', keys: ['tags', 'n'], multikey: 'tags' },
		];
		const filled: number[] = [];
		const interrupted = () => {
			throw new Error('interrupted');
		};
		const connection = openConnection(':memory:');
		const openTables = (indexes: readonly IndexSpec[], onFilled?: (collection: string, documents: number) => void) =>
			openCollectionTables(connection, layOut({ name: 'things', indexes }), onFilled);
		openSchema(connection);
		openTables([]);
		connection.transaction(() => {
			for (let n = 0; n < count; n++)
				connection
					.prepare(`INSERT INTO "c:things" (id, doc) VALUES (?, ?)`)
					.run([`d${n}`, `{"n":${n % 10},"tags":["t${n % 3}"]}`]);
		});
		const counts = () => [
			connection.prepare('SELECT count(*) FROM "c:things" WHERE "f:n" = 4').get([])?.[0],
			connection.prepare('SELECT count(*) FROM "s:things:tags"').get([])?.[0],
		];
		expect(() => openTables(added, interrupted)).to.throw('interrupted');
		expect(counts()).to.deep.equal([1000, 10_000]);
		openTables(added, (_, documents) => filled.push(documents));
		expect(filled).to.deep.equal([20_000, count]);
		expect(counts()).to.deep.equal([2500, count]);

		// Whoever knows only other indexes begins anew, and so does who comes back.
		openTables([]);
		expect(() => openTables(added, interrupted)).to.throw('interrupted');
		openTables([]);
		filled.length = 0;
		openTables(added, (_, documents) => filled.push(documents));
		expect(filled).to.deep.equal([10_000, 20_000, count]);
		expect(counts()).to.deep.equal([2500, count]);

		// A further index while one is half filled: both are filled from the beginning.
		openTables([]);
		expect(() => openTables(added, interrupted)).to.throw('interrupted');
		const more: IndexSpec[] = [...added, { name: 'm', keys: ['m'] }];
		filled.length = 0;
		openTables(more, (_, documents) => filled.push(documents));
		expect(filled).to.deep.equal([10_000, 20_000, count]);
		expect(counts()).to.deep.equal([2500, count]);
		connection.close();
	});

	it('leaves the last of several puts of one document, with its place in the indexes', async () => {
		const store = await open();
		const things = await store.collection<AnyDocument>({ name: 'things', indexes: [{ name: 'n', keys: ['n', '_id'] }] });
		const put = (...ns: (number | null)[]) =>
			store.batch(
				ns.map((n, at) => ({ kind: 'put', collection: 'things', document: { _id: 'a', n, at } as unknown as AnyDocument })),
			);
		const found = async () => [await things.find({ filter: {} }), await things.findValues(['n'], { filter: { n: { $gte: 0 } } })];
		for (const ns of [
			[1],
			[1, 1],
			[1, 2, 1],
			[2, 2, 3],
			[3, null],
			[null, null, 4],
			Array.from({ length: 60 }, (_, n) => n % 7),
		]) {
			await put(...ns);
			const n = ns.at(-1) ?? null;
			expect(await found()).to.deep.equal([[{ _id: 'a', n, at: ns.length - 1 }], n === null ? [] : [[n]]]);
		}
	});

	it('answers with values from an index alone', async () => {
		const store = await open(':memory:');
		const spec = { name: 'things', indexes: [{ name: 'n', keys: ['n', '_id', 'm'] }] };
		await store.collection<AnyDocument>(spec);
		const query: Query = { filter: { n: 1, _id: { $gt: 'a' }, m: 2 }, sort: [['_id', 1]], limit: 10, hint: 'n' };
		const { sql, params } = valuesSql(layOut(spec), ['_id', 'm'], query);
		const connection = openConnection(':memory:');
		openSchema(connection);
		openCollectionTables(connection, layOut(spec));
		const plan = connection.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(params.map(toBinding));
		const steps = plan.map((step) => step[3]).filter((step) => !/CO-ROUTINE|SCAN \(subquery/.test(String(step)));
		expect(steps).to.deep.equal(['SEARCH m USING COVERING INDEX i:things:n (f:n=? AND id>? AND id<?)']);
		connection.close();
	});

	it('fills an added index from elements that are one in the database', async () => {
		const before = await open();
		const first = await before.collection<AnyDocument>({ name: 'things', indexes: [] });
		await first.insert({ _id: 'a', tags: ['\ud800', '\ud801', 'x', 'x', 0, -0, null] });
		const added: IndexSpec[] = [{ name: 'tags', keys: ['tags'], multikey: 'tags' }];
		const { things } = await reopen(before, { name: 'things', indexes: added });
		for (const tags of ['\ud802', 'x', 0]) expect(await things.count({ tags })).to.equal(1);
	});

	it('drops an index that is no longer declared, and fills it anew when it comes back', async () => {
		const first = await open();
		const spec = { name: 'things', indexes };
		await (await first.collection<AnyDocument>(spec)).insert({ _id: 'a', tenant: 't', name: 'n', tags: ['x'], owner: { id: 1 } });
		const without = await reopen(first, { name: 'things', indexes: [] });
		await without.store.batch([
			{ kind: 'put', collection: 'things', document: { _id: 'a', tenant: 't', name: 'm', tags: ['y'] } as AnyDocument },
		]);
		await without.things.insert({ _id: 'b', tenant: 't', name: 'n', tags: ['y'] });
		const { things } = await reopen(without.store, spec);
		expect(await idsOf(things.find({ filter: { name: 'm' } }))).to.deep.equal(['a']);
		expect(await idsOf(things.find({ filter: { tenant: 't', tags: 'y' } }))).to.deep.equal(['a', 'b']);
		expect(await things.count({ tenant: 't', tags: 'x' })).to.equal(0);
		expect(await things.count({ 'owner.id': 1 })).to.equal(0);
	});

	it('refuses a unique index that the documents break, and can go on without it', async () => {
		const before = await open();
		const first = await before.collection<AnyDocument>({ name: 'things', indexes: [] });
		await first.insert({ _id: 'a', name: 'n' });
		await first.insert({ _id: 'b', name: 'n' });
		await before.close();
		const store = await open();
		const unique = { name: 'things', indexes: [{ name: 'name', keys: ['name'], unique: true }] };
		const error = await store.collection(unique).catch((reason: unknown) => reason);
		expect(error).to.be.instanceOf(StoreError).with.property('message').that.includes("unique index 'name'");
		expect(await (await store.collection({ name: 'things', indexes: [] })).count({})).to.equal(2);
	});

	const refused: [what: string, spec: CollectionSpec<AnyDocument>][] = [
		['an index without keys', { name: 'things', indexes: [{ name: 'a', keys: [] }] }],
		['an index name with a quote', { name: 'things', indexes: [{ name: 'a"', keys: ['a'] }] }],
		['two indexes of one name', { name: 'things', indexes: [{ name: 'a', keys: ['a'] }, { name: 'A', keys: ['b'] }] }],
		['a path with a quote', { name: 'things', indexes: [{ name: 'a', keys: ['a"b'] }] }],
		['paths that differ by case', { name: 'things', indexes: [{ name: 'a', keys: ['a', 'A'] }] }],
		['a multikey path that is no key', { name: 'things', indexes: [{ name: 'a', keys: ['a'], multikey: 'b' }] }],
		['a unique multikey index', { name: 'things', indexes: [{ name: 'a', keys: ['a'], multikey: 'a', unique: true }] }],
		['a path that is multikey in one index only', { name: 'things', indexes: [{ name: 'a', keys: ['a'], multikey: 'a' }, { name: 'b', keys: ['a'] }] }],
		['a sparse path that is no key', { name: 'things', indexes: [{ name: 'a', keys: ['a'], sparse: 'b' }] }],
		['a sparse index that is unique', { name: 'things', indexes: [{ name: 'a', keys: ['a'], sparse: 'a', unique: true }] }],
		['a sparse index of a list', { name: 'things', indexes: [{ name: 'a', keys: ['a'], sparse: 'a', multikey: 'a' }] }],
		['an expiring field with a quote', { name: 'things', indexes: [], expire: { field: 'a"', afterSeconds: 1 } }],
	]; // biome-ignore format: one line a row
	for (const [what, spec] of refused) {
		it(`refuses ${what}`, async () => {
			const store = await open(':memory:');
			expect(await store.collection(spec).catch((error: unknown) => error)).to.be.instanceOf(TypeError);
		});
	}

	it('refuses to open a collection again with other indexes', async () => {
		const store = await open(':memory:');
		await store.collection({ name: 'things', indexes: [] });
		expect(await store.collection({ name: 'things', indexes }).catch((error: unknown) => error)).to.be.instanceOf(StoreError);
		expect(await store.collection({ name: 'Things', indexes: [] }).catch((error: unknown) => error)).to.be.instanceOf(StoreError);
	});

	it('refuses an array in an indexed path that is not multikey, by put and by update', async () => {
		const store = await open(':memory:');
		const things = await store.collection<AnyDocument>({ name: 'things', indexes });
		await things.insert({ _id: 'a', name: 'n' });
		const put = store.batch([{ kind: 'put', collection: 'things', document: { _id: 'b', name: ['n'] } as AnyDocument }]);
		expect(await put.catch((error: unknown) => error)).to.be.instanceOf(TypeError);
		const update = store.batch([{ kind: 'update', collection: 'things', id: 'a', update: { $set: { name: ['n'] } } }]);
		expect(await update.catch((error: unknown) => error)).to.be.instanceOf(StoreError);
		expect(await things.find({ filter: {} })).to.deep.equal([{ _id: 'a', name: 'n' }]);
	});
});
