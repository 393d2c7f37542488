import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { table } from '../../../scripts/docs/markdown.ts';
import { pages } from '../../../scripts/docs/pages.ts';

const root = join(import.meta.dirname, '../../..');

describe('project/docs', () => {
	for (const { file, render } of pages) {
		it(`has a fresh ${file} (else: npm run docs)`, async () => {
			expect(readFileSync(join(root, file), 'utf8')).to.equal(await render());
		});
	}

	it('keeps a table in shape whatever is in its cells', () => {
		expect(table(['a', 'b'], [['x | y', 'line\n  break']])).to.equal('| a | b |\n| --- | --- |\n| x \\| y | line break |\n');
	});
});
