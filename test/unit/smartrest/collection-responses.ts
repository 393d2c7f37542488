import { expect } from 'chai';
import fc from 'fast-check';
import { encodeResponses } from '../../../smartrest/collection-responses.ts';
import { decodeRecords } from '../../../smartrest/csv.ts';
import { collectionOf } from './collection-rows.ts';

const options = {
	maximumBytes: 200,
	get budget() {
		return { visits: 200 };
	},
};
const device = { id: '12345', type: 'myMqttDevice', c8y_IsDevice: {}, c8y_Configuration: 'val1=1\nval2=2' };
const operation = {
	id: '12345',
	deviceId: '67890',
	status: 'PENDING',
	c8y_CustomConfiguration: { val1: '1', val2: '2', customValues: ['a', 'b', 'c'] },
};

function linesOf(lines: readonly string[], document: unknown, prefix?: string): readonly string[] {
	const rendered = encodeResponses(collectionOf(...lines), document, { ...options, ...(prefix !== undefined && { prefix }) });
	if (!rendered.ok) throw new Error(rendered.reason);
	return rendered.lines;
}

describe('smartrest/collection-responses', () => {
	it('writes what the documentation shows of a device [SR-11]', () => {
		expect(linesOf(['11,888,,c8y_IsDevice,type,c8y_Test,c8y_Configuration'], device)).to.deep.equal([
			'888,myMqttDevice,,"val1=1\nval2=2"',
		]);
		const lists = { myList: [{ type: 'test' }, { type: 'test2' }] };
		expect(linesOf(['11,888,,,"$.myList[*].type"'], lists)).to.deep.equal(['888,test,test2']);
	});

	it('writes what the documentation shows of an operation [SR-11]', () => {
		const lines = [
			'11,111,c8y_CustomConfiguration,deviceId,val1,val2,customValues[*]',
			'11,222,,deviceId,c8y_CustomConfiguration.val1,c8y_CustomConfiguration.val2',
			'11,333,,deviceId,val1,val2,customValues[*]',
			'11,444,c8y_CustomConfiguration,c8y_CustomConfiguration.val3,val1,val2,customValues[*]',
		];
		expect(linesOf(lines, operation, 'myMqttTestDevice')).to.deep.equal([
			'111,myMqttTestDevice,1,2,a,b,c',
			'222,myMqttTestDevice,1,2',
			'333,myMqttTestDevice,,,',
		]);
	});

	const values: [title: string, value: unknown, line: string][] = [
		['a number', 1.5, '1,1.5'],
		['a flag', true, '1,true'],
		['null', null, '1,'],
		['an object', { a: 'b' }, '1,"{\\"a\\":\\"b\\"}"'],
		['a list', [1, 'x'], '1,"[1,\\"x\\"]"'],
		['text with a comma', 'a,b', '1,"a,b"'],
		['text with a quote', 'say "hi"', '1,"say \\"hi\\""'],
	];
	for (const [title, value, line] of values)
		it(`writes ${title}`, () => expect(linesOf(['11,1,,,v'], { v: value })).to.deep.equal([line]));

	it('writes nothing where no condition is met', () => {
		expect(linesOf(['11,1,,x,v', '10,2,GET,INVENTORY,,true'], { v: 1 })).to.deep.equal([]);
	});

	it('says so when the lines do not fit', () => {
		for (const lines of [['11,1,,,v'], ['11,1,,,w', '11,2,,,w', '11,3,,,w']]) {
			const rendered = encodeResponses(collectionOf(...lines), { v: 'x'.repeat(300), w: 'y'.repeat(80) }, options);
			expect(rendered).to.have.property('reason').that.includes('200 bytes');
		}
		const wide = encodeResponses(collectionOf('11,1,,,v'), { v: 'ä'.repeat(120) }, options);
		expect(wide).to.have.property('ok', false);
	});

	it('says so when too much would have to be looked at', () => {
		const deep = { list: Array.from({ length: 300 }, () => ({ x: 1 })) };
		for (const line of ['11,1,,,..none', '11,1,,..none,list[0].x']) {
			expect(encodeResponses(collectionOf(line), deep, options))
				.to.have.property('reason')
				.that.includes('more values');
		}
	});

	it('takes what it looks at from one budget, a list that one hit ends and what is written as JSON included', () => {
		const budget = { visits: 1000 };
		const document = {
			list: Array.from({ length: 500 }, (_, n) => n),
			names: Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`n${n}`, n])),
		};
		expect(encodeResponses(collectionOf('11,1,,list[*],x'), document, { maximumBytes: 200, budget })).to.have.property(
			'ok',
			true,
		);
		expect(budget.visits, 'one of a list').to.be.above(990);
		expect(encodeResponses(collectionOf('11,1,,names.*,x'), document, { maximumBytes: 200, budget })).to.have.property(
			'ok',
			true,
		);
		expect(budget.visits, 'the names of an object').to.be.below(500);
		expect(encodeResponses(collectionOf('11,1,,,names'), document, { maximumBytes: 20_000, budget })).to.have.property(
			'ok',
			false,
		);
		expect(
			encodeResponses(collectionOf('11,1,,,x'), document, { maximumBytes: 200, budget }),
			'nothing is left',
		).to.have.property('ok', false);
	});

	it('writes lines that are read back as the values, whatever they are', () => {
		fc.assert(
			fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 8 }), { minLength: 1, maxLength: 5 }), (list) => {
				const [line] = linesOf(['11,1,,,list[*]'], { list }, 'serial');
				expect(decodeRecords(line ?? '')[0]?.fields).to.deep.equal(['1', 'serial', ...list]);
			}),
		);
	});

	it('takes any document without throwing', () => {
		const collection = collectionOf('11,1,..a,b,c', '11,2,,,..*', '11,3,a,,b[0]');
		fc.assert(
			fc.property(fc.jsonValue(), (document) => {
				const rendered = encodeResponses(collection, document, options);
				expect(rendered.ok ? Buffer.byteLength(rendered.lines.join('\n')) : 0).to.be.at.most(200);
			}),
		);
	});
});
