import { createHash } from 'node:crypto';
import { pagesOf } from './copy-pages.ts';
import type { Collection, Filter, StoredDocument } from './document-store.ts';
import { isPlainObject } from './field-path.ts';
import { compareText } from './text.ts';

/** What a comparison of two collections, document by document, has found. */
export interface Comparison {
	/** Of all documents of the first one, in order. */
	readonly digest: string;
	readonly differing: number;
	/** Some of the ids that are in one of them only, or have different documents. */
	readonly examples: readonly string[];
}

interface Hashed {
	readonly id: string;
	readonly hash: string;
}

const maxExamples = 5;

/** Reads two collections side by side in `_id` order and compares the hashes of their documents. */
export async function compareCollections<T extends StoredDocument>(
	first: Collection<T>,
	second: Collection<T>,
	options: { readonly filter: Filter; readonly signal: AbortSignal; readonly tell: (documents: number) => void },
): Promise<Comparison> {
	const { filter, signal, tell } = options;
	const [left, right] = [hashesOf(first, filter), hashesOf(second, filter)];
	const digest = createHash('sha256');
	const examples: string[] = [];
	let differing = 0;
	let compared = 0;
	const note = (id: string): void => {
		differing++;
		if (examples.length < maxExamples) examples.push(id);
	};
	let [a, b] = [await next(left), await next(right)];
	while ((a || b) && !signal.aborted) {
		const order = a && b ? compareText(a.id, b.id) : a ? -1 : 1;
		if (order !== 0 || a?.hash !== b?.hash) note((order <= 0 ? a : b)?.id ?? '');
		if (a && order <= 0) digest.update(a.hash);
		[a, b] = [order <= 0 ? await next(left) : a, order >= 0 ? await next(right) : b];
		compared++;
		tell(compared);
	}
	return { digest: digest.digest('hex'), differing, examples };
}

async function next(hashes: AsyncGenerator<Hashed>): Promise<Hashed | undefined> {
	const { done, value } = await hashes.next();
	return done ? undefined : value;
}

async function* hashesOf<T extends StoredDocument>(collection: Collection<T>, filter: Filter): AsyncGenerator<Hashed> {
	for await (const page of pagesOf(collection, undefined, filter)) {
		for (const document of page) {
			yield { id: document._id, hash: createHash('sha256').update(canonicalText(document)).digest('hex') };
		}
	}
}

/** JSON whose fields are sorted: engines may keep them in orders of their own. */
function canonicalText(document: object): string {
	return JSON.stringify(document, (_, value: unknown) => {
		if (!isPlainObject(value)) return value;
		return Object.fromEntries(Object.entries(value).sort(([a], [b]) => compareText(a, b)));
	});
}
