import { createHash } from 'node:crypto';
import { addAbortSignal, type Readable } from 'node:stream';
import {
	type Collection,
	type ContentStore,
	ContentStoreError,
	type CopiedCollection,
	type CopyEnd,
	type CopyPart,
	type CopyTelling,
	createContentDigest,
	StoreError,
} from '../store/index.ts';
import { type ContentRecord, contentSpec, referenceSpec } from './binary-records.ts';

/** One end of a copy, with where its bytes are. */
export type ContentsEnd = CopyEnd & { readonly contents: ContentStore };

const maxExamples = 5;

/**
 * The records of contents as a part of the copy of a store, with the bytes that they lead to; each content is compared with its
 * SHA-256 on the way. With `isSamePlace` the bytes stay where they are, because both ends have them there.
 */
export function contentsPart(
	source: ContentsEnd,
	target: ContentsEnd,
	{ isSamePlace }: { readonly isSamePlace: boolean },
): CopyPart {
	const { name } = contentSpec;

	async function copy({ signal, tell }: CopyTelling): Promise<boolean> {
		const [from, into] = [await source.store.collection(contentSpec), await target.store.collection(contentSpec)];
		const of = await from.count({});
		let documents = 0;
		for await (const record of from.scan({})) {
			if (signal.aborted) return false;
			if (!(await into.get(record._id)) && !(await copyOne(record, into, signal))) return false;
			tell({ collection: name, work: 'copied', documents: ++documents, of });
		}
		return true;
	}

	/** Bytes first: a record never leads nowhere. What is left of a copy that was stopped is swept by the service. */
	async function copyOne(record: ContentRecord, into: Collection<ContentRecord>, signal: AbortSignal): Promise<boolean> {
		const bytes = addAbortSignal(signal, await openAt(source, record));
		if (isSamePlace) {
			bytes.on('error', () => {}).destroy();
			await into.insert(record);
			return true;
		}
		try {
			const { key, sha256 } = await target.contents.put(bytes);
			if (sha256 === record._id) await into.insert({ ...record, key });
			else {
				await target.contents.remove(key);
				throw new StoreError(await lossText(source, record, `is damaged: its SHA-256 is ${sha256}`));
			}
			return true;
		} catch (error) {
			if (signal.aborted) return false;
			throw error;
		}
	}

	async function compare({ signal, tell, verify }: CopyTelling & { readonly verify: boolean }): Promise<CopiedCollection> {
		const [from, into] = [await source.store.collection(contentSpec), await target.store.collection(contentSpec)];
		const counted = { name, source: await from.count({}), target: await into.count({}) };
		if (!verify || signal.aborted) return counted;
		const digest = createHash('sha256');
		const differing: string[] = [];
		let documents = 0;
		for await (const record of into.scan({})) {
			if (signal.aborted) return counted;
			if (!(await from.get(record._id)) || !(await isWhole(record))) differing.push(record._id);
			digest.update(record._id);
			tell({ collection: name, work: 'compared', documents: ++documents, of: counted.target });
		}
		const compared = { digest: digest.digest('hex'), differing: differing.length, examples: differing.slice(0, maxExamples) };
		return { ...counted, compared };
	}

	async function isWhole(record: ContentRecord): Promise<boolean> {
		const digest = createContentDigest();
		for await (const bytes of digest.tap(await openAt(target, record))) void bytes;
		return digest.finish().sha256 === record._id;
	}

	return { name, copy, compare };
}

/** @throws StoreError that names the binaries, where the bytes are not there */
async function openAt(end: ContentsEnd, record: ContentRecord): Promise<Readable> {
	return end.contents.open(record.key).catch(async (error: unknown) => {
		if (!(error instanceof ContentStoreError) || error.fault !== 'missing') throw error;
		throw new StoreError(await lossText(end, record, 'is missing'), { cause: error });
	});
}

async function lossText({ store, place }: ContentsEnd, { _id: sha256 }: ContentRecord, what: string): Promise<string> {
	const references = await (await store.collection(referenceSpec)).find({ filter: { sha256 }, limit: maxExamples });
	const ids = references.map(({ _id }) => _id).join(', ');
	return `the content with the SHA-256 ${sha256} of ${place} ${what}; it belongs to the binaries ${ids} (tenant/id): replace or remove them, or put it back where BINARIES_STORE keeps it`;
}
