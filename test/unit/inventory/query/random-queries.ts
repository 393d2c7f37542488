import fc from 'fast-check';
import {
	type Condition,
	joined,
	negated,
	type Operator,
	type ParsedQuery,
	type Value,
} from '../../../../inventory/query/query-tree.ts';

/** Values that random objects and queries share, so that they meet. */
export const sharedTexts = ['', 'a', 'ab', 'abc', 'b', 'B', "it's", 'x*y', '\\', '(x)', '1', '2', 'null', 'ä', '😀', 'AVAILABLE'];
export const sharedNumbers = [0, 1, 2, -1.5, 1e6];
/** Around the time of the objects. */
export const sharedTimes = ['2026-11-21T00:00:00.000Z', '2026-11-21T00:00:01Z', '2026-11-21T01:00:00+01:00', '2026-11-20'];

const piece = fc.constantFrom('a', 'b', 'c', 'B', "'", '\\', '(', '😀', 'ä', '%', '?', '[');
const wildcardText = fc
	.tuple(fc.array(piece, { maxLength: 2 }), fc.array(fc.array(piece, { minLength: 1, maxLength: 2 }), { maxLength: 2 }), fc.array(piece, { maxLength: 2 }))
	.map(([first, middle, last]): Value => ({ kind: 'text', parts: [first, ...middle, last].map((part) => part.join('')) })); // biome-ignore format: three parts of a text
const text = fc.constantFrom(...sharedTexts).map((each): Value => ({ kind: 'text', parts: [each] }));
const number = fc
	.constantFrom(...sharedNumbers)
	.map((value): Value => ({ kind: 'number', value, text: String(value).replace('e+', 'e') }));
const boolean = fc.boolean().map((value): Value => ({ kind: 'boolean', value }));
const nothing = fc.constant<Value>({ kind: 'null' });
const time = fc.constantFrom(...sharedTimes).map((each): Value => ({ kind: 'text', parts: [each] }));

const equality = fc.constantFrom<Operator>('eq', 'ne');
const anyOperator = fc.constantFrom<Operator>('eq', 'ne', 'lt', 'le', 'gt', 'ge');

/** Of random objects: what is single, what is a list, what is nested, what is indexed. */
export const fragmentPaths = [
	'n',
	'deep',
	'deep.er',
	'deep.er.est',
	'tags',
	'c8y_Software.version',
	'c8y_Hardware.serialNumber',
	'never',
	'name.x',
];
export const textPaths = ['name', 'type', 'owner'];
const timePaths = ['creationTime', 'creationTime.date', 'lastUpdated.date'];

const compare = (paths: readonly string[], operator: fc.Arbitrary<Operator>, value: fc.Arbitrary<Value>) =>
	fc.record({ kind: fc.constant('compare' as const), path: fc.constantFrom(...paths), operator, value });

/** Ids of objects: the first one of random objects has 1000. */
const id = fc.integer({ min: 1000, max: 1012 }).map(String);

const term: fc.Arbitrary<Condition> = fc.oneof(
	compare([...fragmentPaths, ...textPaths], equality, fc.oneof(text, wildcardText, number, boolean, nothing)),
	compare([...fragmentPaths, ...textPaths], anyOperator, fc.oneof(text, number)),
	compare(timePaths, anyOperator, time),
	compare(timePaths, equality, nothing),
	compare(['_id', 'id'], anyOperator, fc.oneof(id.map((each): Value => ({ kind: 'number', value: Number(each), text: each })), id.map((each): Value => ({ kind: 'text', parts: [each] })))),
	compare(['c8y_Availability.status'], equality, fc.oneof(fc.constantFrom('AVAILABLE', 'UNAVAILABLE', 'x').map((each): Value => ({ kind: 'text', parts: [each] })), fc.constant<Value>({ kind: 'text', parts: ['UN', ''] }), nothing)),
	fc.record({ kind: fc.constant('has' as const), path: fc.constantFrom('c8y_IsDevice', 'name', 'id', 'c8y_Availability.status', ...fragmentPaths) }),
	fc.record({ kind: fc.constantFrom('group' as const, 'hierarchy' as const), id }),
); // biome-ignore format: one line a kind of term

const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
	condition: fc.oneof(
		{ depthSize: 'small', maxDepth: 3 },
		term,
		fc.tuple(fc.constantFrom('and' as const, 'or' as const), fc.array(tie('condition'), { minLength: 2, maxLength: 3 })).map(([kind, parts]) => joined(kind, parts)),
		tie('condition').map(negated),
	),
})); // biome-ignore format: one line a kind of condition

const order = fc.array(
	fc.tuple(
		fc.constantFrom('name', 'type', 'creationTime', '_id', 'n', 'c8y_Software.version'),
		fc.constantFrom(1 as const, -1 as const),
	),
	{ maxLength: 2 },
);

export const conditionArbitrary = condition;
export const queryArbitrary: fc.Arbitrary<ParsedQuery> = fc
	.tuple(fc.option(condition, { nil: undefined }), order)
	.map(([one, keys]) => ({ ...(one && { condition: one }), order: keys }));
