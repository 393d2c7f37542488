import { expect } from 'chai';
import { DuplicateKeyError, type Filter } from '../../../store/index.ts';
import type { AnyDocument, Bench } from '../engine.ts';

/** Single documents: what goes in comes out. */
export function documentCases({ it, collection, store }: Bench): void {
	describe('documents', () => {
		const documents: [what: string, document: AnyDocument][] = [
			['nothing but an id', { _id: 'a' }],
			[
				'all JSON types',
				{
					_id: 'b',
					text: 'x',
					number: 1.5,
					yes: true,
					no: false,
					nothing: null,
					list: [1, 'a', null],
					object: { deep: { er: 1 } },
				},
			],
			['empty texts, lists and objects', { _id: 'c', text: '', list: [], object: {} }],
			[
				'large and small numbers',
				{ _id: 'd', max: Number.MAX_SAFE_INTEGER, min: Number.MIN_SAFE_INTEGER, tiny: 5e-324, huge: 1e308 },
			],
			['text of all planes', { _id: 'e', text: 'äß€漢字😀 "quoted" \\ \n\t' }],
			['control characters', { _id: 'f', text: 'a\u0000b\u0001c\u001f' }],
			['an id with special characters', { _id: 'x/ä😀 \'"%_*?[]\\' }],
			['an empty id', { _id: '' }],
			['a megabyte', { _id: 'g', text: 'x'.repeat(1_000_000) }],
		];
		for (const [what, document] of documents) {
			it(`keeps ${what}`, async () => {
				const things = await collection<AnyDocument>({ indexes: [{ name: 'text', keys: ['text'] }] });
				expect(await store().batch([{ kind: 'put', collection: things.name, document }])).to.deep.equal({ ok: true });
				expect(await things.get(document._id)).to.deep.equal(document);
				expect(await things.find({ filter: { _id: document._id } })).to.deep.equal([document]);
			});
		}

		it('leaves out undefined fields', async () => {
			const things = await collection<AnyDocument>();
			await things.insert({ _id: 'a', gone: undefined });
			expect(Object.keys((await things.get('a')) ?? {})).to.deep.equal(['_id']);
		});

		it('answers undefined for an id that is not there', async () => {
			const things = await collection();
			expect(await things.get('a')).to.equal(undefined);
		});

		it('tells ids apart that differ by case, by accents, or only at the end', async () => {
			const things = await collection();
			const ids = ['a', 'A', 'ä', 'a ', 'a\u0000', 'a\u0000b', 'a\u0001', 'aa'];
			for (const id of ids) await things.insert({ _id: id });
			for (const id of ids) expect(await things.get(id)).to.deep.equal({ _id: id });
			expect(await things.count({})).to.equal(ids.length);
		});

		it('refuses to insert an id twice and keeps the first', async () => {
			const things = await collection<AnyDocument>();
			await things.insert({ _id: 'a', n: 1 });
			const error = await things.insert({ _id: 'a', n: 2 }).catch((reason: unknown) => reason);
			expect(error).to.be.instanceOf(DuplicateKeyError);
			expect(await things.get('a')).to.deep.equal({ _id: 'a', n: 1 });
		});

		it('refuses what a unique index has already', async () => {
			const things = await collection<AnyDocument>({ indexes: [{ name: 'pair', keys: ['x', 'y'], unique: true }] });
			await things.insert({ _id: 'a', x: 1, y: 1 });
			await things.insert({ _id: 'b', x: 1, y: 2 });
			const error = await things.insert({ _id: 'c', x: 1, y: 2 }).catch((reason: unknown) => reason);
			expect(error).to.be.instanceOf(DuplicateKeyError);
			const outcome = await store().batch([
				{ kind: 'put', collection: things.name, document: { _id: 'c', x: 1, y: 1 } as AnyDocument },
			]);
			expect(outcome).to.deep.equal({ ok: false, failed: 0, duplicate: true });
			expect(await things.count({})).to.equal(2);
		});

		it('replaces a document whole', async () => {
			const things = await collection<AnyDocument>();
			await things.insert({ _id: 'a', x: 1 });
			await store().batch([{ kind: 'put', collection: things.name, document: { _id: 'a', y: 2 } as AnyDocument }]);
			expect(await things.get('a')).to.deep.equal({ _id: 'a', y: 2 });
		});

		const half = ['a\ud800', 'a\udfff', '\ude00\ud83d', '\\ud800\ud800', '😀\udc00\u0000\u0001'];
		for (const text of half) {
			it(`takes half of a surrogate pair for U+FFFD: ${JSON.stringify(text)}`, async () => {
				const things = await collection<AnyDocument>({ indexes: [{ name: 'text', keys: ['text'] }] });
				const whole = text.replace(/\p{Surrogate}/gu, '\ufffd');
				const written = { text, plain: { [text]: [text] } };
				const read = { _id: 'a', text: whole, plain: { [whole]: [whole] } };
				await things.insert({ _id: 'a', ...written });
				expect(await things.get('a')).to.deep.equal(read);
				const path: Filter = text.includes('\\') || text.includes('\u0000') ? {} : { [`plain.${text}`]: { $exists: true } };
				for (const filter of [{ text }, { text: whole }, { text: { $in: [text, 'x'] }, ...path }])
					expect(await things.find({ filter }), JSON.stringify(filter)).to.deep.equal([read]);
				expect(await things.find({ filter: { text: { $wildcard: `${text}*` }, $nor: [{ text: { $ne: text } }] } })).to.deep.equal(
					[read],
				);
				const update = { kind: 'update', collection: things.name, id: 'a', where: { text }, update: { $set: written } } as const;
				expect(await store().batch([update])).to.deep.equal({ ok: true });
				expect(await things.findOneAndUpdate({ text }, { $set: { other: text } })).to.deep.equal({ ...read, other: whole });
			});
		}

		const refused: [what: string, document: unknown][] = [
			['no id', {}],
			['a number for an id', { _id: 1 }],
			['an id of half a surrogate pair', { _id: 'a\ud800' }],
		];
		for (const [what, document] of refused) {
			it(`refuses a document with ${what}`, async () => {
				const things = await collection();
				const step = { kind: 'insert', collection: things.name, document: document as AnyDocument } as const;
				expect(
					await store()
						.batch([step])
						.catch((reason: unknown) => reason),
				).to.be.instanceOf(Error);
				expect(await things.count({})).to.equal(0);
			});
		}
	});
}
