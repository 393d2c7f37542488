import { expect } from 'chai';
import type { DocumentsText, Query } from '../../../store/index.ts';
import type { AnyDocument, Bench } from '../engine.ts';

/** Documents as text, for answers that pass them on, and what becomes of their ids. */
export function textCases({ it, store, collection }: Bench): void {
	describe('texts', () => {
		const awkward: readonly AnyDocument[] = [
			{ _id: '' },
			{ _id: 'a', text: 'line\nbreak,\n{"_id":"x"}', list: [{ _id: 'inner' }, []] },
			{ _id: 'b\u0000\u0001\u0002"\\ä😀', n: null, o: {} },
			{ _id: 'c', text: '\u0000\u001f\u2028', yes: true, n: 1e308 },
		];
		const cases: [query: Omit<Query, 'filter'>, from: number, to: number, hasMore: boolean][] = [
			[{}, 0, 4, false],
			[{ limit: 5 }, 0, 4, false],
			[{ limit: 4 }, 0, 4, false],
			[{ limit: 3 }, 0, 3, true],
			[{ limit: 1 }, 0, 1, true],
			[{ limit: 0 }, 0, 0, true],
			[{ skip: 1, limit: 2 }, 1, 3, true],
			[{ skip: 2, limit: 2 }, 2, 4, false],
			[{ skip: 4, limit: 2 }, 4, 4, false],
			[{ skip: 4, limit: 0 }, 4, 4, false],
		];
		for (const [query, from, to, hasMore] of cases) {
			it(`finds the text of ${JSON.stringify(query)} and tells whether there is more`, async () => {
				const things = await collection<AnyDocument>();
				await store().batch(awkward.map((document) => ({ kind: 'put', collection: things.name, document })));
				const found = await things.findText({ filter: {}, sort: [['_id', 1]], ...query });
				expect(parsed(found)).to.deep.equal({ documents: awkward.slice(from, to).map(withoutId), hasMore });
			});
		}

		it('finds texts by ids, by elements of lists, backwards, and none', async () => {
			const things = await collection<AnyDocument>({ indexes: [{ name: 'tags', keys: ['tags', '_id'], multikey: 'tags' }] });
			for (const _id of ['1', '2', '3']) await things.insert({ _id, n: Number(_id), tags: _id === '2' ? ['x'] : ['x', 'y'] });
			const numbers = async (query: Query) => JSON.parse((await things.findText(query)).text).map(({ n }: { n: number }) => n);
			expect(await numbers({ filter: { _id: { $in: ['1', '3'] } }, sort: [['_id', -1]] })).to.deep.equal([3, 1]);
			expect(await numbers({ filter: { tags: 'y', _id: { $gt: '1' } } })).to.deep.equal([3]);
			expect(await numbers({ filter: { $nor: [{ _id: '1' }, { _id: '2' }] } })).to.deep.equal([3]);
			expect(await things.findText({ filter: { tags: 'z' }, limit: 5 })).to.deep.equal({ text: '[]', hasMore: false });
		});

		it('shows texts as they are after each change', async () => {
			const things = await collection<AnyDocument>();
			const all = async () => JSON.parse((await things.findText({ filter: {} })).text);
			await things.insert({ n: 1, _id: 'a', gone: undefined });
			expect(await all()).to.deep.equal([{ n: 1 }]);
			await store().batch([{ kind: 'put', collection: things.name, document: { _id: 'a' } }]);
			expect(await all()).to.deep.equal([{}]);
			await store().batch([{ kind: 'update', collection: things.name, id: 'a', update: { $set: { n: 2 } } }]);
			expect(await all()).to.deep.equal([{ n: 2 }]);
		});

		it('refuses what it refuses of other queries', async () => {
			const things = await collection();
			for (const query of [{ filter: {}, limit: -1 }, { filter: {}, skip: 0.5 }, { filter: { a: undefined } }])
				expect(await things.findText(query).catch((error: unknown) => error)).to.be.instanceOf(Error);
		});

		for (const { _id } of awkward) {
			it(`gives the id ${JSON.stringify(_id)} back wherever a document is answered`, async () => {
				const things = await collection<AnyDocument>({ indexes: [{ name: 'tags', keys: ['tags', '_id'], multikey: 'tags' }] });
				const document = { _id, tags: ['x'] };
				await things.insert(document);
				expect(await things.get(_id)).to.deep.equal(document);
				expect(await things.find({ filter: { tags: 'x', _id } })).to.deep.equal([document]);
				for await (const scanned of things.scan({})) expect(scanned).to.deep.equal(document);
				const where = { _id, $nor: [{ _id: `${_id}x` }] };
				const steps = [
					{ kind: 'require', collection: things.name, id: _id, where },
					{ kind: 'update', collection: things.name, id: _id, where, update: { $set: { n: 1 } } },
				] as const;
				expect(await store().batch(steps)).to.deep.equal({ ok: true });
				expect(await store().batch([{ ...steps[0], where: { $nor: [{ _id }] } }])).to.include({ ok: false });
				const changed = await things.findOneAndUpdate({ _id }, { $inc: { n: 1 } });
				expect(changed).to.deep.equal({ ...document, n: 2 });
				expect(await things.findOneAndUpdate({ _id }, { $set: { n: 2 } })).to.deep.equal(changed);
			});
		}
	});
}

function parsed({ text, hasMore }: DocumentsText): { documents: unknown; hasMore: boolean } {
	return { documents: JSON.parse(text), hasMore };
}

function withoutId({ _id, ...fields }: AnyDocument): object {
	return fields;
}
