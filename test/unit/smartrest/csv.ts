import { expect } from 'chai';
import fc from 'fast-check';
import { decodeRecords, encodeRecord } from '../../../smartrest/csv.ts';

describe('smartrest/csv', () => {
	it('looks at so many lines only', () => {
		expect(decodeRecords('a\n\nb\nc,"open', 2).map(({ line }) => line)).to.deep.equal([1, 3]);
	});

	const good: [name: string, text: string, fields: string[]][] = [
		['a plain line', '141,a,1.0', ['141', 'a', '1.0']],
		['empty fields', '100,,', ['100', '', '']],
		['quoted fields', '"100","a, b",c', ['100', 'a, b', 'c']],
		['an empty quoted field', '100,"",c', ['100', '', 'c']],
		['a backslash before a quote', '100,"say \\"hi\\""', ['100', 'say "hi"']],
		['a doubled quote', '100,"say ""hi"""', ['100', 'say "hi"']],
		['a field of one quote, escaped', '100,"\\""', ['100', '"']],
		['a field of one quote, doubled', '100,""""', ['100', '"']],
		['an escaped quote before a comma in the field', '100,"a\\", b"', ['100', 'a", b']],
		['an escaped quote at the end', '100,"a\\"",b', ['100', 'a"', 'b']],
		['backslash-n as two characters', '113,"a\\nb"', ['113', 'a\\nb']],
		['single backslashes as they are', '113,"C:\\dir\\x, y"', ['113', 'C:\\dir\\x, y']],
		['doubled backslashes away from a quote as they are', '113,"\\\\host\\dir, y"', ['113', '\\\\host\\dir, y']],
		['a doubled backslash before the closing quote as one', '113,"a, b\\\\"', ['113', 'a, b\\']],
		['JSON from a writer that doubles', '505,1,"{""a"":""say \\""hi\\""!""}"', ['505', '1', '{"a":"say \\"hi\\"!"}']],
		['JSON from a writer that doubles, at the end', '505,1,"x\\"""', ['505', '1', 'x\\"']],
		['line breaks inside quotes', '113,"a\r\nb\n"', ['113', 'a\r\nb\n']],
		['blanks around the line', ' \t141,a \r', ['141', 'a']],
		['blanks around a field', '114, a ,\tb', ['114', 'a', 'b']],
		['blanks around quotes, kept inside', '114, " a " ,b', ['114', ' a ', 'b']],
		['a quote inside an unquoted field as it is', '110,5" disk,it"s"', ['110', '5" disk', 'it"s"']],
		['a byte order mark', '\ufeff500', ['500']],
		['a NUL and a lone surrogate', '113,\u0000\ud800', ['113', '\u0000\ud800']],
	];
	for (const [name, text, fields] of good) {
		it(`reads ${name}`, () => expect(decodeRecords(text)).to.deep.equal([{ line: 1, fields }]));
	}

	const bad: [name: string, text: string, fields: string[], position: number, about: string][] = [
		['an open quote', '141,"a', ['141'], 2, 'not closed'],
		['an open quote that ends in an escaped one', '141,a,"b\\"', ['141', 'a'], 3, 'not closed'],
		['a lone quote', '"', [], 1, 'not closed'],
		['text after the closing quote', '141,"a"b,c', ['141'], 2, 'closing quote'],
		['a quote after the closing quote and a blank', '141,"a" "b"', ['141'], 2, 'closing quote'],
	];
	for (const [name, text, fields, position, about] of bad) {
		it(`refuses ${name}`, () => {
			const [record, ...others] = decodeRecords(`${text}\n500`);
			expect(record).to.deep.include({ line: 1, fields });
			expect(record?.fault).to.have.property('position', position);
			expect(record?.fault).to.have.property('reason').that.includes(about);
			expect(others).to.deep.equal([{ line: 2, fields: ['500'] }]);
		});
	}

	it('loses only the line of an open quote, though later lines have quotes', () => {
		const records = decodeRecords('141,"a,1\n141,b,1,"type A"\n141,"c, d"');
		expect(records.map(({ line, fault }) => [line, fault?.position])).to.deep.equal([
			[1, 2],
			[2, undefined],
			[3, undefined],
		]);
	});

	it('reads back any fields that it wrote', () => {
		fc.assert(
			fc.property(fc.array(fc.array(fieldText(), { minLength: 2, maxLength: 6 }), { minLength: 1, maxLength: 4 }), (lines) => {
				const records = decodeRecords(lines.map(encodeRecord).join('\n'));
				expect(records.map(({ fields }) => fields)).to.deep.equal(lines);
			}),
			{ numRuns: 2000 },
		);
	});

	it('reads what a writer that doubles quotes wrote, but for a backslash where the field could end', () => {
		const double = (value: string) => (/[,"\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value.trim());
		const text = fieldText().filter((value) => !/\\"*[ \t\r]*([,\n]|$)/.test(value));
		fc.assert(
			fc.property(fc.array(text, { minLength: 2, maxLength: 6 }), (fields) => {
				const expected = fields.map((value) => (/[,"\r\n]/.test(value) ? value : value.trim()));
				expect(decodeRecords(`1,${fields.map(double).join(',')}`)).to.have.deep.nested.property('[0].fields', ['1', ...expected]);
			}),
			{ numRuns: 2000 },
		);
	});

	const hostile = [
		'"',
		'1,"\n',
		'1,"""\n',
		'1,"x\n',
		'1,"\\"\n',
		'\\',
		'1,"\\\\',
		' ',
		'1," ',
		'\n',
		',',
		'1\n',
		'1,""',
		'1,"" \n',
		'""',
		'"",',
		'"a" ,',
	];
	for (const piece of hostile) {
		it(`takes linear time for ${JSON.stringify(piece)} again and again`, () => {
			const work = [2000, 20_000].map((times) => readingWork(piece.repeat(times)));
			expect((work[1] ?? 0) / (work[0] ?? 1)).to.be.lessThan(12);
		});
	}
});

function fieldText(): fc.Arbitrary<string> {
	const pieces = fc.constantFrom('"', '""', '\\', '\\\\', ',', '\n', '\r', '\t', ' ', 'a', '\\n', '😀', '\u00a0', '\ufeff');
	return fc.oneof(
		fc.string({ unit: 'binary' }),
		fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
	);
}

/** Counts the characters that reading looks at, by spying on the text's own methods instead of the clock. */
function readingWork(text: string): number {
	let work = 0;
	const spied = Object.assign(Object(text), {
		charCodeAt: (at: number) => {
			work++;
			return text.charCodeAt(at);
		},
		indexOf: (search: string, from: number) => {
			const found = text.indexOf(search, from);
			work += (found === -1 ? text.length : found) - from + 1;
			return found;
		},
		slice: (from: number, to: number) => {
			work += to - from;
			return text.slice(from, to);
		},
	});
	decodeRecords(spied);
	return work;
}
