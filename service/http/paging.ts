import { z } from 'zod';
import type { HttpOptions } from './http-options.ts';
import { booleanParameter, numberParameter } from './query-values.ts';

/** The parameters that every collection has. */
export function pageParameters({ pageSizeMax, pageSizeDefault }: Pick<HttpOptions, 'pageSizeMax' | 'pageSizeDefault'>) {
	const currentPage = numberParameter('Which page, from 1', { min: 1, max: 1_000_000_000, unset: 1 });
	return {
		pageSize: numberParameter('How many entries a page has', { min: 1, max: pageSizeMax, unset: pageSizeDefault })
			.optional()
			.transform((value) => value ?? pageSizeDefault),
		// A client that asks for the page after the last one may send the text 'null'.
		currentPage: z
			.preprocess((value) => (value === 'null' ? undefined : value), currentPage.optional())
			.transform((value) => value ?? 1),
		withTotalPages: booleanParameter('Adds statistics.totalPages').optional(),
		withTotalElements: booleanParameter('Adds statistics.totalElements').optional(),
	};
}

export interface PageQuery {
	readonly pageSize: number;
	readonly currentPage: number;
	readonly withTotalPages?: boolean | undefined;
	readonly withTotalElements?: boolean | undefined;
}

const count = z.int().nonnegative();
const statistics = z
	.object({
		currentPage: count.meta({ example: 1 }),
		pageSize: count.meta({ example: 5 }),
		totalPages: count.optional(),
		totalElements: count.optional(),
	})
	.meta({ id: 'Statistics', description: 'Totals are there where they were asked for; 0 for an empty result' });

/** The schema of a page of a collection whose entries are under `name`. */
export function pageSchema<const N extends string>(name: N, item: z.ZodType) {
	return z.object({
		[name]: z.array(item),
		statistics,
		self: z.string(),
		next: z.string().meta({ description: 'Absent on the last page' }).optional(),
		prev: z.string().meta({ description: 'Absent on the first page' }).optional(),
	});
}

interface PageCall {
	readonly scan: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
	readonly base: string;
	readonly path: string;
	readonly queryText: string;
	readonly query: PageQuery;
}

interface Range {
	readonly skip: number;
	readonly limit: number;
}

/** A search gets a signal that tells when nobody waits for it any more, and so does what counts. */
interface PageSource<T> {
	readonly find: (range: Range, signal?: AbortSignal) => Promise<readonly T[]>;
	readonly count: (signal?: AbortSignal) => Promise<number>;
	/** To find the page, many documents that are not on it may have to be looked at. */
	readonly isSearch?: boolean;
	/** A parameter by which the next page begins behind an entry of this one, so that it is found without those before it. */
	readonly mark?: { readonly name: string; readonly of: (last: T) => string };
}

interface PageTextSource {
	/** A JSON array as text, and whether entries follow. */
	readonly find: (range: Range) => Promise<{ readonly text: string; readonly hasMore: boolean }>;
	readonly count: () => Promise<number>;
	/** To find the page, many documents that are not on it may have to be looked at. */
	readonly isSearch?: boolean;
}

/**
 * One page of a collection. It reads one entry more than it shows, to know whether there is a next page, and counts only when
 * totals are wanted.
 */
export async function readPage<T>(
	call: PageCall,
	{ find, count, isSearch = false, mark }: PageSource<T>,
): Promise<{ readonly entries: readonly T[]; readonly frame: Readonly<Record<string, unknown>> }> {
	const { pageSize, currentPage, withTotalPages, withTotalElements } = call.query;
	const range = { skip: (currentPage - 1) * pageSize, limit: pageSize + 1 };
	const [found, total] = await Promise.all([
		isSearch ? call.scan((signal) => find(range, signal)) : find(range),
		withTotalPages || withTotalElements ? call.scan(count) : 0,
	]);
	const hasMore = found.length > pageSize;
	const entries = hasMore ? found.slice(0, pageSize) : found;
	const last = entries.at(-1);
	const follow = mark && last !== undefined ? ([mark.name, mark.of(last)] as const) : undefined;
	return { entries, frame: frameOf(call, total, hasMore, follow) };
}

/** One page whose entries are JSON text already, as the text of the whole answer. */
export async function readPageText(
	call: PageCall,
	name: string,
	{ find, count, isSearch = false }: PageTextSource,
): Promise<{ readonly isEmpty: boolean; readonly json: string }> {
	const { pageSize, currentPage, withTotalPages, withTotalElements } = call.query;
	const range = { skip: (currentPage - 1) * pageSize, limit: pageSize };
	const [{ text, hasMore }, total] = await Promise.all([
		isSearch ? call.scan(() => find(range)) : find(range),
		withTotalPages || withTotalElements ? call.scan(count) : 0,
	]);
	const frame = JSON.stringify(frameOf(call, total, hasMore));
	return { isEmpty: text === '[]', json: `{${JSON.stringify(name)}:${text},${frame.slice(1)}` };
}

/** What an answer says about its page. */
function frameOf(
	call: PageCall,
	total: number,
	hasMore: boolean,
	follow?: readonly [name: string, value: string],
): Readonly<Record<string, unknown>> {
	const { pageSize, currentPage, withTotalPages, withTotalElements } = call.query;
	// All parameters of the request stay in the links, properly encoded again.
	const link = (page: number): string => {
		const parameters = new URLSearchParams(call.queryText);
		parameters.set('pageSize', String(pageSize));
		parameters.set('currentPage', String(page));
		if (follow && page > currentPage) parameters.set(...follow);
		if (follow && page < currentPage) parameters.delete(follow[0]);
		return `${call.base}${call.path}?${parameters}`;
	};
	return {
		statistics: {
			currentPage,
			pageSize,
			...(withTotalPages && { totalPages: Math.ceil(total / pageSize) }),
			...(withTotalElements && { totalElements: total }),
		},
		self: link(currentPage),
		...(hasMore && { next: link(currentPage + 1) }),
		...(currentPage > 1 && { prev: link(currentPage - 1) }),
	};
}
