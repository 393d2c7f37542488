import { expect } from 'chai';
import type { CollectionSpec, DocumentStore, StoredDocument } from '../../store/index.ts';
import { skipUnless } from '../support/skip.ts';
import { batchCases } from './cases/batches.ts';
import { documentCases } from './cases/documents.ts';
import { filterCases } from './cases/filters.ts';
import { inventoryQueryCases } from './cases/inventory-queries.ts';
import { lifeCases } from './cases/life.ts';
import { modelCases } from './cases/model.ts';
import { queryCases } from './cases/queries.ts';
import { textCases } from './cases/texts.ts';
import { wildcardCases } from './cases/wildcards.ts';
import { type Bench, type ContractEngine, freshName } from './engine.ts';

/** What every engine of the store port promises. Call it once for each engine. */
export function runDocumentStoreContract(engine: ContractEngine): void {
	describe(`store/document-store on ${engine.name}`, () => {
		let open: DocumentStore | undefined;
		const titles = new Set<string>();

		const bench: Bench = {
			engine,
			store: () => {
				if (open === undefined) throw new Error('the store is not open yet');
				return open;
			},
			it: (title, body) => {
				titles.add(title);
				const difference = engine.knownDifferences.find(({ test }) => test === title);
				if (difference === undefined) it(title, body);
				else it(title, skipUnless(false, `known difference: ${difference.reason}`));
			},
			collection: <T extends StoredDocument>(spec: Omit<CollectionSpec<T>, 'name'> = { indexes: [] }) => {
				return bench.store().collection<T>({ ...spec, name: freshName() });
			},
		};

		before(async () => {
			open = await engine.open();
		});
		after(() => open?.close());

		documentCases(bench);
		batchCases(bench);
		filterCases(bench);
		wildcardCases(bench);
		queryCases(bench);
		textCases(bench);
		modelCases(bench);
		inventoryQueryCases(bench);
		lifeCases(bench);

		it('names only existing tests in its known differences', () => {
			expect(engine.knownDifferences.filter(({ test }) => !titles.has(test))).to.deep.equal([]);
		});
	});
}
