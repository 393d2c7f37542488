import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { breach, findCycle } from '../../support/import-law.ts';
import { type Import, parseSource, sourceFiles } from '../../support/source-files.ts';

const root = join(import.meta.dirname, '../../..');
const product = /^(?!test\/|bench\/|scripts\/|examples\/)/;

const lawful: readonly [file: string, imported: Import][] = [
	['inventory/devices.ts', { path: 'store/index.ts' }],
	['inventory/devices.ts', { path: 'inventory/external-ids.ts' }],
	['rollouts/plan.ts', { path: 'compliance/index.ts' }],
	['store/sqlite/sqlite-store.ts', { path: 'store/document-store.ts' }],
	['store/sqlite/sqlite-store.ts', { package: 'libsql' }],
	['service/http/app.ts', { path: 'inventory/index.ts' }],
	['service/http/app.ts', { path: 'service/metrics.ts' }],
	['service/mqtt/inbound.ts', { path: 'smartrest/index.ts' }],
	['service/store-fault.ts', { path: 'store/index.ts' }],
	['service/http/app.ts', { path: 'service/http/problem.ts' }],
	['service/listeners.ts', { path: 'service/mqtt/index.ts' }],
	['service/version.ts', { path: 'package.json' }],
	['service/compose.ts', { path: 'store/sqlite/index.ts' }],
	['service/open-store.ts', { path: 'store/mongodb/index.ts' }],
	['service/compose.ts', { path: 'service/http/app.ts' }],
	['service/main.ts', { path: 'service/compose.ts' }],
	['access/tokens.ts', { package: 'node:crypto' }],
	['test/unit/smartrest/csv.ts', { path: 'smartrest/csv.ts' }],
	['bench/ingest.ts', { path: 'store/sqlite/index.ts' }],
];

const unlawful: readonly [file: string, imported: Import][] = [
	['smartrest/decode.ts', { path: 'inventory/index.ts' }],
	['smartrest/decode.ts', { package: 'zod' }],
	['smartrest/decode.ts', { package: 'node:buffer' }],
	['config/load.ts', { path: 'service/log.ts' }],
	['inventory/devices.ts', { path: 'operations/index.ts' }],
	['inventory/devices.ts', { path: 'store/document-store.ts' }],
	['inventory/devices.ts', { path: 'store/sqlite/index.ts' }],
	['inventory/devices.ts', { package: 'libsql' }],
	['access/users.ts', { path: 'inventory/index.ts' }],
	['store/index.ts', { path: 'store/sqlite/index.ts' }],
	['store/sqlite/sqlite-store.ts', { path: 'inventory/index.ts' }],
	['store/sqlite/sqlite-store.ts', { path: 'store/mongodb/index.ts' }],
	['service/http/app.ts', { path: 'service/mqtt/inbound.ts' }],
	['service/http/app.ts', { path: 'smartrest/index.ts' }],
	['service/http/app.ts', { path: 'store/index.ts' }],
	['inventory/devices.ts', { path: 'package.json' }],
	['service/mqtt/inbound.ts', { path: 'inventory/devices.ts' }],
	['service/mqtt/inbound.ts', { path: 'service/compose.ts' }],
	['service/scheduler.ts', { package: 'express' }],
	['service/compose.ts', { path: 'store/sqlite/sqlite-store.ts' }],
	['service/compose.ts', { path: 'test/support/skip.ts' }],
	['service/main.ts', { path: 'store/sqlite/index.ts' }],
	['service/compose.ts', { path: 'examples/device.ts' }],
	['utilities/text.ts', { path: 'store/index.ts' }],
];

describe('project/import-law', () => {
	const files = sourceFiles();

	it('finds the imports of a file', () => {
		const text = `
			import { a } from './a.ts'; import type { B } from "../store/index.ts";
			export { c,
				d } from './sub/c.ts';
			import 'tsx'; import z from '@scope/name/deep';
			const late = await import('./late.ts'); type T = import('zod/v4').ZodType;
			// import { no } from './comment.ts';
			const text = "import { no } from './text.ts'"; const list = Array.from('abc');`;
		expect(parseSource('inventory/x.ts', text).imports).to.deep.equal([
			{ path: 'inventory/a.ts' },
			{ path: 'store/index.ts' },
			{ path: 'inventory/sub/c.ts' },
			{ package: 'tsx' },
			{ package: '@scope/name' },
			{ path: 'inventory/late.ts' },
			{ package: 'zod' },
		]);
	});

	for (const [file, imported] of lawful) {
		it(`lets ${file} import ${Object.values(imported)}`, () => {
			expect(breach(file, imported)).to.equal(undefined);
		});
	}

	for (const [file, imported] of unlawful) {
		it(`stops ${file} from importing ${Object.values(imported)}`, () => {
			expect(breach(file, imported)).to.be.a('string');
		});
	}

	it('finds a circle', () => {
		const circle = ['a.ts', 'b.ts', 'c.ts'].map((path, index, all) => parseSource(path, `import './${all[(index + 1) % 3]}';`));
		expect(findCycle(circle)).to.deep.equal(['a.ts', 'b.ts', 'c.ts', 'a.ts']);
		expect(findCycle(circle.slice(1))).to.equal(undefined);
	});

	it('is kept by every file', () => {
		const breaches = files.flatMap(({ path, imports }) =>
			imports
				.map((imported) => breach(path, imported))
				.filter((reason) => reason !== undefined)
				.map((reason) => `${path}: ${reason}`),
		);
		expect(breaches).to.deep.equal([]);
	});

	it('leaves no circle of imports', () => {
		expect(findCycle(files)).to.equal(undefined);
	});

	it('lets the product use only packages that are installed with it', () => {
		const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
		const strangers = files
			.filter(({ path }) => product.test(path))
			.flatMap(({ path, imports }) => imports.map((imported) => ({ path, name: 'package' in imported ? imported.package : '' })))
			.filter(({ name }) => name !== '' && !name.startsWith('node:') && !Object.hasOwn(dependencies, name));
		expect(strangers).to.deep.equal([]);
	});
});
