import { expect } from 'chai';
import { isManagedObjectId, parseManagedObjectId, parseObjectBody } from '../../../inventory/index.ts';
import { expectRefusal } from './inventory-bench.ts';

const limits = { maxFragments: 3 };

describe('inventory/managed-object', () => {
	for (const text of ['1', '1000', '999999999999999', '0']) {
		it(`takes '${text}' for an id`, () => expect(parseManagedObjectId(text)).to.equal(text));
	}
	for (const text of ['', 'a', '-1', '1.0', ' 1', '1 ', '0x1', '١', '1000000000000000', '1\n', '../1']) {
		it(`refuses '${JSON.stringify(text)}' as an id`, async () => {
			expect(isManagedObjectId(text)).to.equal(false);
			await expectRefusal(() => parseManagedObjectId(text), 'inventory/notFound', 'decimal digits');
		});
	}

	it('splits a body into name, type, fragments and the software list', () => {
		const body = { name: 'n', type: 't', c8y_SoftwareList: [], a: 1, b: null };
		expect(parseObjectBody(body, limits)).to.deep.equal({ name: 'n', type: 't', softwareList: [], fragments: { a: 1, b: null } });
	});

	it('ignores what only the service sets, in a whole object that is sent back', () => {
		const references = { self: 'x', references: [] };
		const body = {
			id: '5',
			self: 'https://h/inventory/managedObjects/5',
			owner: 'me',
			creationTime: 'then',
			lastUpdated: 'now',
			childDevices: references,
			childAssets: references,
			childAdditions: references,
			deviceParents: references,
			assetParents: references,
			additionParents: references,
			name: 'n',
			c8y_IsDevice: {},
		};
		expect(parseObjectBody(body, limits)).to.deep.equal({ name: 'n', fragments: { c8y_IsDevice: {} } });
	});

	it('keeps null apart from absence', () => {
		expect(parseObjectBody({ name: null, type: null, c8y_SoftwareList: null }, limits)).to.deep.equal({
			name: null,
			type: null,
			fragments: {},
			softwareList: null,
		});
		expect(parseObjectBody({}, limits)).to.deep.equal({ fragments: {} });
	});

	for (const body of [null, [], [{}], 'text', 5, true, undefined]) {
		it(`refuses ${JSON.stringify(body) ?? 'nothing'} as a body`, () =>
			expectRefusal(() => parseObjectBody(body, limits), 'inventory/invalid', 'JSON object'));
	}

	for (const name of [
		'a',
		'c8y_X',
		'com_x_Y',
		'ä-ö',
		'名前',
		'日本😀',
		'1',
		'x'.repeat(255),
		'a/b',
		'hasOwnProperty',
		'toString',
	]) {
		it(`takes '${name.slice(0, 20)}' for the name of a fragment`, () =>
			expect(parseObjectBody({ [name]: 1 }, limits).fragments).to.deep.equal({ [name]: 1 }));
	}
	const badNames = [
		'',
		'a.b',
		'.',
		'$x',
		'a$',
		'a b',
		'a\tb',
		'a\u0000b',
		'a\u0085b',
		'a\u007f',
		'x'.repeat(256),
		'constructor',
		'prototype',
		'_id',
	];
	for (const name of badNames) {
		it(`refuses ${JSON.stringify(name.slice(0, 20))} (${name.length}) as the name of a fragment`, () =>
			expectRefusal(() => parseObjectBody({ [name]: 1 }, limits), 'inventory/invalid', 'fragment'));
	}
	it('refuses __proto__ as the name of a fragment', () =>
		expectRefusal(() => parseObjectBody(JSON.parse('{"__proto__": {"a": 1}}'), limits), 'inventory/invalid', '__proto__'));

	it('refuses what is nested deeper than can be stored, however deep', async () => {
		const nested = (levels: number) => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
		expect(parseObjectBody({ a: nested(100) }, limits).fragments).to.have.all.keys('a');
		for (const levels of [101, 5000])
			for (const key of ['a', 'c8y_SoftwareList'])
				await expectRefusal(() => parseObjectBody({ [key]: nested(levels) }, limits), 'inventory/invalid', key, 'too deep');
	});

	it('refuses more fragments than allowed, and says how many', () =>
		expectRefusal(() => parseObjectBody({ a: 1, b: 1, c: 1, d: 1 }, limits), 'inventory/invalid', '4 fragments', 'at most 3'));

	for (const [field, value] of [
		['name', 5],
		['type', {}],
		['name', ['a']],
		['type', true],
		['name', 'x'.repeat(1025)],
	] as const) {
		it(`refuses ${JSON.stringify(value).slice(0, 20)} as ${field}`, () =>
			expectRefusal(() => parseObjectBody({ [field]: value }, limits), 'inventory/invalid', field));
	}
});
