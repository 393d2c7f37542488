import { expect } from 'chai';
import { DocumentRefusedError, type Step, StoreError, type Update } from '../../../store/index.ts';
import type { AnyDocument, Bench } from '../engine.ts';
import { idsOf } from '../engine.ts';

/** An object in an object, and so on. */
function nested(depth: number): object {
	let inner = {};
	for (let level = 0; level < depth; level++) inner = { a: inner };
	return inner;
}

/** Batches: all steps or none. */
export function batchCases({ it, collection, store }: Bench): void {
	describe('batches', () => {
		const put = (collection: string, document: AnyDocument): Step => ({ kind: 'put', collection, document });

		it('applies all kinds of steps in order', async () => {
			const things = await collection<AnyDocument>({ indexes: [{ name: 'n', keys: ['n'] }] });
			const { name } = things;
			const outcome = await store().batch([
				put(name, { _id: 'a', n: 1 }),
				{ kind: 'insert', collection: name, document: { _id: 'b', n: 1 } as AnyDocument },
				{ kind: 'require', collection: name, id: 'b', where: { n: 1 } },
				{ kind: 'update', collection: name, id: 'a', where: { n: 1 }, update: { $inc: { n: 1 } } },
				{ kind: 'removeWhere', collection: name, filter: { n: 1 } },
				put(name, { _id: 'c', n: 3 }),
				{ kind: 'remove', collection: name, id: 'c' },
				{ kind: 'remove', collection: name, id: 'never there' },
			]);
			expect(outcome).to.deep.equal({ ok: true });
			expect(await things.find({ filter: {} })).to.deep.equal([{ _id: 'a', n: 2 }]);
		});

		const failing: [what: string, step: (collection: string) => Step, duplicate: boolean][] = [
			['an insert of a taken id', (name) => ({ kind: 'insert', collection: name, document: { _id: 'there' } }), true],
			['an update of nothing', (name) => ({ kind: 'update', collection: name, id: 'gone', update: { $set: { x: 1 } } }), false],
			[
				'an update whose condition is not met',
				(name) => ({ kind: 'update', collection: name, id: 'there', where: { n: 2 }, update: {} }),
				false,
			],
			['a requirement of nothing', (name) => ({ kind: 'require', collection: name, id: 'gone' }), false],
			[
				'a requirement that is not met',
				(name) => ({ kind: 'require', collection: name, id: 'there', where: { n: { $gt: 1 } } }),
				false,
			],
			[
				'an update to a taken unique key',
				(name) => ({ kind: 'update', collection: name, id: 'there', update: { $set: { u: 2 } } }),
				true,
			],
		];
		for (const [what, step, duplicate] of failing) {
			it(`applies nothing with ${what}`, async () => {
				const things = await collection<AnyDocument>({ indexes: [{ name: 'u', keys: ['u'], unique: true }] });
				const { name } = things;
				await things.insert({ _id: 'there', n: 1, u: 1 });
				await things.insert({ _id: 'other', n: 1, u: 2 });
				const steps: Step[] = [
					put(name, { _id: 'new', u: 3 }),
					{ kind: 'remove', collection: name, id: 'other2' },
					{ kind: 'update', collection: name, id: 'there', update: { $set: { seen: true } } },
					step(name),
					put(name, { _id: 'newer', u: 4 }),
				];
				expect(await store().batch(steps)).to.deep.equal({ ok: false, failed: 3, duplicate });
				expect(await store().batch([step(name)])).to.deep.equal({ ok: false, failed: 0, duplicate });
				expect(await things.find({ filter: {}, sort: [['_id', 1]] })).to.deep.equal([
					{ _id: 'other', n: 1, u: 2 },
					{ _id: 'there', n: 1, u: 1 },
				]);
			});
		}

		it('spans collections', async () => {
			const [left, right] = [await collection(), await collection()];
			const steps = [put(left.name, { _id: 'a' }), put(right.name, { _id: 'a' })];
			expect(await store().batch([...steps, { kind: 'require', collection: right.name, id: 'b' }])).to.deep.include({
				ok: false,
			});
			expect([await left.count({}), await right.count({})]).to.deep.equal([0, 0]);
			await store().batch(steps);
			expect([await left.count({}), await right.count({})]).to.deep.equal([1, 1]);
		});

		it('applies an empty batch', async () => {
			expect(await store().batch([])).to.deep.equal({ ok: true });
		});

		it('fails one of many batches under way without the others', async () => {
			const things = await collection();
			const outcomes = await Promise.all(
				Array.from({ length: 300 }, (_, number) => {
					const wanted: Step = { kind: 'require', collection: things.name, id: 'never' };
					const write = put(things.name, { _id: `d${number}` });
					return store().batch(number % 3 === 0 ? [write, wanted] : number % 3 === 1 ? [wanted, write] : [write]);
				}),
			);
			expect(outcomes.filter(({ ok }) => ok)).to.have.length(100);
			expect(await things.count({})).to.equal(100);
		});

		const halves = ['\ud800', '\ud801', '\udc00', 'x'];
		const guilty: [what: string, document: object][] = [
			['elements that are halves of surrogate pairs', { tags: halves }],
			['halves of surrogate pairs in all indexed fields', { owner: '\ud800', n: '\udc00', u: '\udbff', tags: halves }],
			['elements that are equal', { tags: ['a', 'a', 1, 1, -0, 0, null, null, true, true] }],
			['elements of all types', { tags: [[], {}, 'a\u0000', 'a', '', 0, false, null] }],
			['keys nested too deeply for some', { u: 'deep', deep: nested(3000) }],
		];
		const kinds = ['put', 'insert', 'update'] as const;
		for (const [what, fields] of guilty) {
			for (const kind of kinds) {
				it(`applies what is under way beside a batch (${kind}) with ${what}`, async () => {
					const things = await collection<AnyDocument>({
						indexes: [
							{ name: 'tags', keys: ['owner', 'tags', 'n'], multikey: 'tags' },
							{ name: 'n', keys: ['n'] },
							{ name: 'u', keys: ['u'], unique: true },
						],
					});
					const { name } = things;
					await things.insert({ _id: 'there', owner: 'o', tags: ['\ud900', 'x'], u: 'there' });
					const document: AnyDocument = { _id: kind === 'insert' ? 'new' : 'there', owner: 'o', u: 'guilty', ...fields };
					const { _id, ...$set } = document;
					const step: Step =
						kind === 'update' ? { kind, collection: name, id: _id, update: { $set } } : { kind, collection: name, document };
					const innocent = (id: string) => store().batch([put(name, { _id: id, owner: 'o', tags: [id], u: id })]);
					const before = ['1', '2', '3'].map(innocent);
					const suspect = store().batch([put(name, { _id: 'with', u: 'with' }), step, put(name, { _id: 'then', u: 'then' })]);
					const unindexed = things.findOneAndUpdate({ 'deep.a.b': 1 }, { $set: { found: true } });
					const after = ['4', '5'].map(innocent);
					const result = await suspect.then(
						({ ok }) => ok,
						() => false,
					);
					await unindexed.catch(() => undefined);
					for (const outcome of await Promise.all([...before, ...after])) expect(outcome).to.deep.equal({ ok: true });
					for (const id of ['1', '2', '3', '4', '5'])
						expect(await idsOf(things.find({ filter: { owner: 'o', tags: id } }))).to.deep.equal([id]);
					expect(await things.get('with')).to.deep.equal(result ? { _id: 'with', u: 'with' } : undefined);
					if (!('tags' in fields)) return;
					expect(result).to.equal(true);
					const owner = 'owner' in fields ? '\ud800' : 'o';
					for (const tag of fields.tags as readonly unknown[])
						if (typeof tag !== 'object')
							expect(await idsOf(things.find({ filter: { owner, tags: tag as string } }))).to.include(_id);
					await store().batch([_id, 'there'].map((id) => ({ kind: 'remove', collection: name, id })));
					expect(await things.count({ owner, tags: '\ud800' })).to.equal(0);
				});
			}
		}

		it('holds a requirement against a removal at the same time', async () => {
			const things = await collection<AnyDocument>({ indexes: [{ name: 'owner', keys: ['owner'] }] });
			const { name } = things;
			for (let round = 0; round < 50; round++) {
				const owner = `owner${round}`;
				await things.insert({ _id: owner });
				const add = (id: string) =>
					store().batch([
						{ kind: 'require', collection: name, id: owner, where: { closed: null } },
						put(name, { _id: `${owner} ${id}`, owner }),
					]);
				const close = (): Promise<unknown> =>
					round % 2 === 0
						? store().batch([
								{ kind: 'removeWhere', collection: name, filter: { owner } },
								{ kind: 'remove', collection: name, id: owner },
							])
						: store().batch([
								{ kind: 'update', collection: name, id: owner, update: { $set: { closed: true } } },
								{ kind: 'removeWhere', collection: name, filter: { owner } },
							]);
				const outcomes = await Promise.all([add('1'), add('2'), close(), add('3')]);
				expect(outcomes[3]).to.include({ ok: false });
				expect(await idsOf(things.find({ filter: { owner } })), `round ${round}`).to.deep.equal([]);
			}
		});

		it('gives a status to one of many that want to change it', async () => {
			const things = await collection<AnyDocument>();
			await things.insert({ _id: 'a', status: 'PENDING' });
			const claim: Step = {
				kind: 'update',
				collection: things.name,
				id: 'a',
				where: { status: 'PENDING' },
				update: { $set: { status: 'EXECUTING' }, $inc: { claims: 1 } },
			};
			const outcomes = await Promise.all(Array.from({ length: 20 }, () => store().batch([claim])));
			expect(outcomes.filter(({ ok }) => ok)).to.have.length(1);
			expect(await things.get('a')).to.deep.equal({ _id: 'a', status: 'EXECUTING', claims: 1 });
		});

		it('removes many by a filter', async () => {
			const things = await collection<AnyDocument>({ indexes: [{ name: 'tags', keys: ['owner', 'tags'], multikey: 'tags' }] });
			const documents = Array.from({ length: 1500 }, (_, n) => ({
				_id: `d${n}`,
				owner: n % 2 ? 'x' : 'y',
				tags: ['t', `t${n}`],
			}));
			await store().batch(documents.map((document) => put(things.name, document)));
			await store().batch([{ kind: 'removeWhere', collection: things.name, filter: { owner: 'x' } }]);
			expect([
				await things.count({}),
				await things.count({ owner: 'x', tags: 't' }),
				await things.count({ owner: 'y', tags: 't' }),
			]).to.deep.equal([750, 0, 750]);
		});

		const updates: [before: object, update: Update, after: object][] = [
			[{ a: 1 }, { $set: { a: 2, b: 3 } }, { a: 2, b: 3 }],
			[{}, { $set: { 'a.b.c': 1 } }, { a: { b: { c: 1 } } }],
			[{ a: { x: 1 } }, { $set: { 'a.b': 1 } }, { a: { x: 1, b: 1 } }],
			[{ a: { x: 1 } }, { $set: { a: [1] } }, { a: [1] }],
			[{ a: { b: 1, c: 2 }, d: 1 }, { $unset: ['a.b', 'd', 'never.there'] }, { a: { c: 2 } }],
			[{ n: 1 }, { $inc: { n: 2, m: -1, 'o.p': 5 } }, { n: 3, m: -1, o: { p: 5 } }],
			[{ a: 1 }, { $set: { b: null }, $unset: ['a'], $inc: { c: 1 } }, { b: null, c: 1 }],
			[{ a: 1 }, {}, { a: 1 }],
		];
		for (const [before, update, after] of updates) {
			it(`turns ${JSON.stringify(before)} by ${JSON.stringify(update)} into ${JSON.stringify(after)}`, async () => {
				const things = await collection<AnyDocument>({ indexes: [{ name: 'a', keys: ['n'] }] });
				await things.insert({ _id: 'x', ...before });
				await store().batch([{ kind: 'update', collection: things.name, id: 'x', update }]);
				expect(await things.get('x')).to.deep.equal({ _id: 'x', ...after });
			});
		}

		const impossible: [what: string, update: Update][] = [
			['a path through a text', { $set: { 'text.a': 1 } }],
			['a path through null', { $set: { 'nothing.a': 1 } }],
			['an increment of a text', { $inc: { text: 1 } }],
			['the id', { $set: { _id: 'other' } }],
			['overlapping paths', { $set: { a: 1, 'a.b': 2 } }],
			['the prototype', { $set: { '__proto__.polluted': 1 } }],
			['the constructor', { $set: { 'constructor.prototype.polluted': 1 } }],
			['an empty path', { $set: { '': 1 } }],
		];
		for (const [what, update] of impossible) {
			it(`rejects an update of ${what}, and nothing of its batch is applied`, async () => {
				const things = await collection<AnyDocument>();
				const before = { _id: 'x', text: 'a', nothing: null };
				await things.insert(before);
				const rejected = store().batch([
					put(things.name, { _id: 'y' }),
					{ kind: 'update', collection: things.name, id: 'x', update },
				]);
				const other = store().batch([put(things.name, { _id: 'z' })]);
				expect(await rejected.catch((error: unknown) => error)).to.be.instanceOf(Error);
				expect(await other).to.deep.equal({ ok: true });
				expect(await idsOf(things.find({ filter: {} }))).to.deep.equal(['x', 'z']);
				expect(await things.get('x')).to.deep.equal(before);
				expect({}).to.not.have.property('polluted');
			});
		}

		it('tells what a document can never take from what the database cannot do now', async () => {
			const things = await collection<AnyDocument>({ indexes: [] });
			await things.insert({ _id: 'a', n: 'text' });
			for (const update of [{ $inc: { n: 1 } }, { $set: { 'n.inside': 1 } }]) {
				const step: Step = { kind: 'update', collection: things.name, id: 'a', update };
				for (const steps of [[step], [put(things.name, { _id: 'b' }), step]]) {
					const error = await store()
						.batch(steps)
						.catch((reason: unknown) => reason);
					expect(error).to.be.instanceOf(DocumentRefusedError);
				}
			}
			expect(await idsOf(things.find({ filter: {} }))).to.deep.equal(['a']);
		});

		it('rejects a step on a collection that is not open', async () => {
			const error = await store()
				.batch([put('Unknown', { _id: 'a' })])
				.catch((reason: unknown) => reason);
			expect(error).to.be.instanceOf(StoreError);
		});
	});
}
