import { expect } from 'chai';
import fc from 'fast-check';
import { assignAt, assignmentFault, parsePath, selectPath } from '../../../smartrest/json-path.ts';

const document = {
	id: '12345',
	'a.b': 'dotted',
	'with space': 1,
	c8y_Config: { val1: '1', list: ['a', 'b', 'c'], empty: [], nothing: null },
	items: [
		{ pid: 1, type: 'x' },
		{ pid: 2, type: 'y', items: [{ pid: 3 }] },
	],
};

function find(path: string, value: unknown = document, visits = 1000): unknown[] {
	const parsed = parsePath(path, 10);
	if (!parsed.ok) throw new Error(parsed.reason);
	return [...selectPath(value, parsed.path, { visits })];
}

describe('smartrest/json-path', () => {
	const found: [path: string, values: unknown[]][] = [
		['id', ['12345']],
		['$.id', ['12345']],
		['$', [document]],
		['$.c8y_Config.val1', ['1']],
		['c8y_Config.list[*]', ['a', 'b', 'c']],
		['c8y_Config.list[1]', ['b']],
		['c8y_Config.list[3]', []],
		['c8y_Config.list', [['a', 'b', 'c']]],
		['c8y_Config.empty[*]', []],
		['c8y_Config.nothing', [null]],
		["$['a.b']", ['dotted']],
		['["a.b"]', ['dotted']],
		["['c8y_Config']['list'][0]", ['a']],
		['with space', [1]],
		['items[*].type', ['x', 'y']],
		['items.*.type', ['x', 'y']],
		['$.items..pid', [1, 2, 3]],
		['$..pid', [1, 2, 3]],
		['..pid', [1, 2, 3]],
		['$..items[0].pid', [1, 3]],
		['$..[1].type', ['y']],
		['items.type', []],
		['id.length', []],
		['id[0]', []],
		['items.length', []],
		['missing.deep', []],
		['toString', []],
		['constructor', []],
		['__proto__', []],
	];
	for (const [path, values] of found) it(`finds what ${path} names`, () => expect(find(path)).to.deep.equal(values));

	const bad: [path: string, about: string][] = [
		['', 'empty'],
		['.', 'missing'],
		['$.', 'missing'],
		['a.', 'missing'],
		['a..', 'missing'],
		['a...b', 'missing'],
		['a[', 'closed'],
		['a[0', 'closed'],
		["a['b", 'closed'],
		["a['']", 'single name'],
		["a['b','c']", 'single name'],
		['a[]', 'neither'],
		['a[-1]', 'neither'],
		['a[1:2]', 'neither'],
		['a[0,1]', 'neither'],
		['a[?(@.b==1)]', 'neither'],
		['a[(@.length-1)]', 'neither'],
		['a.length()', 'character'],
		["a'b", 'character'],
		['a]b', 'character'],
		['a\nb', 'character'],
		['a[0]b', 'missing'],
		['$..a..b', 'more than one'],
		['a.b.c.d.e.f.g.h.i.j.k', '10 steps'],
	];
	for (const [path, about] of bad) {
		it(`refuses ${JSON.stringify(path)}`, () => {
			const parsed = parsePath(path, 10);
			expect(parsed.ok ? 'no fault' : parsed.reason).to.include(about);
			expect(parsed.ok ? '' : parsed.reason).to.not.match(/[,"\n]/);
		});
	}

	it('looks at no more than it may', () => {
		const budget = { visits: 5 };
		const parsed = parsePath('$..pid', 10);
		const values = parsed.ok ? [...selectPath(document, parsed.path, budget)] : [];
		expect(values.length).to.be.lessThan(3);
		expect(budget.visits).to.be.lessThan(0);
	});

	it('takes any text without throwing', () => {
		fc.assert(
			fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[$.a[\]'*0-9]{0,12}$/)), fc.jsonValue(), (text, value) => {
				const parsed = parsePath(text, 10);
				if (parsed.ok) expect([...selectPath(value, parsed.path, { visits: 1000 })]).to.be.an('array');
			}),
		);
	});

	it('finds what it has put at a place', () => {
		const name = fc.constantFrom('a', 'b', "['x.y']");
		const step = fc.oneof(
			name.map((text) => (text.startsWith('[') ? text : `.${text}`)),
			fc.nat(3).map((index) => `[${index}]`),
		);
		fc.assert(
			fc.property(fc.array(step, { maxLength: 6 }), fc.string(), (steps, value) => {
				const parsed = parsePath(`$.root${steps.join('')}`, 10);
				if (!parsed.ok) throw new Error(parsed.reason);
				const made: Record<string, unknown> = {};
				expect(assignmentFault(parsed.path, 3)).to.equal(undefined);
				expect(assignAt(made, parsed.path, value)).to.equal(true);
				expect([...selectPath(made, parsed.path, { visits: 100 })]).to.deep.equal([value]);
				expect(JSON.parse(JSON.stringify(made))).to.deep.equal(made);
			}),
		);
	});

	const noPlace: [path: string, about: string][] = [
		['a[*]', 'no single place'],
		['a..b', 'no single place'],
		['$', 'begin with a name'],
		['[0]', 'begin with a name'],
		['a[4]', 'above 3'],
		['a.__proto__.b', 'not allowed'],
		["['__proto__']", 'not allowed'],
	];
	for (const [path, about] of noPlace) {
		it(`puts nothing at ${path}`, () => {
			const parsed = parsePath(path, 10);
			expect(parsed.ok && assignmentFault(parsed.path, 3)).to.include(about);
		});
	}

	const inTheWay: [first: string, second: string, fits: boolean][] = [
		['a', 'a', false],
		['a', 'a.b', false],
		['a.b', 'a', false],
		['a.b', 'a[0]', false],
		['a[0]', 'a.b', false],
		['a.b', 'a.c', true],
		['a[0]', 'a[2]', true],
		['a.toString', 'a.b', true],
	];
	for (const [first, second, fits] of inTheWay) {
		it(`${fits ? 'puts' : 'does not put'} a value at ${second} beside ${first}`, () => {
			const made: Record<string, unknown> = {};
			const paths = [first, second].map((text) => parsePath(text, 10));
			expect(paths.map((parsed) => parsed.ok && assignAt(made, parsed.path, 1))).to.deep.equal([true, fits]);
		});
	}
});
