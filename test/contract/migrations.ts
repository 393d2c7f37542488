import { expect } from 'chai';
import { pino } from 'pino';
import { openLeaseKeeper } from '../../service/leases.ts';
import { collections, runMigrations } from '../../service/migrations.ts';
import { type CollectionSpec, type DocumentStore, type Migration, openSchema, type StoredDocument } from '../../store/index.ts';
import { startService } from '../support/service-fixture.ts';
import { openSharedStore } from '../support/shared-store.ts';

interface Thing extends StoredDocument {
	readonly name?: string;
	readonly title?: string;
	readonly changes?: number;
}

const pageSize = 10;
const spec = (version?: number): CollectionSpec<Thing> => ({ name: 'things', indexes: [], ...(version && { version }) });

/** Renames a field, a page at a time, and counts how often it changes a document. */
function rename(afterPage: (pages: number) => void = () => {}): Migration {
	return {
		collection: 'things',
		to: 2,
		what: 'The name of a thing is its title.',
		async run({ store, write }) {
			const things = await store.collection(spec());
			for (let pages = 1; ; pages++) {
				const page = await things.find({ filter: { name: { $exists: true } }, sort: [['_id', 1]], limit: pageSize });
				if (page.length === 0) return;
				await write(
					page.map(({ _id, name }) => ({
						kind: 'update',
						collection: 'things',
						id: _id,
						update: { $set: { title: name }, $unset: ['name'], $inc: { changes: 1 } },
					})),
				);
				afterPage(pages);
			}
		},
	};
}

const count: Migration = {
	collection: 'things',
	to: 3,
	what: 'Things are counted.',
	async run({ write }) {
		await write([{ kind: 'put', collection: 'things', document: { _id: 'count' } }]);
	},
};

describe('contract/migrations', () => {
	let store: DocumentStore;
	const log = pino({ level: 'silent' });
	beforeEach(async () => {
		store = await openSharedStore();
	});
	afterEach(() => store.close());

	async function start(version: number, migrations: readonly Migration[], holder = 'p'): Promise<void> {
		const leases = await openLeaseKeeper({ store, holder, leaseMilliseconds: 1500, elapsed: () => performance.now(), log });
		try {
			await runMigrations({ store, leases, log, collections: [spec(version)], migrations });
		} finally {
			await leases.close();
		}
	}

	async function fill(documents: number): Promise<void> {
		const things = await store.collection(spec());
		for (let i = 0; i < documents; i++) await things.insert({ _id: `thing-${i}`, name: `name ${i}` });
	}

	const versionStored = async () =>
		(await (await store.collection<StoredDocument & { version: number }>({ name: 'schema', indexes: [] })).get('things'))
			?.version;

	async function expectRenamed(documents: number): Promise<void> {
		const things = (await (await store.collection(spec())).find({ filter: {} })).filter(({ _id }) => _id !== 'count');
		expect(things.filter(({ name, title, changes }) => name === undefined && title && changes === 1)).to.have.length(documents);
	}

	it('changes what was stored before there were versions, through every version, once', async () => {
		await fill(25);
		await start(3, [rename(), count]);
		await expectRenamed(25);
		expect(await versionStored()).to.equal(3);
		await start(3, [rename(), count]);
		await expectRenamed(25);
	});

	it('changes nothing of what is new', async () => {
		await start(3, []);
		expect(await versionStored()).to.equal(3);
	});

	it('goes on where it was stopped', async () => {
		await fill(35);
		const stopped = rename((pages) => {
			if (pages === 2) throw new Error('stopped');
		});
		const error = await start(2, [stopped]).catch((refused: Error) => refused);
		expect(error).to.have.property('message', 'stopped');
		expect(await versionStored()).to.equal(1);
		await start(2, [rename()]);
		await expectRenamed(35);
		expect(await versionStored()).to.equal(2);
	});

	it('lets one of several processes do it, and the others wait until it is done', async () => {
		await fill(25);
		let running = 0;
		const alone: Migration = {
			...rename(),
			async run(context) {
				running++;
				expect(running).to.equal(1);
				await rename().run(context);
			},
		};
		await Promise.all(['a', 'b', 'c'].map((holder) => start(2, [alone], holder).then(() => expectRenamed(25))));
		expect(running).to.equal(1);
	});

	it('writes nothing any more when another process has taken over', async () => {
		await fill(1);
		const schema = await openSchema({ store, collections: [spec(2)], migrations: [rename()] });
		await store.collection({ name: 'leases', indexes: [] });
		const guard = { kind: 'require', collection: 'leases', id: 'migrations', where: { term: 1 } } as const;
		const error = await schema.migrate(guard, new AbortController().signal, () => {}).catch((refused: Error) => refused);
		expect(error).to.have.property('message').that.includes('another process has taken over');
		expect(await (await store.collection(spec())).get('thing-0')).to.have.property('name');
	});

	it('refuses a store that is newer, and says what would be right', async () => {
		await start(3, []);
		const error = await start(2, []).catch((refused: Error) => refused);
		expect(error).to.have.property('message').that.includes("'things' has documents of version 3").and.includes('version 2');
	});

	it('refuses a version that nothing leads to', async () => {
		await fill(1);
		const error = await start(2, []).catch((refused: Error) => refused);
		expect(error).to.have.property('message').that.includes("'things' has no migration to version 2");
	});

	it('knows every collection of the service', async () => {
		const opened = new Set<string>();
		const listening: DocumentStore = {
			...store,
			collection: (wanted) => {
				opened.add(wanted.name);
				return store.collection(wanted);
			},
		};
		const service = await startService({}, { store: listening });
		await service.close();
		expect([...opened].filter((name) => name !== 'schema').sort()).to.deep.equal(collections.map(({ name }) => name).sort());
	});
});
