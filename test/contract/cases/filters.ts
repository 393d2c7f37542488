import { expect } from 'chai';
import type { Collection, Filter, IndexSpec } from '../../../store/index.ts';
import { type AnyDocument, type Bench, idsOf } from '../engine.ts';

const documents: readonly AnyDocument[] = [
	{ _id: 'text', v: 'abc' },
	{ _id: 'upper', v: 'ABC' },
	{ _id: 'digits', v: '10' },
	{ _id: 'empty', v: '' },
	{ _id: 'json', v: '{"a":1}' },
	{ _id: 'wide', v: '\uffee' },
	{ _id: 'emoji', v: '😀' },
	{ _id: 'nul', v: 'a\u0000b' },
	{ _id: 'ten', v: 10 },
	{ _id: 'one', v: 1 },
	{ _id: 'zero', v: 0 },
	{ _id: 'half', v: 0.5 },
	{ _id: 'minus', v: -3 },
	{ _id: 'yes', v: true },
	{ _id: 'no', v: false },
	{ _id: 'null', v: null },
	{ _id: 'missing' },
	{ _id: 'object', v: { a: 1 } },
];
const texts = ['digits', 'emoji', 'empty', 'json', 'nul', 'text', 'upper', 'wide'];
const numbers = ['half', 'minus', 'one', 'ten', 'zero'];
const all = documents.map(({ _id }) => _id);
const without = (...ids: string[]) => all.filter((id) => !ids.includes(id));

const rows: readonly [filter: Filter, ids: readonly string[]][] = [
	[{}, all],
	[{ v: 'abc' }, ['text']],
	[{ v: 'ab' }, []],
	[{ v: '' }, ['empty']],
	[{ v: '10' }, ['digits']],
	[{ v: '{"a":1}' }, ['json']],
	[{ v: 'a\u0000b' }, ['nul']],
	[{ v: 'a' }, []],
	[{ v: 10 }, ['ten']],
	[{ v: 0.5 }, ['half']],
	[{ v: 1 }, ['one']],
	[{ v: 0 }, ['zero']],
	[{ v: true }, ['yes']],
	[{ v: false }, ['no']],
	[{ v: null }, ['null', 'missing']],
	[{ v: { $eq: 'abc' } }, ['text']],
	[{ v: { $eq: null } }, ['null', 'missing']],
	[{ v: { $ne: 'abc' } }, without('text')],
	[{ v: { $ne: 1 } }, without('one')],
	[{ v: { $ne: true } }, without('yes')],
	[{ v: { $ne: null } }, without('null', 'missing')],
	[{ v: { $gt: '' } }, texts.filter((id) => id !== 'empty')],
	[{ v: { $gte: '' } }, texts],
	[{ v: { $gt: 'abc' } }, ['emoji', 'json', 'wide']],
	[{ v: { $gte: 'abc' } }, ['emoji', 'json', 'text', 'wide']],
	[{ v: { $gt: '\uffee' } }, ['emoji']],
	[{ v: { $lt: 'a' } }, ['digits', 'empty', 'upper']],
	[{ v: { $lte: '10' } }, ['digits', 'empty']],
	[{ v: { $gte: '1', $lt: 'a' } }, ['digits', 'upper']],
	[{ v: { $gt: 0 } }, ['half', 'one', 'ten']],
	[{ v: { $gte: 0 } }, ['half', 'one', 'ten', 'zero']],
	[{ v: { $lt: 1 } }, ['half', 'minus', 'zero']],
	[{ v: { $lte: 1e9 } }, numbers],
	[{ v: { $gt: -1e9 } }, numbers],
	[{ v: { $gt: 0, $lte: 1 } }, ['half', 'one']],
	[{ v: { $gt: 0, $lt: 'z' } }, []],
	[{ v: { $gte: undefined, $lt: 0 } }, ['minus']],
	[{ v: { $in: ['abc', 10, true] } }, ['text', 'ten', 'yes']],
	[{ v: { $in: [null, 'ABC'] } }, ['null', 'missing', 'upper']],
	[{ v: { $in: [] } }, []],
	[{ v: { $in: ['10', 'a\u0000b', '😀'] } }, ['digits', 'nul', 'emoji']],
	[{ v: { $in: Array.from({ length: 700 }, (_, n) => n) } }, ['one', 'ten', 'zero']],
	[{ v: { $in: Array.from({ length: 700 }, (_, n) => `${n}`) } }, ['digits']],
	[{ v: { $exists: true } }, without('missing')],
	[{ v: { $exists: false } }, ['missing']],
	[{ v: { $exists: true, $ne: null, $lt: 0 } }, ['minus']],
	[{ $and: [{ v: { $gt: 0 } }, { v: { $lt: 1 } }] }, ['half']],
	[{ $or: [{ v: 'abc' }, { v: 10 }] }, ['text', 'ten']],
	[{ $nor: [{ v: null }, { v: { $gte: '' } }, { v: { $gte: -5 } }] }, ['yes', 'no', 'object']],
	[{ $nor: [{ v: { $ne: 'abc' } }] }, ['text']],
	[{ $or: [{ $and: [{ v: 1 }, { _id: 'one' }] }, { $nor: [{ v: { $exists: true } }] }] }, ['one', 'missing']],
	[{ _id: 'one' }, ['one']],
	[{ _id: { $gte: 'o', $lt: 'p' } }, ['object', 'one']],
	[{ _id: { $in: ['one', 'ten', 'never'] } }, ['one', 'ten']],
	[{ _id: { $ne: 'one' } }, without('one')],
	[{ _id: { $exists: false } }, []],
	[{ 'v.a': 1 }, ['object']],
	[{ 'v.a': null }, without('object')],
	[{ 'v.a': { $exists: true } }, ['object']],
	[{ 'v.a.b': { $exists: true } }, []],
	[{ 'never.there': { $exists: false }, v: 'abc' }, ['text']],
	[{ "it's a key": null, v: 1 }, ['one']],
];

