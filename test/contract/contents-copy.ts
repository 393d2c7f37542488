import { mkdtempSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import { contentSpec, contentsPart, referenceSpec } from '../../inventory/index.ts';
import { openFileContents } from '../../store/files/index.ts';
import type { ContentStore, DocumentStore, StoreError } from '../../store/index.ts';
import { sha256Of } from '../support/binary-client.ts';
import { openSharedStore } from '../support/shared-store.ts';

interface End {
	readonly place: string;
	readonly directory: string;
	readonly store: DocumentStore;
	readonly contents: ContentStore;
}

describe('contract/contents-copy', () => {
	let source: End;
	let target: End;
	beforeEach(async () => {
		source = await openEnd('the source');
		target = await openEnd('the target');
		for (const text of texts) await put(text);
	});
	afterEach(async () => {
		for (const { store, contents, directory } of [source, target]) {
			await contents.close();
			await store.close();
			await rm(directory, { recursive: true, force: true });
		}
	});

	const texts = ['first', 'second', 'third'];

	async function openEnd(place: string): Promise<End> {
		const directory = mkdtempSync(join(tmpdir(), 'contents-copy-'));
		const contents = await openFileContents({ directory, minFreeBytes: 0, isExclusive: false });
		return { place, directory, contents, store: await openSharedStore() };
	}

	async function put(text: string): Promise<void> {
		const { key, sha256, length } = await source.contents.put(Readable.from([Buffer.from(text)]));
		await (await source.store.collection(contentSpec)).insert({ _id: sha256, key, uses: 1 });
		await (await source.store.collection(referenceSpec)).insert({ _id: `t1/${text}`, tenant: 't1', sha256, length });
	}

	function copy({ signal = new AbortController().signal, tell = () => {}, isSamePlace = false } = {}) {
		return contentsPart(source, target, { isSamePlace }).copy({ signal, tell });
	}

	function compare(verify: boolean) {
		return contentsPart(source, target, { isSamePlace: false }).compare({
			signal: new AbortController().signal,
			tell: () => {},
			verify,
		});
	}

	const records = async ({ store }: End) => (await store.collection(contentSpec)).find({ filter: {}, sort: [['_id', 1]] });

	async function readAll(end: End): Promise<string[]> {
		const read: string[] = [];
		for (const { key } of await records(end)) read.push(Buffer.concat(await (await end.contents.open(key)).toArray()).toString());
		return read.sort();
	}

	async function fileOf({ directory }: End, text: string): Promise<string> {
		const name = (await readdir(directory, { recursive: true })).find((path) => path.includes(`/${sha256Of(text)}`));
		return join(directory, name ?? 'none');
	}

	const refusal = (work: Promise<unknown>) =>
		work.then(
			() => 'not refused',
			(error: StoreError) => error.message,
		);

	it('copies every content under a key of the target, and compares it', async () => {
		expect(await copy()).to.equal(true);
		expect(await readAll(target)).to.deep.equal(texts);
		expect((await records(target)).map(({ uses }) => uses)).to.deep.equal([1, 1, 1]);
		const known = new Set((await records(source)).map(({ key }) => key));
		expect((await records(target)).filter(({ key }) => known.has(key))).to.deep.equal([]);
		expect(await compare(true)).to.deep.include({ name: 'contents', source: 3, target: 3 });
		expect((await compare(true)).compared).to.deep.include({ differing: 0, examples: [] });
		expect((await compare(false)).compared).to.equal(undefined);
	});

	it('goes on where it was stopped, and copies nothing twice', async () => {
		const stopping = new AbortController();
		expect(await copy({ signal: stopping.signal, tell: () => stopping.abort() })).to.equal(false);
		const [first, ...others] = await records(target);
		expect(others).to.deep.equal([]);
		expect(await copy()).to.equal(true);
		expect((await records(target)).find(({ _id }) => _id === first?._id)).to.deep.equal(first);
		expect(await readAll(target)).to.deep.equal(texts);
	});

	it('refuses a content that is damaged or missing in the source, and names its binaries', async () => {
		await writeFile(await fileOf(source, 'second'), 'spoiled');
		expect(await refusal(copy())).to.match(/^the content with the SHA-256 [0-9a-f]{64} of the source is damaged/);
		expect(await refusal(copy())).to.include('it belongs to the binaries t1/second (tenant/id)');
		expect(await fileOf(target, 'spoiled')).to.equal(join(target.directory, 'none'));
		await rm(await fileOf(source, 'second'));
		expect(await refusal(copy())).to.match(/of the source is missing; it belongs to the binaries t1\/second/);
	});

	it('finds by verifying what is not the same in the target', async () => {
		await copy();
		await writeFile(await fileOf(target, 'third'), 'other');
		const { compared } = await compare(true);
		expect(compared).to.deep.include({ differing: 1, examples: [sha256Of('third')] });
	});

	it('leaves bytes that both ends share where they are', async () => {
		target = { ...target, contents: source.contents };
		expect(await copy({ isSamePlace: true })).to.equal(true);
		expect(await records(target)).to.deep.equal(await records(source));
		expect((await readdir(target.directory, { recursive: true })).filter((path) => path.length > 64)).to.deep.equal([]);
		await put('fourth');
		await rm(await fileOf(source, 'fourth'));
		expect(await refusal(copy({ isSamePlace: true }))).to.match(/is missing; it belongs to the binaries t1\/fourth/);
	});
});
