import { expect } from 'chai';
import { pino } from 'pino';
import { load } from '../../config/index.ts';
import { compose } from '../../service/compose.ts';
import { collections } from '../../service/migrations.ts';
import {
	type CollectionSpec,
	type CopyReport,
	copyStore,
	type DocumentStore,
	openSchema,
	type StoredDocument,
	StoreError,
	takeIntoUse,
} from '../../store/index.ts';
import { openSharedStore } from '../support/shared-store.ts';
import type { AnyDocument } from './engine.ts';

const things: CollectionSpec<AnyDocument> = { name: 'things', indexes: [{ name: 'owner', keys: ['owner'] }] };
const others: CollectionSpec<AnyDocument> = { name: 'others', indexes: [] };
const running: CollectionSpec<AnyDocument> = { name: 'running', indexes: [], ofProcesses: true };
const specs: readonly CollectionSpec<StoredDocument>[] = [things, others, running];

interface Call {
	readonly verify?: boolean;
	readonly signal?: AbortSignal;
	readonly name?: string;
	readonly target?: DocumentStore;
	readonly source?: DocumentStore;
	readonly now?: number;
	readonly specs?: readonly CollectionSpec<StoredDocument>[];
	readonly tell?: Parameters<typeof copyStore>[0]['tell'];
}