const lists: readonly AnyDocument[] = [
	{ _id: 'none', o: 1 },
	{ _id: 'empty', o: 1, tags: [] },
	{ _id: 'a', o: 1, tags: ['a'] },
	{ _id: 'ab', o: 1, tags: ['a', 'b'] },
	{ _id: 'abc', o: 2, tags: ['c', 'b', 'a', 'a'] },
	{ _id: 'mixed', o: 2, tags: [1, true, null, 'a b', 'A'] },
];

const listRows: readonly [filter: Filter, ids: readonly string[]][] = [
	[{ tags: 'a' }, ['a', 'ab', 'abc']],
	[{ tags: 'A' }, ['mixed']],
	[{ tags: 1 }, ['mixed']],
	[{ tags: true }, ['mixed']],
	[{ tags: null }, ['none', 'mixed']],
	[{ tags: { $ne: 'a' } }, ['none', 'empty', 'mixed']],
	[{ tags: { $in: ['b', 1] } }, ['ab', 'abc', 'mixed']],
	[{ tags: { $gt: 'a' } }, ['ab', 'abc', 'mixed']],
	[{ tags: { $gte: 'b', $lt: 'c' } }, ['ab', 'abc']],
	[{ tags: { $wildcard: 'a*b' } }, ['mixed']],
	[{ tags: { $exists: true } }, ['empty', 'a', 'ab', 'abc', 'mixed']],
	[{ o: 1, tags: 'a' }, ['a', 'ab']],
	[{ o: { $gte: 2 }, tags: 'b' }, ['abc']],
	[{ $or: [{ tags: 'b' }, { o: 2 }] }, ['ab', 'abc', 'mixed']],
	[{ $nor: [{ tags: 'b' }] }, ['none', 'empty', 'a', 'mixed']],
	[{ $and: [{ tags: 'a' }, { tags: 'b' }] }, ['ab', 'abc']],
];

/** Filters: each row on an indexed field, on one that is not, and as the condition of a step. */
export function filterCases(bench: Bench): void {
	const { it, store, collection } = bench;
	describe('filters', () => {
		const indexed = [{ name: 'v', keys: ['v'] }];
		const indexedLists = [
			{ name: 'tags', keys: ['tags'], multikey: 'tags' },
			{ name: 'both', keys: ['o', 'tags', '_id'], multikey: 'tags' },
		];
		checkRows(bench, documents, rows, indexed, 'indexed');
		checkRows(bench, documents, rows, [], 'not indexed');
		checkRows(bench, lists, listRows, indexedLists, 'indexed list');
		checkRows(bench, lists, listRows, [], 'list not indexed');

		const wrong: [what: string, filter: unknown][] = [
			['an undefined condition', { v: undefined }],
			['a list', { v: ['a'] }],
			['an empty comparison', { v: {} }],
			['an unknown comparison', { v: { $regex: 'a' } }],
			['an unknown operator', { $where: 'true' }],
			['NaN', { v: Number.NaN }],
			['an object', { v: { $eq: { a: 1 } } }],
			['a comparison with a boolean', { v: { $gt: true } }],
			['an empty path', { '': 1 }],
			['a path with a quote', { 'a"b': 1 }],
			['a path to the prototype', { '__proto__x.__proto__': 1 }],
		];
		for (const [what, filter] of wrong) {
			it(`refuses a filter with ${what}`, async () => {
				const things = await collection<AnyDocument>({ indexes: indexed });
				await things.insert({ _id: 'a' });
				const bad = filter as Filter;
				expect(await things.find({ filter: bad }).catch((error: unknown) => error)).to.be.instanceOf(Error);
				const removal = store().batch([{ kind: 'removeWhere', collection: things.name, filter: bad }]);
				expect(await removal.catch((error: unknown) => error)).to.be.instanceOf(Error);
				const requirement = store().batch([{ kind: 'require', collection: things.name, id: 'a', where: bad }]);
				expect(await requirement.catch((error: unknown) => error)).to.be.instanceOf(Error);
				expect(await things.count({})).to.equal(1);
			});
		}
	});
}

function checkRows(
	{ it, store, collection }: Bench,
	content: readonly AnyDocument[],
	table: typeof rows,
	indexes: readonly IndexSpec[],
	what: string,
): void {
	let things: Collection<AnyDocument>;
	before(async () => {
		things = await collection<AnyDocument>({ indexes });
		await store().batch(content.map((document) => ({ kind: 'put', collection: things.name, document })));
	});
	for (const [filter, ids] of table) {
		const shown = JSON.stringify(filter, (_, value: unknown) =>
			Array.isArray(value) && value.length > 9 ? `${value.length} values` : value,
		);
		it(`answers ${shown} (${what})`, async () => {
			expect(await idsOf(things.find({ filter }))).to.deep.equal([...ids].sort());
			expect(await things.count(filter)).to.equal(ids.length);
			const outcomes = await Promise.all(
				content.map(({ _id }) => store().batch([{ kind: 'require', collection: things.name, id: _id, where: filter }])),
			);
			expect(
				content
					.filter((_, position) => outcomes[position]?.ok)
					.map(({ _id }) => _id)
					.sort(),
			).to.deep.equal([...ids].sort());
		});
	}
}
