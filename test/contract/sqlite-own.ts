import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import Database from 'libsql';
import { type CollectionSpec, StoreError } from '../../store/index.ts';
import { useStores } from '../support/opened-stores.ts';
import type { AnyDocument } from './engine.ts';

const things: CollectionSpec<AnyDocument> = { name: 'things', indexes: [] };

describe('store/sqlite', () => {
	const directories: string[] = [];
	const { open } = useStores();

	afterEach(async () => {
		await Promise.all(directories.splice(0).map((directory) => rm(directory, { recursive: true, force: true })));
	});

	async function freshDirectory(): Promise<string> {
		const directory = await mkdtemp(join(tmpdir(), 'store-own-'));
		directories.push(directory);
		return directory;
	}

	/** A process that opens the store and prints the number of each batch once it is durable. */
	function startWriter(directory: string) {
		const child = spawn(process.execPath, ['--import', 'tsx', '--eval', writerSource(directory)], {
			stdio: ['ignore', 'pipe', 'inherit'],
		});
		return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
	}

	it('keeps what it has acknowledged when the process is killed, whole batches only', async () => {
		const directory = await freshDirectory();
		for (let round = 0; round < 2; round++) {
			const { child, lines } = startWriter(directory);
			const acknowledged: string[] = [];
			while (acknowledged.length < 300) {
				const line = await lines.next();
				expect(line.done, 'the writing process has ended').to.not.equal(true);
				acknowledged.push(String(line.value));
			}
			child.kill('SIGKILL');
			await once(child, 'exit');
			for (let rest = await lines.next(); !rest.done; rest = await lines.next()) acknowledged.push(rest.value);
			const store = await open(directory);
			const left = await store.collection<AnyDocument>({ name: 'left', indexes: [] });
			const right = await store.collection<AnyDocument>({ name: 'right', indexes: [{ name: 'n', keys: ['n'] }] });
			const ids = new Set((await left.find({ filter: {} })).map(({ _id }) => _id));
			expect(acknowledged.filter((line) => !ids.has(line))).to.deep.equal([]);
			expect(new Set((await right.find({ filter: {} })).map(({ _id }) => _id))).to.deep.equal(ids);
			await store.close();
		}
	});

	it('is not ready on a disk that is nearly full, while writes still succeed', async () => {
		const store = await open(await freshDirectory(), { minFreeBytes: Number.MAX_SAFE_INTEGER });
		const error = await store.ping().catch((reason: unknown) => reason);
		expect(error)
			.to.be.instanceOf(StoreError)
			.with.property('message')
			.that.matches(/the disk is nearly full: \d+ bytes are free/);
		const things = await store.collection({ name: 'things', indexes: [] });
		await things.insert({ _id: 'a' });
		expect(await things.get('a')).to.deep.equal({ _id: 'a' });
	});

	it('refuses a directory that another process has open, until that process is gone', async () => {
		const directory = await freshDirectory();
		const { child, lines } = startWriter(directory);
		await lines.next();
		const error = await open(directory).catch((reason: unknown) => reason);
		expect(error).to.be.instanceOf(StoreError).with.property('message').that.includes('another process has the database open');
		child.kill('SIGKILL');
		await once(child, 'exit');
		await (await open(directory)).ping();
	});

	it('refuses a directory that this process has open, until it is closed', async () => {
		const directory = await freshDirectory();
		const first = await open(directory);
		expect(await open(directory).catch((reason: unknown) => reason)).to.be.instanceOf(StoreError);
		await first.ping();
		await first.close();
		await (await open(directory)).ping();
	});

	const broken: [what: string, spoil: (file: string) => Promise<unknown>, message: string][] = [
		['is no database', (file) => writeFile(file, 'not a database at all '.repeat(500)), 'is not a database of this program'],
		['is cut off', async (file) => truncate(file, Math.floor((await readFile(file)).length / 2)), 'is damaged'],
		['belongs to another program', (file) => replaceDatabase(file, 'CREATE TABLE other (x)'), 'another program'],
		[
			'was written by a newer version',
			async (file) => execute(file, "UPDATE meta SET value = '999' WHERE key = 'version'"),
			'newer version',
		],
		[
			'was written by an older version',
			async (file) => execute(file, "UPDATE meta SET value = '1' WHERE key = 'version'"),
			'older version',
		],
	];
	for (const [what, spoil, message] of broken) {
		it(`refuses a file that ${what}, and names it`, async () => {
			const directory = await freshDirectory();
			const store = await open(directory);
			const collection = await store.collection(things);
			await store.batch(
				Array.from({ length: 2000 }, (_, n) => ({ kind: 'put', collection: collection.name, document: { _id: `${n}` } })),
			);
			await store.close();
			const file = join(directory, 'store.db');
			await spoil(file);
			const error = await open(directory).catch((reason: unknown) => reason);
			expect(error).to.be.instanceOf(StoreError).with.property('message').that.includes(message).and.includes(file);
		});
	}

	it('refuses a directory that cannot be made', async () => {
		const directory = await freshDirectory();
		await writeFile(join(directory, 'file'), '');
		const error = await open(join(directory, 'file', 'store')).catch((reason: unknown) => reason);
		expect(error)
			.to.be.instanceOf(StoreError)
			.with.property('message')
			.that.includes(join(directory, 'file', 'store'));
	});

	it('shows a concurrent reader a batch of 50,000 steps as not there or whole', async () => {
		const store = await open(await freshDirectory());
		const collection = await store.collection<AnyDocument>(things);
		const documents = (version: number) => Array.from({ length: 50_000 }, (_, n) => ({ _id: `d${n}`, version }));
		const write = (version: number) =>
			store.batch(documents(version).map((document) => ({ kind: 'put', collection: 'things', document })));
		await write(1);
		let isDone = false;
		const writing = write(2).finally(() => {
			isDone = true;
		});
		const seen = new Set<string>();
		while (!isDone) seen.add(JSON.stringify(await collection.groupCount(['version'], {})));
		expect(await writing).to.deep.equal({ ok: true });
		seen.add(JSON.stringify(await collection.groupCount(['version'], {})));
		expect([...seen]).to.deep.equal([
			JSON.stringify([{ key: [1], count: 50_000 }]),
			JSON.stringify([{ key: [2], count: 50_000 }]),
		]);
	});

	it('writes nothing for a put of an unchanged document', async () => {
		const store = await open(await freshDirectory());
		await store.collection(things);
		const put = () => store.batch([{ kind: 'put', collection: 'things', document: { _id: 'a', n: 1 } as AnyDocument }]);
		await put();
		const { sizeBytes } = await store.statistics();
		for (let n = 0; n < 20; n++) await put();
		expect((await store.statistics()).sizeBytes).to.equal(sizeBytes);
	});

	it('commits the batches of many callers together, a thousand steps at most', async () => {
		const store = await open(await freshDirectory(), { maxGroupSteps: 1000 });
		const collection = await store.collection(things);
		const before = (await store.statistics()).commits;
		await Promise.all(Array.from({ length: 5000 }, (_, n) => collection.insert({ _id: `${n}` })));
		expect((await store.statistics()).commits - before).to.equal(5);
	});

	for (const [what, options, text] of [
		['batches', { maxWaitingBatches: 10 }, ''],
		['bytes', { maxWaitingBytes: 1_050_000 }, 'x'.repeat(100_000)],
	] as const) {
		it(`refuses ${what} beyond those that may wait, and takes new ones afterwards`, async () => {
			const store = await open(await freshDirectory(), options);
			const collection = await store.collection<AnyDocument>(things);
			const results = await Promise.allSettled(Array.from({ length: 15 }, (_, n) => collection.insert({ _id: `${n}`, text })));
			expect(results.map(({ status }) => status)).to.deep.equal([...Array(10).fill('fulfilled'), ...Array(5).fill('rejected')]);
			await collection.insert({ _id: 'later' });
			expect(await collection.count({})).to.equal(11);
		});
	}

	it('rejects writes when the disk is full, goes on reading, and writes again when there is room', async () => {
		const store = await open(await freshDirectory(), { maxSizeBytes: 1_000_000 });
		const collection = await store.collection<AnyDocument>(things);
		await collection.insert({ _id: 'kept', text: 'x'.repeat(100_000) });
		const error = await collection.insert({ _id: 'large', text: 'x'.repeat(2_000_000) }).catch((reason: unknown) => reason);
		expect(error).to.be.instanceOf(StoreError).with.property('message').that.includes('the disk is full');
		expect(await collection.find({ filter: { _id: { $gt: '' } } })).to.have.length(1);
		await store.batch([{ kind: 'remove', collection: 'things', id: 'kept' }]);
		await collection.insert({ _id: 'next', text: 'x'.repeat(500_000) });
		expect(await collection.count({})).to.equal(1);
		expect((await store.statistics()).waitingBatches).to.equal(0);
	});

	it('rejects everything and stays failed when its thread dies', async () => {
		const store = await open(await freshDirectory(), { threadHeapMegabytes: 24 });
		const collection = await store.collection<AnyDocument>(things);
		const text = 'x'.repeat(1000);
		const large = Array.from({ length: 100_000 }, (_, n) => ({
			kind: 'put' as const,
			collection: 'things',
			document: { _id: `${n}`, text } as AnyDocument,
		}));
		const outcomes = await Promise.allSettled([store.batch(large), collection.insert({ _id: 'behind' })]);
		expect(outcomes.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
		const later = await Promise.allSettled([store.ping(), collection.insert({ _id: 'later' }), store.batch([])]);
		for (const result of later) {
			expect(result)
				.to.have.property('reason')
				.that.is.instanceOf(StoreError)
				.with.property('message')
				.that.includes('database thread');
		}
		expect((await store.statistics()).waitingBatches).to.equal(0);
		expect(await store.failed)
			.to.be.instanceOf(StoreError)
			.with.property('message')
			.that.includes("'store-writer'");
		await store.close();
	});

	for (const position of [0, 3, 5]) {
		it(`fails the one batch of six whose step the database cannot do, number ${position + 1}`, async () => {
			const directory = await freshDirectory();
			const store = await open(directory);
			const plain = await store.collection<AnyDocument>(things);
			const careful = await store.collection<AnyDocument>({
				name: 'careful',
				indexes: [{ name: 't', keys: ['t'], multikey: 't' }],
			});
			await store.close();
			for (const table of ['c:things', 'c:careful'])
				execute(
					join(directory, 'store.db'),
					`CREATE TRIGGER "on ${table}" BEFORE INSERT ON "${table}" WHEN new.id = 'guilty' BEGIN SELECT json('{'); END`,
				);
			const again = await open(directory);
			for (const { name } of [plain, careful]) {
				const collection = await again.collection<AnyDocument>(
					name === 'things' ? things : { name, indexes: [{ name: 't', keys: ['t'], multikey: 't' }] },
				);
				const heard: string[] = [];
				const batches = (prefix: string) =>
					[0, 1, 2, 3, 4, 5].map((number) => {
						const ids = [`${prefix}${number}`, number === position ? 'guilty' : `${prefix}${number}+`, `${prefix}${number}-`];
						return again.batch(ids.map((_id) => ({ kind: 'put', collection: name, document: { _id, t: ['x'] } as AnyDocument })));
					});
				const first = await Promise.allSettled([
					...batches('a'),
					collection.insert({ _id: 'guilty' }),
					collection.insert({ _id: 'z' }),
				]);
				const end = collection.watch((changes) => heard.push(...changes.map(({ id }) => id)));
				const second = await Promise.allSettled(batches('b'));
				const rejected = [position, 6, 8 + position];
				for (const [number, result] of [...first, ...second].entries()) {
					if (!rejected.includes(number)) expect(result, `${number}`).to.have.property('status', 'fulfilled');
					else
						expect(result)
							.to.have.property('reason')
							.that.is.instanceOf(StoreError)
							.with.property('message')
							.that.includes('malformed JSON');
				}
				const innocent = (prefix: string) =>
					[0, 1, 2, 3, 4, 5].flatMap((n) => (n === position ? [] : ['', '+', '-'].map((end) => `${prefix}${n}${end}`)));
				expect((await collection.find({ filter: {} })).map(({ _id }) => _id).sort()).to.deep.equal(
					[...innocent('a'), ...innocent('b'), 'z'].sort(),
				);
				expect(heard.sort()).to.deep.equal(innocent('b').sort());
				end();
			}
		});
	}

	it('reports what a listener throws, and what hinders a removal of what has expired', async () => {
		const faults: string[] = [];
		const directory = await freshDirectory();
		const store = await open(directory, { onFault: (error) => faults.push(error.message), expireEverySeconds: 0.02 });
		const collection = await store.collection<AnyDocument>(things);
		const end = collection.watch(() => {
			throw new Error('thrown');
		});
		await collection.insert({ _id: 'a' });
		await until(() => faults.length > 0);
		expect(faults).to.deep.equal(['a listener of the store failed: thrown']);
		end();
		await collection.insert({ _id: 'b' });
		expect(faults).to.have.length(1);
		const expiring = await store.collection<AnyDocument>({
			name: 'expiring',
			indexes: [],
			expire: { field: 'at', afterSeconds: 1 },
		});
		await store.close();
		execute(join(directory, 'store.db'), `CREATE TRIGGER kept BEFORE DELETE ON "c:expiring" BEGIN SELECT json('{'); END`);
		const again = await open(directory, { onFault: (error) => faults.push(error.message), expireEverySeconds: 0.02 });
		await (
			await again.collection<AnyDocument>({ name: expiring.name, indexes: [], expire: { field: 'at', afterSeconds: 1 } })
		).insert({ _id: 'a', at: 1 });
		await until(() => faults.length > 1);
		expect(faults[1]).to.match(/^expired documents stay: malformed JSON/);
	});

	it('removes nothing because the clock was set back, and goes by what the clock says then', async () => {
		let now = 10_000_000;
		const store = await open(await freshDirectory(), { now: () => now });
		const collection = await store.collection<AnyDocument>({ ...things, expire: { field: 'at', afterSeconds: 10 } });
		await collection.insert({ _id: 'before', at: now });
		now -= 3_600_000;
		await collection.insert({ _id: 'after', at: now });
		await store.expire();
		expect(await collection.count({})).to.equal(2);
		now += 10_001;
		await store.expire();
		expect((await collection.find({ filter: {} })).map(({ _id }) => _id)).to.deep.equal(['before']);
		now = 10_010_001;
		await store.expire();
		expect(await collection.count({})).to.equal(0);
	});

	it('removes what has expired in its own time', async () => {
		let now = 1_000_000;
		const store = await open(await freshDirectory(), { expireEverySeconds: 0.02, now: () => now });
		const collection = await store.collection<AnyDocument>({ ...things, expire: { field: 'at', afterSeconds: 10 } });
		await store.batch(
			Array.from({ length: 500 }, (_, n) => ({
				kind: 'put',
				collection: 'things',
				document: { _id: `${n}`, at: now } as AnyDocument,
			})),
		);
		now += 10_000;
		await store.expire();
		expect(await collection.count({})).to.equal(500);
		now += 1;
		while ((await collection.count({})) > 0) await new Promise((resolve) => setImmediate(resolve));
	});
});

function writerSource(directory: string): string {
	const engine = new URL('../../store/sqlite/index.ts', import.meta.url).href;
	return `import(${JSON.stringify(engine)}).then(async ({ openSqliteStore }) => {
		const store = await openSqliteStore({ directory: ${JSON.stringify(directory)}, now: Date.now });
		await store.collection({ name: 'left', indexes: [] });
		await store.collection({ name: 'right', indexes: [{ name: 'n', keys: ['n'] }] });
		for (let n = 0; ; n++) {
			await Promise.all([1, 2, 3, 4, 5].map(async (caller) => {
				const document = { _id: process.pid + '-' + caller + '-' + n, n };
				await store.batch([{ kind: 'put', collection: 'left', document }, { kind: 'insert', collection: 'right', document }]);
				process.stdout.write(document._id + '\\n');
			}));
		}
	})`;
}

async function until(isDone: () => boolean): Promise<void> {
	while (!isDone()) await new Promise((resolve) => setImmediate(resolve));
}

function execute(file: string, sql: string): void {
	const database = new Database(file);
	database.exec(sql);
	database.close();
}

async function replaceDatabase(file: string, sql: string): Promise<void> {
	await rm(file);
	execute(file, sql);
}