describe('contract/copy-store', () => {
	let source: DocumentStore;
	let target: DocumentStore;
	let made = 0;
	beforeEach(async () => {
		source = await openSharedStore();
		target = await openSharedStore();
	});
	afterEach(async () => {
		await source.close();
		await target.close();
	});

	async function copy(call: Call = {}): Promise<CopyReport> {
		return copyStore({
			source: { store: call.source ?? source, place: 'the source' },
			target: { store: call.target ?? target, place: 'the target' },
			collections: call.specs ?? specs,
			name: call.name ?? `copy ${made++}`,
			now: call.now ?? Date.now(),
			verify: call.verify ?? false,
			signal: call.signal ?? new AbortController().signal,
			tell: call.tell ?? (() => {}),
		});
	}

	async function fill(count = 2500): Promise<void> {
		for (const spec of specs) await source.collection(spec);
		const put = (collection: string, document: AnyDocument) => ({ kind: 'put', collection, document }) as const;
		await source.batch([
			...Array.from({ length: count }, (_, n) =>
				put('things', { _id: `${n} \u{1F600}`, owner: n % 7, deep: { b: [n], a: null } }),
			),
			put('others', { _id: 'o', 'a.b': { $x: 'odd' } }),
			put('running', { _id: 'r' }),
		]);
	}

	async function contentOf(store: DocumentStore, spec: CollectionSpec<AnyDocument>): Promise<AnyDocument[]> {
		return (await store.collection(spec)).find({ filter: {}, sort: [['_id', 1]] });
	}

	async function refusal(call: Promise<unknown>): Promise<string> {
		const error = await call.catch((reason: unknown) => reason);
		expect(error).to.be.instanceOf(StoreError);
		return error instanceof Error ? error.message : '';
	}

	/** Fails, or does something else, at the n-th batch with documents of things. */
	function atBatch(store: DocumentStore, wanted: number, act: () => void): DocumentStore {
		let batches = 0;
		return {
			...store,
			async batch(steps) {
				if (steps.some(({ kind, collection }) => kind === 'insert' && collection === 'things') && ++batches === wanted) act();
				return store.batch(steps);
			},
		};
	}

	const killed = () => {
		throw new Error('killed');
	};

	it('copies every document, but those of processes, and compares them', async () => {
		await fill();
		const said: string[] = [];
		const tell: Call['tell'] = ({ collection, work, documents, of }) => said.push(`${collection} ${work} ${documents}/${of}`);
		const report = await copy({ verify: true, tell });
		expect(report).to.deep.include({ outcome: 'finished', wasBegun: false });
		expect(report.collections.map(({ name, source: s, target: t, compared }) => [name, s, t, compared?.differing])).to.deep.equal(
			[
				['things', 2500, 2500, 0],
				['others', 1, 1, 0],
			],
		);
		for (const spec of [things, others]) expect(await contentOf(target, spec)).to.deep.equal(await contentOf(source, spec));
		expect(await contentOf(target, running)).to.deep.equal([]);
		expect(said).to.include.members(['things copied 0/2500', 'things copied 2500/2500', 'things compared 2500/2500']);
		const schema = await openSchema({ store: target, collections: specs, migrations: [] });
		expect(await schema.isCurrent()).to.equal(true);
		await takeIntoUse(target);
	});

	it('writes batches that are bounded in documents and in bytes', async () => {
		await fill(2100);
		const large = Array.from({ length: 3 }, (_, n) => ({ _id: `z${n}`, text: 'x'.repeat(3_000_000) }));
		for (const document of large) await (await source.collection(things)).insert(document);
		const sizes: number[] = [];
		const counting: DocumentStore = {
			...target,
			batch: async (steps) => {
				const inserts = steps.filter(({ kind, collection }) => kind === 'insert' && collection === 'things');
				if (inserts.length > 0) sizes.push(inserts.length);
				return target.batch(steps);
			},
		};
		await copy({ target: counting });
		expect(sizes).to.deep.equal([1000, 1000, 101, 1, 1]);
	});

	it('goes on where it was killed, at whichever batch', async () => {
		await fill();
		for (const [attempt, batch] of [1, 2, 2].entries()) {
			const error = await copy({ target: atBatch(target, batch, killed) }).catch((reason: unknown) => reason);
			expect(error).to.have.property('message', 'killed');
			expect(await (await target.collection(things)).count({})).to.equal([0, 1000, 2000][attempt]);
			expect(await refusal(takeIntoUse(target))).to.match(/an unfinished copy of the source: run the same migrate command again/);
		}
		const said: number[] = [];
		const report = await copy({ verify: true, tell: ({ documents, work }) => work === 'copied' && said.push(documents) });
		expect(report).to.deep.include({ outcome: 'finished', wasBegun: true });
		expect(said[0]).to.equal(2000);
		expect(await contentOf(target, things)).to.deep.equal(await contentOf(source, things));
		await takeIntoUse(target);
	});

	it('stops between two batches when it is told to, and goes on later', async () => {
		await fill();
		const stopping = new AbortController();
		const report = await copy({ signal: stopping.signal, target: atBatch(target, 1, () => stopping.abort()) });
		expect(report.outcome).to.equal('stopped');
		expect(await (await target.collection(things)).count({})).to.equal(1000);
		expect((await copy()).outcome).to.equal('finished');
	});

	it('compares again, and copies nothing twice, when it was finished', async () => {
		await fill(10);
		await copy();
		expect(await copy({ verify: true })).to.deep.include({ outcome: 'finished', wasBegun: true });
		expect(await contentOf(target, things)).to.have.length(10);
	});

	const changes: [what: string, change: (things: DocumentStore) => Promise<unknown>, count: number, differing: number][] = [
		['a document more', (store) => store.batch([{ kind: 'put', collection: 'things', document: { _id: '!' } }]), 11, 1],
		['a document less', (store) => store.batch([{ kind: 'remove', collection: 'things', id: '3 \u{1F600}' }]), 9, 1],
		[
			'another value deep inside',
			(store) => store.batch([{ kind: 'update', collection: 'things', id: '3 \u{1F600}', update: { $set: { 'deep.b': [4] } } }]),
			10,
			1,
		],
	];
	for (const [what, change, count, differing] of changes) {
		it(`finds ${what} in the target, and lets no service start there`, async () => {
			await fill(10);
			const changed: DocumentStore = {
				...target,
				batch: async (steps) => {
					const outcome = await target.batch(steps);
					if (steps.some(({ kind, collection }) => kind === 'insert' && collection === 'others')) await change(target);
					return outcome;
				},
			};
			const report = await copy({ target: changed, verify: true });
			expect(report.outcome).to.equal('differs');
			expect(report.collections[0]).to.deep.include({ name: 'things', source: 10, target: count });
			expect(report.collections[0]?.compared).to.deep.include({ differing });
			expect(report.collections[0]?.compared?.examples).to.have.length(1);
			await refusal(takeIntoUse(target));
		});
	}

	it('does not count what may expire meanwhile', async () => {
		const expiring = { ...things, name: 'expiring', expire: { field: 'at', afterSeconds: 100_000 } };
		const now = Date.now();
		const all = await source.collection<AnyDocument>(expiring);
		await all.insert({ _id: 'old', at: now - 99_999_000 });
		await all.insert({ _id: 'new', at: now });
		const [report] = (await copy({ specs: [expiring], now, verify: true })).collections;
		expect(report).to.deep.include({ source: 1, target: 1 });
		expect(report?.compared?.differing).to.equal(0);
	});

	describe('refuses', () => {
		it('a target that is not empty, and leaves it as it is', async () => {
			await fill(10);
			await (await target.collection(others)).insert({ _id: 'own' });
			expect(await refusal(copy())).to.include("the target is not empty (there are documents in 'others')");
			await takeIntoUse(target);
			expect(await contentOf(target, others)).to.deep.equal([{ _id: 'own' }]);
		});

		it('an empty source', async () => {
			expect(await refusal(copy())).to.equal('the source is empty');
		});

		it('an unfinished copy of another source', async () => {
			await fill();
			await copy({ target: atBatch(target, 2, killed) }).catch(() => {});
			const another = await openSharedStore();
			await (await another.collection(things)).insert({ _id: 'x' });
			expect(await refusal(copy({ source: another }))).to.match(/holds a copy of the source from another time.*begin anew/);
			await another.close();
		});

		it('to go on when a service has worked on the source since', async () => {
			await fill();
			await copy({ target: atBatch(target, 2, killed) }).catch(() => {});
			await takeIntoUse(source);
			expect(await refusal(copy())).to.match(/a service has changed the source since: remove the target/);
		});

		it('to finish when a service was started on the source meanwhile', async () => {
			await fill();
			let taken: Promise<void> | undefined;
			const using = atBatch(target, 2, () => {
				taken = takeIntoUse(source);
			});
			expect(await refusal(copy({ target: using }))).to.match(/a service was started on the source meanwhile/);
			await taken;
			await refusal(takeIntoUse(target));
		});

		it('to go on over what somebody else has written to the target', async () => {
			await fill();
			await copy({ target: atBatch(target, 2, killed) }).catch(() => {});
			const [last] = (await contentOf(source, things)).slice(-1);
			if (last) await (await target.collection(things)).insert(last);
			expect(await refusal(copy())).to.match(/is in 'things' of the target already: somebody else writes there/);
		});

		it('a source that is newer, or older', async () => {
			await fill(10);
			await copy();
			const at = (version: number) => [{ ...things, version }, others, running];
			expect(await refusal(copy({ specs: at(2) }))).to.match(/the source is of an older version: start and stop the service/);
			const schema = await source.collection<AnyDocument>({ name: 'schema', indexes: [] });
			await schema.findOneAndUpdate({ _id: 'things' }, { $set: { version: 3 } });
			expect(await refusal(copy({ specs: at(2) }))).to.match(/documents of version 3, and this program knows version 2/);
		});
	});

	it('is refused by a service as long as it is not finished', async () => {
		const config = load({ DATA_DIR: ':memory:', HOST: '127.0.0.1', HTTP_PORT: '0', MQTT_PORT: '0' });
		const log = pino({ level: 'silent' });
		const filling = await compose(config, log, { store: source });
		await filling.close();
		const users = collections.find(({ name }) => name === 'users');
		if (!users) return expect.fail('there is no collection of users');
		expect(await (await source.collection(users)).count({})).to.be.greaterThan(0);
		const stop = { ...target, batch: async () => killed() };
		const error = await copy({ target: stop, specs: collections }).catch((reason: unknown) => reason);
		expect(error).to.have.property('message', 'killed');
		expect(await refusal(compose(config, log, { store: target }))).to.match(/unfinished copy of the source/);
		expect(await copy({ specs: collections, verify: true })).to.deep.include({ outcome: 'finished' });
		const service = await compose(config, log, { store: target });
		expect(service.credentials).to.deep.equal([]);
		await service.close();
	});
});
