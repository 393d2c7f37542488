import { expect } from 'chai';
import fc from 'fast-check';
import { InventoryError } from '../../../../inventory/index.ts';
import {
	packageTest,
	parseSoftwareConditions,
	type SoftwareCondition,
} from '../../../../inventory/software-search/software-condition.ts';
import { expectRefusal } from '../inventory-bench.ts';

const limits = { maxLength: 200, maxTerms: 8 };
const parse = (...texts: string[]) => parseSoftwareConditions(texts, limits);

describe('inventory/software-search/software-condition', () => {
	const rows: [text: string, condition: Partial<SoftwareCondition>][] = [
		['openssl', {}],
		['!openssl', { isNegated: true }],
		["'!openssl'", { name: '!openssl' }],
		["'it''s; *'", { name: "it's; *" }],
		['libstdc++6', { name: 'libstdc++6' }],
		['openssl;type=apt', { type: 'apt' }],
		['openssl;type==apt', { type: 'apt' }],
		['openssl;version<3.0.15', { versions: [{ comparison: '<', version: '3.0.15' }] }],
		['openssl;version=lt=3.0.15', { versions: [{ comparison: '<', version: '3.0.15' }] }],
		['openssl;version=le=3;version=ge=1:2-1~x', { versions: [{ comparison: '<=', version: '3' }, { comparison: '>=', version: '1:2-1~x' }] }],
		['openssl;version>=3;version=gt=2;version!=4', { versions: [{ comparison: '>=', version: '3' }, { comparison: '>', version: '2' }, { comparison: '!=', version: '4' }] }],
		["openssl;version='1 2'", { versions: [{ comparison: '=', version: '1 2' }] }],
		['openssl;version==1;order=semver;version=1.0.0'.replace('==1;', '==1.0.0;'), { order: 'semver', versions: [{ comparison: '=', version: '1.0.0' }, { comparison: '=', version: '1.0.0' }] }],
	]; // biome-ignore format: one line a row
	for (const [text, condition] of rows) {
		it(`reads ${text}`, () => {
			expect(parse(text)).to.deep.equal([{ isNegated: false, name: 'openssl', versions: [], ...condition }]);
		});
	}

	const bad: [text: string, ...words: string[]][] = [
		['', 'position 1', 'expected the name of a package', 'found the end'],
		['!', 'position 2', 'the name of a package'],
		['!!a', 'position 2'],
		[' a', 'position 1', '%2B'],
		[';type=apt', 'position 1', "found ';'"],
		['a;', 'position 3', 'one of type, version, order', 'found the end'],
		['a;;', 'position 3', "found ';'"],
		['a;Type=x', 'position 3', "found 'T'"],
		['a;versions<1', 'position 3', "found 'versions'"],
		['a<1', 'position 2', "expected ';' or the end"],
		['a*', 'position 2', 'compared exactly'],
		['*', 'position 1', 'compared exactly'],
		['libstdc  6', 'position 8', '%2B'],
		["a'b", 'position 2', "found '''"],
		["'a", 'position 1', "ends with '"],
		["''", 'position 1', 'not empty'],
		["'a'b", 'position 4', "expected ';'"],
		['a;version', 'position 10', '=lt='],
		['a;version ', 'position 10', 'spaces'],
		['a;version~1', 'position 10', "found '~'"],
		['a;version=', 'position 11', 'a version'],
		['a;version=<1', 'position 11', "found '<'"],
		['a;version<<1', 'position 11'],
		['a;version<1 ', 'position 12'],
		['a;type<apt', 'position 7', "expected '=' behind type"],
		['a;type!=apt', 'position 7', "found '!='"],
		['a;type=apt;type=rpm', 'position 12', 'type once'],
		['a;order=deb', 'position 9', 'debian, rpm, semver, numeric'],
		['a;order=rpm;order=rpm', 'position 13', 'order once'],
		['a;version<1.0;order=semver', 'position 11', 'a version in the order semver', "found '1.0'"],
		['a;order=debian;version=1_2', 'position 24', 'in the order debian'],
		['x'.repeat(201), 'at most 200 characters'],
		[`a${';version<1'.repeat(8)}`, 'at most 8 terms'],
	]; // biome-ignore format: one line a row
	for (const [text, ...words] of bad) {
		it(`refuses '${text.slice(0, 40)}'`, () => expectRefusal(() => parse(text), 'inventory/badQuery', 'software', ...words));
	}

	it('says which of several conditions is wrong, and counts the terms of all', async () => {
		await expectRefusal(() => parse('a', 'b;'), 'inventory/badQuery', 'software 2 of 2 cannot be read at position 3');
		await expectRefusal(() => parse(...Array(9).fill('a')), 'inventory/badQuery', 'software 9 of 9', 'at most 8 terms');
	});

	it('throws nothing but its own refusals', () => {
		const text = fc.string({
			unit: fc.constantFrom(..."a1;=<>!'* %\u0000ä", 'type', 'version', 'order', 'rpm', '=lt='),
			maxLength: 30,
		});
		fc.assert(
			fc.property(text, (each) => {
				try {
					parse(each);
				} catch (error) {
					if (!(error instanceof InventoryError) || error.code !== 'inventory/badQuery') throw error;
					expect(Number(error.details?.position)).to.be.within(1, each.length + 1);
				}
			}),
			{ numRuns: 3000 },
		);
	});

	const orders = new Map([['apt', 'debian'], ['npm', 'semver']] as const); // biome-ignore format: one line
	const tests: [condition: string, version: string, type: string | undefined, isMet: boolean][] = [
		['a;version<3.0.15', '3.0.14-1~deb12u2', 'apt', true],
		['a;version<3.0.15', '3.0.15~rc1', 'apt', true],
		['a;version<3.0.15', '3.0.15', 'apt', false],
		['a;version<=3.0.15', '3.0.15', 'apt', true],
		['a;version<3.0.15', '1:1.0', 'apt', false],
		['a;version<1.0.0', '1.0.0-rc.1', 'npm', true],
		['a;version<1.0.0', '1.0.0-rc.1', undefined, false],
		['a;version<1.10', '1.9', undefined, true],
		['a;version<1.10;version>1.2', '1.1', undefined, false],
		['a;version=1.0', '1.00', undefined, true],
		['a;version<9', 'latest', undefined, false],
		['a;version>9', '', 'apt', false],
		['a;version!=9', 'latest', undefined, true],
		['a;version=latest', 'latest', undefined, true],
		['a;version!=latest', 'latest', undefined, false],
		['a;type=apt', '1', undefined, false],
		['a;type=apt', '1', 'apt', true],
		['a;order=rpm;version>1.0', '1.0^a', 'npm', true],
	]; // biome-ignore format: one line a row
	for (const [text, version, type, isMet] of tests) {
		it(`${isMet ? 'finds' : 'does not find'} '${version}' of type ${type} by ${text}`, () => {
			const [condition] = parse(text);
			if (!condition) throw new Error('nothing was read');
			const isWanted = packageTest(condition, orders);
			expect([isWanted(version, type), isWanted(version, type)]).to.deep.equal([isMet, isMet]);
		});
	}
});
