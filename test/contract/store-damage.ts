import { cp, mkdtemp, open as openFile, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import Database from 'libsql';
import { type CollectionSpec, StoreError } from '../../store/index.ts';
import type { SqliteStore } from '../../store/sqlite/index.ts';
import { within } from '../support/eventually.ts';
import { useStores } from '../support/opened-stores.ts';
import type { AnyDocument } from './engine.ts';

const things: CollectionSpec<AnyDocument> = { name: 'things', indexes: [{ name: 'n', keys: ['n'] }] };
const commits = 20;
const pageSize = 4096;
const frameSize = pageSize + 24;
const logHead = 32;

describe('contract/store-damage', function () {
	this.timeout(60_000);
	let base: string;
	/** A folder as a clean end leaves it, and one as a crash does, with `commits` commits of 50 documents in its log. */
	let ended: string;
	let crashed: string;
	let folder: string;
	const { open, closeAll } = useStores();

	before(async () => {
		base = await mkdtemp(join(tmpdir(), 'store-damage-'));
		[ended, crashed, folder] = [join(base, 'ended'), join(base, 'crashed'), join(base, 'tried')];
		const store = await open(ended);
		await store.collection(things);
		for (let commit = 0; commit < commits; commit++) await put(store, commit);
		await store.close();
		const next = await open(ended);
		await next.collection(things);
		for (let commit = commits; commit < 2 * commits; commit++) await put(next, commit);
		await cp(ended, crashed, { recursive: true });
		await rm(join(crashed, 'store.db-shm'));
		await next.close();
	});
	afterEach(() => rm(folder, { recursive: true, force: true }));
	after(() => rm(base, { recursive: true, force: true }));

	/** Expects a start to be refused, with nothing changed in the database or its log. */
	async function expectRefused(reason: RegExp): Promise<void> {
		const before = await bytesOf(folder);
		const error = await open(folder).catch((thrown: unknown) => thrown);
		expect(error)
			.to.be.instanceOf(StoreError)
			.with.property('message')
			.that.matches(reason)
			.and.includes(join(folder, 'store.db'));
		expect(await bytesOf(folder)).to.deep.equal(before);
	}

	/** The commits that are there: each must be whole. */
	async function commitsIn(directory: string): Promise<number> {
		const store = await open(directory);
		const collection = await store.collection<AnyDocument>(things);
		const counts = await collection.groupCount(['n'], {});
		expect(counts.every(({ count }) => count === 50)).to.equal(true);
		expect(counts.map(({ key }) => key[0])).to.deep.equal(counts.map((_, index) => index));
		return counts.length;
	}

	const advice = /is damaged: .*Nothing was written to it.*restore a backup.*npm run restore/;

	for (const [what, keep] of [
		['50 bytes', () => 50],
		['one page', () => pageSize],
		['half', (size: number) => Math.floor(size / 2)],
		['all but one page', (size: number) => size - pageSize],
		['all but 100 bytes', (size: number) => size - 100],
	] as const) {
		it(`refuses a file of which ${what} is left`, async () => {
			await cp(ended, folder, { recursive: true });
			const file = join(folder, 'store.db');
			await truncate(file, keep((await readFile(file)).length));
			await expectRefused(advice);
		});
	}

	it('refuses an empty or missing file where a database was, with and without its log', async () => {
		for (const from of [ended, crashed]) {
			for (const way of ['empty', 'missing'] as const) {
				await cp(from, folder, { recursive: true });
				if (way === 'empty') await truncate(join(folder, 'store.db'), 0);
				else await rm(join(folder, 'store.db'));
				await expectRefused(new RegExp(`is damaged: it is ${way}.*npm run restore`));
				await rm(join(folder, 'store.made'));
				if (from === crashed) await expectRefused(/but its log .*store\.db-wal is there/);
				else expect(await commitsIn(folder)).to.equal(0);
				await closeAll();
				await rm(folder, { recursive: true });
			}
		}
	});

	for (const [what, at, reason] of [
		['magic', 3, /is not a database of this program/],
		['page size', 17, /its head is not readable/],
		['payload fractions', 22, /its head is not readable/],
		['page count', 29, /it is cut off: it has \d+ bytes and should have \d+/],
	] as const) {
		it(`refuses a file whose head is damaged: ${what}`, async () => {
			await cp(ended, folder, { recursive: true });
			await flip(join(folder, 'store.db'), at);
			await expectRefused(reason);
		});
	}

	it('refuses a file with a damaged page, whichever it is', async () => {
		const { length } = await readFile(join(ended, 'store.db'));
		const pages = length / pageSize;
		for (const page of [0, 1, 2, Math.floor(pages / 2), pages - 1]) {
			await cp(ended, folder, { recursive: true });
			// The head of a page of a tree; the first page has the file's head before it.
			await flip(join(folder, 'store.db'), page * pageSize + (page === 0 ? 100 : 0), 8);
			await expectRefused(/is damaged|is not a database/);
			await rm(folder, { recursive: true });
		}
	});

	it('refuses the database of another program, and leaves it as it is', async () => {
		await cp(ended, folder, { recursive: true });
		await rm(join(folder, 'store.db'));
		const database = new Database(join(folder, 'store.db'));
		database.exec('CREATE TABLE other (x)');
		database.close();
		await expectRefused(/is a database of another program/);
	});

	it('opens after a crash, wherever the end of the log is torn, with every whole commit before it', async () => {
		const { length } = await readFile(join(crashed, 'store.db-wal'));
		let last = 2 * commits;
		for (const cut of [0, 1, 2000, frameSize, 3 * frameSize, length - logHead - frameSize, length - logHead]) {
			await cp(crashed, folder, { recursive: true });
			await truncate(join(folder, 'store.db-wal'), length - cut);
			const found = await commitsIn(folder);
			expect(found).to.be.within(cut === 0 ? 2 * commits : commits, last);
			last = found;
			await closeAll();
			await rm(folder, { recursive: true });
		}
		expect(last).to.equal(commits);
	});

	it('opens with the commits before it when the last frame of the log was not written whole', async () => {
		await cp(crashed, folder, { recursive: true });
		const { length } = await readFile(join(folder, 'store.db-wal'));
		await flip(join(folder, 'store.db-wal'), length - 100);
		expect(await commitsIn(folder)).to.equal(2 * commits - 1);
	});

	it('refuses a log that is damaged before its end: commits would be lost', async () => {
		const { length } = await readFile(join(crashed, 'store.db-wal'));
		const middle = logHead + Math.floor((length - logHead) / frameSize / 2) * frameSize;
		for (const [at, reason] of [
			[logHead + 30, /its log .*store\.db-wal is damaged: frame 1 is not readable, but commits follow it/],
			[middle + 1000, /frame \d+ is not readable/],
			[middle + 3, /frame \d+ is not readable/],
			[middle + 17, /frame \d+ is not readable/],
			[2, /its head is not readable/],
			[25, /its head is not readable/],
		] as const) {
			await cp(crashed, folder, { recursive: true });
			await flip(join(folder, 'store.db-wal'), at);
			await expectRefused(reason);
			await rm(folder, { recursive: true });
		}
	});

	it('looks at no page of a database that is larger than it was told to read', async () => {
		await cp(ended, folder, { recursive: true });
		await damageData(join(folder, 'store.db'));
		await expectRefused(advice);
		await open(folder, { checkMaxBytes: 1000 });
	});

	it('has failed for good when damage comes to light while it runs, and says so', async () => {
		await cp(ended, folder, { recursive: true });
		await damageData(join(folder, 'store.db'));
		const store = await open(folder, { checkMaxBytes: 0 });
		const collection = await store.collection<AnyDocument>(things);
		const error = await collection.find({ filter: {} }).catch((thrown: unknown) => thrown);
		expect(error)
			.to.be.instanceOf(StoreError)
			.with.property('message')
			.that.matches(/is damaged: .*npm run restore/);
		expect((await within('the store has failed', store.failed)).message).to.equal(error instanceof Error && error.message);
		const later = await collection.get('0-0').catch((thrown: unknown) => thrown);
		expect(later).to.be.instanceOf(StoreError);
	});
});

async function put(store: SqliteStore, commit: number): Promise<void> {
	const documents = Array.from({ length: 50 }, (_, n) => ({ _id: `${n}-${commit}`, n: commit, text: 'x'.repeat(100) }));
	await store.batch(documents.map((document) => ({ kind: 'put', collection: 'things', document })));
}

async function flip(file: string, at: number, count = 1): Promise<void> {
	const handle = await openFile(file, 'r+');
	const bytes = Buffer.alloc(count);
	await handle.read(bytes, 0, count, at);
	await handle.write(
		bytes.map((byte) => byte ^ 0xa5),
		0,
		count,
		at,
	);
	await handle.close();
}

/** Spoils the pages that hold documents, and no others. */
async function damageData(file: string): Promise<void> {
	const bytes = await readFile(file);
	for (let at = pageSize; at < bytes.length; at += pageSize) {
		if (bytes.subarray(at, at + pageSize).includes('"text":')) await flip(file, at, 8);
	}
}

/** The database and its log, by name. */
async function bytesOf(directory: string): Promise<Record<string, string>> {
	const names = (await readdir(directory)).filter((name) => /^store\.db(-wal)?$/.test(name));
	const contents = await Promise.all(names.map((name) => readFile(join(directory, name), 'base64')));
	return Object.fromEntries(names.map((name, index) => [name, contents[index] ?? '']));
}
