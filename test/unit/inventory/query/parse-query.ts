import { expect } from 'chai';
import fc from 'fast-check';
import { QueryError } from '../../../../inventory/index.ts';
import { parseQuery } from '../../../../inventory/query/parse-query.ts';
import { printCondition, printQuery } from '../../../../inventory/query/print-query.ts';
import { searchLimits } from '../inventory-bench.ts';
import { queryArbitrary } from './random-queries.ts';

const limits = { ...searchLimits, maxLength: 300, maxDepth: 4, maxTerms: 12, maxWildcards: 3, maxWildcardText: 20 };

describe('inventory/query/parse-query', () => {
	// Each row: what a client sends, and the same as it is printed.
	const good: readonly (readonly [query: string, condition: string, order?: string])[] = [
		["$filter=(name eq 'O''B *')", "name eq 'O''B *'"],
		["$filter=((type eq 'c8y_Software') and (name eq 'python3*'))", "type eq 'c8y_Software' and name eq 'python3*'"],
		['$filter=(has(c8y_IsDevice))', 'has(c8y_IsDevice)'],
		['$filter=(not(has(url)))', 'not(has(url))'],
		["$filter=((a eq 'x') or (b eq 'y'))", "a eq 'x' or b eq 'y'"],
		['$filter=(bygroupid(123))', 'bygroupid(123)'],
		['$filter=(isinhierarchyof(12345))', 'isinhierarchyof(12345)'],
		[
			"$filter=((((type eq 'c8y_Software') and ((name eq '*abc*') or (description eq '*abc*'))) and (name eq '*abc*')) and (not(has(url)))) $orderby=name asc",
			"type eq 'c8y_Software' and (name eq '*abc*' or description eq '*abc*') and name eq '*abc*' and not(has(url))",
			'name',
		],
		[
			"((c8y_Filter.type eq 'X') or (c8y_Filter.type eq '') or (not(has(c8y_Filter.type))))",
			"c8y_Filter.type eq 'X' or c8y_Filter.type eq '' or not(has(c8y_Filter.type))",
		],
		[
			'$filter=((not(has(c8y_Patch))) and (bygroupid(7))) $orderby=creationTime.date desc',
			'not(has(c8y_Patch)) and bygroupid(7)',
			'creationTime.date desc',
		],
		['$filter= $orderby=name', '', 'name'],
		['$orderby=name asc', '', 'name'],
		['', ''],
		['   ', ''],
		['$filter=', ''],
		[
			"$filter=(name eq 'x*') and (type eq 'y') and (c8y_Availability.status eq 'AVAILABLE') and (creationTime.date gt '2026-11-20T00:00:00.000Z') $orderby=name",
			"name eq 'x*' and type eq 'y' and c8y_Availability.status eq 'AVAILABLE' and creationTime.date gt '2026-11-20T00:00:00.000Z'",
			'name',
		],
		[
			"$filter=bygroupid(5) and not(has(c8y_Patch)) and type eq 'c8y_SoftwareBinary' and (c8y_Software.version eq '1*') $orderby=creationTime.date desc,creationTime desc",
			"bygroupid(5) and not(has(c8y_Patch)) and type eq 'c8y_SoftwareBinary' and c8y_Software.version eq '1*'",
			'creationTime.date desc,creationTime desc',
		],
		["(type eq 'c8y_Software') and name eq 'X'", "type eq 'c8y_Software' and name eq 'X'"],
		["has(c8y_IsDeviceGroup) and name eq 'X'", "has(c8y_IsDeviceGroup) and name eq 'X'"],
		["(type eq 'c8y_Service') and name eq 'X' and (bygroupid(9))", "type eq 'c8y_Service' and name eq 'X' and bygroupid(9)"],
		[
			"$filter=(c8y_Software.version eq '1') and bygroupid(3) $orderby=c8y_Software.version,creationTime",
			"c8y_Software.version eq '1' and bygroupid(3)",
			'c8y_Software.version,creationTime',
		],
		["$filter=(_id gt '0') and (a eq 1) $orderby=_id asc", "_id gt '0' and a eq 1", '_id'],
		[
			"$filter=(has(c8y_Global) and name eq 'O''B x*' and type eq c8y_Software)+$orderby=name",
			"has(c8y_Global) and name eq 'O''B x*' and type eq 'c8y_Software'",
			'name',
		],
		['$filter=(bygroupid(5) and type eq c8y_SoftwareBinary and owner eq me)', "bygroupid(5) and type eq 'c8y_SoftwareBinary' and owner eq 'me'"],
		["$filter=(type eq 'c8y_Service') and (status eq 'up')", "type eq 'c8y_Service' and status eq 'up'"],
		['(c8y_Hardware.serialNumber eq SERIAL)', "c8y_Hardware.serialNumber eq 'SERIAL'"],
		['(name eq logfileX)', "name eq 'logfileX'"],
		['name eq x+$orderby=name', "name eq 'x'", 'name'],
		['name eq a+b + $ORDERBY=name DESC', "name eq 'a+b'", 'name desc'],
		["name eq 'O''Brien \\(x\\)'", "name eq 'O''Brien (x)'"],
		["name eq 'a\\\\b\\[c\\]'", "name eq 'a\\\\b[c]'"],
		["name eq '\\*'", "name eq '\\*'"],
		["name eq 'a**b***'", "name eq 'a*b*'"],
		["name eq ''", "name eq ''"],
		["name eq ''''", "name eq ''''"],
		['count gt 2f', 'count gt 2f'],
		['count eq -2.5e3', 'count eq -2.5e3'],
		['a eq null and b ne true or c eq false', '(a eq null and b ne true) or c eq false'],
		["a eq 'null'", "a eq 'null'"],
		['hasany(a,b.c, d)', 'has(a) or has(b.c) or has(d)'],
		['not(not(has(a)))', 'has(a)'],
		['not has(a) AND NOT (b eq 1)', 'not(has(a)) and not(b eq 1)'],
		['a eq and', "a eq 'and'"],
		['((((((((((((((((a eq 1))))))))))))))))', 'a eq 1'],
		["bygroupid('12')", 'bygroupid(12)'],
		['has eq 1', 'has eq 1'],
		["ä.ö eq 'ü😀'", "ä.ö eq 'ü😀'"],
	]; // biome-ignore format: one line a row
	for (const [query, condition, order = ''] of good) {
		it(`reads ${query || 'nothing'}`, () => {
			const parsed = parseQuery(query, searchLimits);
			expect(parsed.condition ? printCondition(parsed.condition) : '').to.equal(condition);
			expect(parsed.order.map(([path, direction]) => (direction === 1 ? path : `${path} desc`)).join(',')).to.equal(order);
		});
	}

	// Each row: the query, the position of the fault, what is there.
	const bad: readonly (readonly [query: string, position: number, expected: RegExp, found: string])[] = [
		['name', 5, /an operator \(eq/, ''],
		['name = 1', 6, /an operator/, '='],
		['name eq', 8, /a value/, ''],
		['name eq )', 9, /a value/, ')'],
		["name eq 'x", 9, /ends with a quote/, "'x"],
		["name eq 'x\\'", 9, /ends with a quote/, "'x\\'"],
		["name eq 'a' name eq 'b'", 13, /'and', 'or'/, 'name'],
		["(name eq 'a'", 13, /a closing parenthesis/, ''],
		["name eq 'a')", 12, /'and', 'or'/, ')'],
		['()', 2, /a condition/, ')'],
		['and', 4, /an operator/, ''],
		['a eq 1 and', 11, /a condition/, ''],
		['a eq 1 or or b eq 1', 14, /an operator/, 'b'],
		['not', 4, /a condition/, ''],
		["'a' eq 1", 1, /a condition/, "'a'"],
		['has()', 5, /a path/, ')'],
		['has(a', 6, /a closing parenthesis/, ''],
		['has(a,b)', 6, /a closing parenthesis/, ','],
		['hasany(a,)', 10, /a path/, ')'],
		['isof(1)', 1, /has, hasany, bygroupid, isinhierarchyof/, 'isof'],
		['bygroupid(x)', 11, /decimal digits/, 'x'],
		["bygroupid('1''')", 11, /decimal digits/, "'1'''"],
		['a..b eq 1', 1, /a path/, 'a..b'],
		['.a eq 1', 1, /a path/, '.a'],
		['$where eq 1', 1, /a path/, '$where'],
		['a.__proto__.b eq 1', 1, /a path/, 'a.__proto__.b'],
		['a" eq 1', 1, /a path/, 'a"'],
		['a* eq 1', 1, /a path/, 'a*'],
		["creationTime gt 'yesterday'", 17, /a time such as/, "'yesterday'"],
		['lastUpdated.date eq 5', 21, /a time such as/, '5'],
		["_id gt 'x'", 8, /an id: decimal digits/, "'x'"],
		['a gt null', 6, /a number, a text or a time/, 'null'],
		["name eq 'a\\*b*'", 9, /not with both/, "'a\\*b*'"],
		['$orderby=', 10, /a path/, ''],
		['$orderby=a b', 12, /asc, desc, a comma or the end/, 'b'],
		['$orderby=a,', 12, /a path/, ''],
		['$orderby=a $filter=b eq 1', 12, /asc, desc/, '$filter=b'],
		['a eq 1 $orderby=a $orderby=b', 19, /asc, desc/, '$orderby='],
		['a eq 1; b eq 2', 9, /'and', 'or'/, 'b'],
		[`a eq '${'x'.repeat(300)}'`, 301, /at most 300 characters/, "xxxxxx'"],
		["a eq '****b*c*d*e'", 6, /at most 3 wildcards/, "'****b*c*d*e'"],
		["a eq 'b*cccccccccccccccccccccd*'", 6, /at most 20 characters between two wildcards/, "'b*cccccccccccccccccccccd*'"],
		["a eq '*cccccccccccccccccccccd'", 6, /or behind the last one/, "'*cccccccccccccccccccccd'"],
		[Array.from({ length: 13 }, () => 'a eq 1').join(' or '), 121, /at most 12 terms/, 'a'],
		['not(a eq 1 and not(b eq 1 or not(c eq 1 and d eq 1)))', 53, /nested at most 4 deep/, ')'],
	]; // biome-ignore format: one line a row
	for (const [query, position, expected, found] of bad) {
		it(`refuses ${query.slice(0, 60)}`, () => {
			const error = refusalOf(query);
			expect(error).to.be.instanceOf(QueryError);
			expect(error?.details?.found).to.equal(found.slice(0, 40));
			expect(error?.details?.expected).to.match(expected);
			expect(error?.position).to.equal(position);
			expect(error?.message).to.contain(`position ${position}`);
		});
	}

	function refusalOf(query: string): QueryError | undefined {
		try {
			parseQuery(query, limits);
		} catch (error) {
			if (error instanceof QueryError) return error;
			throw error;
		}
		return undefined;
	}

	it('reads what it prints as the same query', () => {
		fc.assert(
			fc.property(queryArbitrary, (query) => {
				const printed = printQuery(query);
				const read = parseQuery(printed, { ...searchLimits, maxDepth: 20, maxTerms: 1000, maxLength: 100_000 });
				expect(printQuery(read)).to.equal(printed);
				expect(read, printed).to.deep.equal(query);
			}),
			{ numRuns: 2000 },
		);
	});

	it('throws nothing but its own error, whatever it reads', () => {
		const pieces = fc.constantFrom(
			...['(', ')', "'", "''", '\\', '*', ',', ' ', '+', '$', '.', '-', '"', '\u0000', '\ud800', '😀', '1', '2f', 'a', 'a.b'],
			...['and', 'or', 'not', 'not(', 'has(', 'hasany(', 'bygroupid(', 'isinhierarchyof(', ' eq ', ' gt ', 'null', '$filter=', '$orderby='],
			...['_id', 'creationTime', 'constructor', 'true', 'desc', "'2026-01-01'"],
		); // biome-ignore format: a list of words
		const text = fc.oneof(
			fc.array(pieces, { maxLength: 40 }).map((words) => words.join('')),
			fc.string({ unit: 'binary', maxLength: 60 }),
		);
		fc.assert(
			fc.property(text, (query) => {
				const error = refusalOf(query);
				if (error) expect(error.position).to.be.within(1, query.length + 1);
			}),
			{ numRuns: 5000 },
		);
	});

	// What grew with the square of the length would not end within the time of a test.
	it('gets to the end of a hundred thousand signs of any shape', () => {
		const much = {
			maxLength: 10_000_000,
			maxDepth: 20,
			maxTerms: 10_000_000,
			maxWildcards: 10_000_000,
			maxWildcardText: 10_000_000,
		};
		const shapes: readonly ((times: number) => string)[] = [
			(times) => '('.repeat(times),
			(times) => `${'('.repeat(times)}a eq 1${')'.repeat(times)}`,
			(times) => 'not '.repeat(times),
			(times) => `a eq '${"''".repeat(times)}`,
			(times) => `a eq '${'\\'.repeat(times)}`,
			(times) => `a eq ${'+'.repeat(times)}`,
			(times) => ' '.repeat(times),
			(times) => `a eq 1${' +'.repeat(times)}`,
			(times) => `a eq ${'9'.repeat(times)}`,
			(times) => `a eq '${'x*'.repeat(times)}'`,
			(times) => `${'a.'.repeat(times)}a eq 1`,
		];
		for (const shape of shapes) {
			try {
				parseQuery(shape(100_000), much);
			} catch (error) {
				if (!(error instanceof QueryError)) throw error;
			}
		}
	});
});
