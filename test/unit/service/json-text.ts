import { expect } from 'chai';
import { readJson } from '../../../service/json-text.ts';

describe('service/json-text', () => {
	const good: readonly (readonly [text: string | Buffer, value: unknown])[] = [
		['{"a":[1,-0.5e3,{"b":null}]}', { a: [1, -500, { b: null }] }],
		[Buffer.from('\ufeff"marked"'), 'marked'],
		['"\\ud83d\\ude00 \\u0000"', '😀 \u0000'],
		['1.7976931348623157e308', Number.MAX_VALUE],
		['[[[]]]', [[[]]]],
	];
	for (const [text, value] of good) {
		it(`reads ${JSON.stringify(text.toString())}`, () => {
			expect(readJson(text, 3)).to.deep.equal({ ok: true, value });
		});
	}

	const bad: readonly (readonly [text: string | Buffer, fault: RegExp])[] = [
		[Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), /^is not text in UTF-8$/],
		[Buffer.from([0x22, 0xc0, 0xaf, 0x22]), /^is not text in UTF-8$/],
		[Buffer.from('{}', 'utf16le'), /^is not JSON at line 1, column 2/],
		['[1,', /^is not JSON at line 1, column 4: expected a value/],
		['1e999', /^has a number that is too large: write one of at most 1\.79/],
		['{"a":[0,{"b":-1e999}]}', /^has at 'a\[1\]\.b' a number that is too large/],
		['[[1e400]]', /^has at '\[0\]\[0\]' a number/],
		['{"a":{"b":"x\\ud800y"}}', /^has at 'a\.b' half of a character/],
		['["\\uDE00\\uD83D"]', /^has at '\[0\]' half of a character/],
		['{"a":{"x\\udfff":1}}', /^has at 'a\.x\ufffd' a name with half of a character/],
		['{"__proto__":1}', /^has at '__proto__' a name that no field can have/],
		['{"a":[{"__proto__":{"polluted":true}}]}', /^has at 'a\[0\]\.__proto__' a name/],
		['[[[[]]]]', /^is nested too deep: at most 3 levels are read$/],
		[`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, /^is nested too deep/],
		[`${'['.repeat(10_000)}${']'.repeat(10_000)}`, /^is nested too deep/],
	];
	for (const [text, fault] of bad) {
		it(`refuses ${JSON.stringify(text.toString().slice(0, 40))}`, () => {
			const read = readJson(text, 3);
			expect(read.ok ? read.value : read.fault).to.match(fault);
		});
	}
});
