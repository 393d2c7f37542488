import { expect } from 'chai';
import { type AuditRecord, verifyChains } from '../../audit/index.ts';
import type { CollectionSpec, DocumentStore, Step, StoredDocument } from '../../store/index.ts';
import { openAuditFixture, type Thing } from '../support/audit-fixture.ts';
import { openTestStore } from '../support/test-store.ts';

const insertion = (id: string): Step => ({
	kind: 'insert',
	collection: 'things',
	document: { _id: `t1/${id}`, tenant: 't1' } as Thing,
});

describe('contract/audit sealing', () => {
	let store: DocumentStore;
	afterEach(() => store.close());

	/** One that seals what `onPage` makes of each page of records without a place. */
	function openSealing(onPage: (page: readonly StoredDocument[]) => Promise<readonly StoredDocument[]>) {
		return openAuditFixture({
			...store,
			collection: async <T extends StoredDocument>(spec: CollectionSpec<T>) => {
				const documents = await store.collection(spec);
				const find: typeof documents.find = async (query) => {
					const found = await documents.find(query);
					if (!Object.hasOwn(query.filter, 'pending')) return found;
					const page = (await onPage(found)).map(({ _id }) => _id);
					return documents.find({ filter: { _id: { $in: page } }, sort: [['_id', 1]] }).then((all) => all.map(asPending));
				};
				return { ...documents, find };
			},
		});
	}
	function asPending<T extends StoredDocument>(document: T): T {
		const sealed: Partial<AuditRecord> = document;
		const { seq: _seq, hash: _hash, previousHash: _previous, ...said } = sealed;
		return { ...said, pending: true } as unknown as T;
	}

	it('seals nothing anew that another one has sealed, whatever it has read before', async () => {
		store = await openTestStore(() => 0);
		const fixture = await openAuditFixture(store);
		let onPage = async (page: readonly StoredDocument[]) => page;
		const late = await openSealing((page) => onPage(page));
		const other = await openSealing(async (page) => page.slice(1));
		const write = (...ids: string[]) => fixture.audited.batch(ids.map(insertion));
		const state = async () => {
			const reports: unknown[] = [];
			for await (const { records, unsealed, fault } of verifyChains(store, new Map())) reports.push([records, unsealed, fault]);
			return reports;
		};
		await write('1');
		expect(await late.trail.seal([])).to.equal(1);
		// The other one seals a part of what it has just read, behind the end that it knows.
		await write('2', '3');
		let pages = 0;
		onPage = async (page) => {
			if (++pages === 2) await other.trail.seal([]);
			return page;
		};
		expect(await late.trail.seal([])).to.equal(0);
		expect(await state()).to.deep.equal([[2, 1, undefined]]);
		// It reads the end, and then a page that is older, as after a failover.
		let stale: readonly StoredDocument[] | undefined;
		onPage = async (page) => {
			stale ??= page;
			await fixture.trail.seal([]);
			return stale;
		};
		expect(await late.trail.seal([])).to.equal(0);
		expect(await state()).to.deep.equal([[3, 0, undefined]]);
		onPage = async (page) => page;
		await write('4');
		expect(await late.trail.seal([])).to.equal(1);
		expect(await state()).to.deep.equal([[4, 0, undefined]]);
	}).timeout(60_000);
});
