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

	const speeds: [what: string, batch: (records: number) => number, read: number, sizes: number[]][] = [
		['many at a time where that is quick', (records) => records / 100, 0, [500, 500, 300]],
		['few at a time where each takes its time', (records) => records * 10, 0, [500, ...Array.from({ length: 40 }, () => 20)]],
		['as many as fit where a few are quick enough', (records) => records, 0, [500, 200, 200, 200, 200]],
		['many at a time where all has to wait', (records) => 1000 + records / 100, 1000, [500, 500, 300]],
	];
	for (const [what, batchMilliseconds, readMilliseconds, expected] of speeds) {
		it(`seals ${what}`, async () => {
			store = await openTestStore(() => 0);
			let now = 0;
			const sizes: number[] = [];
			const slow: DocumentStore = {
				...store,
				collection: async <T extends StoredDocument>(spec: CollectionSpec<T>) => {
					const documents = await store.collection(spec);
					const find: typeof documents.find = async (query) => {
						now += readMilliseconds;
						return documents.find(query);
					};
					return { ...documents, find };
				},
				async batch(steps) {
					const outcome = await store.batch(steps);
					const records = steps.length - 1;
					if (!steps.some(({ collection }) => collection === 'auditChains')) return outcome;
					now += batchMilliseconds(records);
					sizes.push(records);
					return outcome;
				},
			};
			const { audited, trail } = await openAuditFixture(slow, {}, () => now);
			const count = 1300;
			for (let from = 0; from < count; from += 100)
				await audited.batch(Array.from({ length: 100 }, (_, n) => insertion(`${from + n}`)));
			expect(await trail.seal([])).to.equal(count);
			expect(sizes).to.deep.equal(expected);
		}).timeout(60_000);
	}
});
