import { expect } from 'chai';
import { type Field, type Template, templates } from '../../../smartrest/index.ts';
import { templateRows } from './template-rows.ts';

const table: readonly Template[] = templates;

describe('smartrest/templates', () => {
	it('has every template that the specification names', () => {
		const up =
			'100 101 102 104 105 107 110 111 112 113 114 115 116 117 118 119 120 121 122 123 125 140 141 142 143 150 200 201 210 211 212 ' +
			'301 302 303 304 305 306 307 400 401 402 407 500 501 502 503 504 505 506 507 600 602';
		const down = '20 41 70 71 106 124 510 511 513 515 516 520 521 522 524 525 526 527 528 529 530 601 603';
		expect(idsOf('up')).to.deep.equal(up.split(' '));
		expect(idsOf('down')).to.deep.equal(down.split(' '));
	});

	it('has every name once', () => {
		expect(new Set(table.map(({ name }) => name)).size).to.equal(table.length);
	});

	for (const template of table) {
		describe(`${template.id} ${template.name}`, () => {
			it('is a well-formed row', () => {
				expect(template.name).to.match(/^([A-Z][a-z]+)+$/);
				expect(template.clause).to.equal(`[SR-${template.id}]`);
				expect(template.effect).to.match(/^[A-Z].*\.$/);
				expect(template.group !== undefined && template.sections !== undefined).to.equal(false);
				const names = namesOf([...template.fields, ...(template.group ?? [])]);
				expect(new Set(names).size).to.equal(names.length);
			});

			it('goes on in a template of the same shape', () => {
				if (template.continuation === undefined) return;
				const continuation = table.find(({ name }) => name === template.continuation);
				expect(continuation?.direction).to.equal(template.direction);
				expect(continuation?.fields).to.deep.equal(template.fields);
				expect(continuation?.group).to.deep.equal(template.group);
				expect(continuation?.continuation).to.equal(continuation?.name);
			});

			it('has good and bad rows in the tests', () => {
				const rows = Object.entries(templateRows).find(([name]) => name === template.name)?.[1];
				expect(rows?.good.length).to.be.greaterThan(0);
				expect(rows?.bad.length).to.be.greaterThan(0);
			});
		});
	}
});

function idsOf(direction: 'up' | 'down'): string[] {
	return table.filter((template) => template.direction === direction).map(({ id }) => id);
}

function namesOf(fields: readonly Field[]): string[] {
	return fields.map(({ name }) => name);
}
