import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { type ContentStore, ContentStoreError, type KeptContent } from '../../store/index.ts';
import { eventually } from '../support/eventually.ts';

/** An engine of the content store under test. */
export interface ContentEngine {
	readonly name: string;
	/** Opens an empty store; it is closed by the suite. */
	open(): Promise<ContentStore>;
}

const mebibyte = 1024 * 1024;

/** What every engine of the content store must do. */
export function runContentStoreContract(engine: ContentEngine): void {
	describe(`contract/content-store on ${engine.name}`, function () {
		this.timeout(60_000);
		let store: ContentStore;
		beforeEach(async () => {
			store = await engine.open();
		});
		afterEach(() => store?.close());

		const put = (bytes: Buffer, pieces = 65_536) => store.put(Readable.from(cut(bytes, pieces)));
		const read = async (...args: Parameters<ContentStore['open']>) => buffer(await store.open(...args));
		async function kept(): Promise<KeptContent[]> {
			const found: KeptContent[] = [];
			for await (const each of store.list()) found.push(each);
			return found;
		}
		const faultOf = (work: Promise<unknown>) =>
			work.then(
				() => 'none',
				(error: unknown) => (error instanceof ContentStoreError ? error.fault : String(error)),
			);

		for (const length of [0, 1, 65_536, 300_000, 9 * mebibyte + 1]) {
			it(`gives back ${length} bytes as they were, with their length and SHA-256`, async () => {
				const bytes = randomBytes(length);
				const stored = await put(bytes);
				expect(stored).to.include({ length, sha256: createHash('sha256').update(bytes).digest('hex') });
				expect((await read(stored.key)).equals(bytes)).to.equal(true);
			});
		}

		it('takes pieces of any size', async () => {
			const bytes = randomBytes(20_000);
			for (const pieces of [7, 20_000]) expect((await read((await put(bytes, pieces)).key)).equals(bytes)).to.equal(true);
		});

		it('gives parts', async () => {
			const bytes = randomBytes(700_000);
			const { key } = await put(bytes);
			for (const [start, end] of [
				[0, 0],
				[0, 699_999],
				[255 * 1024 - 1, 255 * 1024],
				[261_119, 600_000],
				[699_999, 699_999],
			] as const) {
				expect((await read(key, { start, end })).equals(bytes.subarray(start, end + 1)), `${start}-${end}`).to.equal(true);
			}
		});

		it('keeps equal contents apart', async () => {
			const bytes = Buffer.from('same');
			const [one, two] = await Promise.all([put(bytes), put(bytes)]);
			expect(one.sha256).to.equal(two.sha256);
			expect(one.key).not.to.equal(two.key);
			await store.remove(one.key);
			expect(await read(two.key)).to.deep.equal(bytes);
		});

		it('lists what is there, with when it was written', async () => {
			const before = Date.now();
			const keys = [await put(Buffer.from('a')), await put(Buffer.alloc(0))].map(({ key }) => key);
			const list = await kept();
			expect([...new Set(list.map(({ key }) => key))].sort()).to.deep.equal(keys.sort());
			// Some engines write whole seconds.
			for (const { writtenAt } of list) expect(writtenAt).to.be.within(before - 2000, Date.now() + 2000);
		});

		it('removes, once or again', async () => {
			const { key } = await put(Buffer.from('a'));
			for (let time = 0; time < 2; time++) await store.remove(key);
			expect(await faultOf(store.open(key))).to.equal('missing');
			expect(await kept()).to.deep.equal([]);
		});

		it('finds nothing under keys that are none', async () => {
			for (const key of ['x', '', '../../etc/passwd', 'a'.repeat(24), `${'a'.repeat(64)}-${'0'.repeat(36)}`]) {
				expect(await faultOf(store.open(key)), key).to.equal('missing');
				await store.remove(key);
			}
		});

		for (const sent of [1000, 12 * mebibyte]) {
			it(`keeps nothing of a source that fails after ${sent} bytes, and says why`, async () => {
				const reason = new Error('the client went away');
				const source = Readable.from(
					(async function* () {
						yield* cut(randomBytes(sent), 65_536);
						throw reason;
					})(),
				);
				expect(await faultOf(store.put(source))).to.equal('Error: the client went away');
				await eventually('nothing is kept', kept, ({ length }) => length === 0);
			});
		}

		it('reads no more of the source than it has room for', async () => {
			let given = 0;
			const { key } = await put(randomBytes(20 * mebibyte));
			const stream = await store.open(key);
			stream.on('data', (bytes: Buffer) => {
				given += bytes.length;
				stream.pause();
			});
			await once(stream, 'data');
			stream.destroy();
			expect(given).to.be.below(17 * mebibyte);
		});

		it('goes on after a download that was given up', async () => {
			const bytes = randomBytes(mebibyte);
			const { key } = await put(bytes);
			for (let time = 0; time < 60; time++) (await store.open(key)).destroy();
			expect((await read(key)).equals(bytes)).to.equal(true);
		});

		it('stores many at once', async () => {
			const contents = Array.from({ length: 20 }, (_, index) => randomBytes(100_000 + index));
			const stored = await Promise.all(contents.map((bytes) => put(bytes)));
			for (const [index, { key }] of stored.entries())
				expect((await read(key)).equals(contents[index] ?? Buffer.of())).to.equal(true);
			expect(await kept()).to.have.length(20);
		});
	});
}

function* cut(bytes: Buffer, size: number): Generator<Buffer> {
	for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
