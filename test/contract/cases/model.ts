import { expect } from 'chai';
import fc from 'fast-check';
import type { Filter, IndexSpec, Query, Step } from '../../../store/index.ts';
import type { AnyDocument, Bench } from '../engine.ts';
import { applyNaively, matchesNaively, sortNaively } from './naive.ts';

const word = fc
	.array(fc.constantFrom('a', 'b', 'A', '%', '_', '?', '[', ']', '\\', '*', 'é', '😀', '\uffee', '"', "'", '\u0001', '1'), {
		maxLength: 3,
	})
	.map((characters) => characters.join(''));
const scalar = fc.oneof(
	word,
	fc.integer({ min: -3, max: 3 }),
	fc.constantFrom(0.5, -1.25, 1e15),
	fc.boolean(),
	fc.constant(null),
);
const ordered = fc.oneof(word, fc.integer({ min: -3, max: 3 }));

const document = fc.record(
	{ a: scalar, b: scalar, o: fc.record({ p: scalar }, { requiredKeys: [] }), tags: fc.array(scalar, { maxLength: 3 }) },
	{ requiredKeys: [] },
);

const path = fc.constantFrom('a', 'b', 'o.p', 'tags', '_id', 'never');
const comparison = fc
	.record(
		{
			$eq: scalar,
			$ne: scalar,
			$gt: ordered,
			$gte: ordered,
			$lt: ordered,
			$lte: ordered,
			$in: fc.array(scalar, { maxLength: 3 }),
			$exists: fc.boolean(),
			$wildcard: word,
		},
		{ requiredKeys: [] },
	)
	.filter((operators) => Object.keys(operators).length > 0);
const field = fc.dictionary(path, fc.oneof(scalar, comparison), { minKeys: 1, maxKeys: 2 });
const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
	filter: fc.oneof(
		{ depthSize: 'small' },
		field,
		...['$and', '$or', '$nor'].map((operator) =>
			fc.array(tie('filter'), { minLength: 1, maxLength: 3 }).map((parts) => ({ [operator]: parts })),
		),
		fc.tuple(field, fc.array(tie('filter'), { minLength: 1, maxLength: 2 })).map(([fields, $or]) => ({ ...fields, $or })),
	),
}));

const update = fc.oneof(
	fc
		.record({ a: scalar, 'o.p': scalar, tags: fc.array(scalar, { maxLength: 3 }) }, { requiredKeys: [] })
		.map(($set) => ({ $set })),
	fc.subarray(['a', 'b', 'o.p', 'tags', 'never']).map(($unset) => ({ $unset })),
	fc.integer({ min: -2, max: 2 }).map((n) => ({ $inc: { n }, $set: { b: n } })),
);

const ids = ['', 'a', 'A', 'b', '[', '😀'];
const id = fc.constantFrom(...ids);
const step = fc.oneof(
	fc.record({ kind: fc.constant('put' as const), document: fc.tuple(id, document).map(([_id, fields]) => ({ _id, ...fields })) }),
	fc.record({
		kind: fc.constant('insert' as const),
		document: fc.tuple(id, document).map(([_id, fields]) => ({ _id, ...fields })),
	}),
	fc.record({ kind: fc.constant('update' as const), id, where: filter, update }),
	fc.record({ kind: fc.constant('update' as const), id, update }),
	fc.record({ kind: fc.constant('require' as const), id, where: filter }),
	fc.record({ kind: fc.constant('remove' as const), id }),
	fc.record({ kind: fc.constant('removeWhere' as const), filter }),
);

const indexings: [what: string, spec: { readonly indexes: readonly IndexSpec[] }][] = [
	['no index', { indexes: [] }],
	[
		'all indexes',
		{
			indexes: [
				{ name: 'a', keys: ['a', 'b'] },
				{ name: 'p', keys: ['o.p'] },
				{ name: 'b', keys: ['b', '_id'] },
				{ name: 'tags', keys: ['tags', 'a'], multikey: 'tags' },
				{ name: 'atags', keys: ['a', 'tags'], multikey: 'tags' },
			],
		},
	],
];

/** Random documents, batches and queries, compared with the plainest possible evaluation in memory. */
export function modelCases({ it, collection, store }: Bench): void {
	describe('model', () => {
		for (const [what, spec] of indexings) {
			it(`answers random queries like the model (${what})`, async () => {
				const things = await collection<AnyDocument>(spec);
				await fc.assert(
					fc.asyncProperty(
						fc.array(document, { maxLength: 12 }),
						fc.array(filter, { minLength: 1, maxLength: 8 }),
						fc.array(fc.tuple(fc.constantFrom('a', 'b', 'o.p', 'n'), fc.constantFrom(1 as const, -1 as const)), { maxLength: 2 }),
						async (fields, filters, sort) => {
							const model = fields.map((content, number): AnyDocument => ({ _id: `${number}`, ...content }));
							await store().batch([
								{ kind: 'removeWhere', collection: things.name, filter: {} },
								...model.map((one): Step => ({ kind: 'put', collection: things.name, document: one })),
							]);
							for (const one of filters) {
								const order: Query['sort'] = [...sort, ['_id', 1]];
								const expected = sortNaively(
									model.filter((candidate) => matchesNaively(candidate, one)),
									order,
								);
								const context = JSON.stringify(one);
								expect(await things.find({ filter: one, sort: order }), context).to.deep.equal(expected);
								expect(await things.count(one), context).to.equal(expected.length);
								const { text, hasMore } = await things.findText({ filter: one, sort: order, limit: 2 });
								const texts = expected.slice(0, 2).map(({ _id, ...rest }) => rest);
								expect({ found: JSON.parse(text), hasMore }, context).to.deep.equal({
									found: texts,
									hasMore: expected.length > 2,
								});
							}
						},
					),
					{ numRuns: 120 },
				);
			});

			it(`applies random batches like the model (${what})`, async () => {
				const things = await collection<AnyDocument>(spec);
				await fc.assert(
					fc.asyncProperty(fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 8 }), async (batches) => {
						await store().batch([{ kind: 'removeWhere', collection: things.name, filter: {} }]);
						let model: readonly AnyDocument[] = [];
						const expected: boolean[] = [];
						for (const steps of batches) {
							const after = applyNaively(model, steps);
							expected.push(after !== undefined);
							model = after ?? model;
						}
						const inCollection = batches.map((steps) => steps.map((one): Step => ({ ...one, collection: things.name })));
						const outcomes = await Promise.all(inCollection.map((steps) => store().batch(steps)));
						expect(outcomes.map(({ ok }) => ok)).to.deep.equal(expected);
						expect(await things.find({ filter: {}, sort: [['_id', 1]] })).to.deep.equal(sortNaively(model, [['_id', 1]]));
						for (const tag of ['a', 1, true]) {
							const holding = model.filter((one) => matchesNaively(one, { tags: tag }));
							expect(await things.find({ filter: { tags: tag }, sort: [['_id', 1]] })).to.deep.equal(
								sortNaively(holding, [['_id', 1]]),
							);
						}
					}),
					{ numRuns: 120 },
				);
			});
		}
	});
}
