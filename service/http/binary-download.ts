import type { IncomingHttpHeaders } from 'node:http';
import contentDisposition from 'content-disposition';
import fresh from 'fresh';
import parseRange from 'range-parser';
import type { BinaryFacts, BinaryRange } from '../../inventory/index.ts';
import { HttpError } from './http-error.ts';

/** How a download is to be answered. */
export interface DownloadPlan {
	readonly status: 200 | 206 | 304;
	readonly headers: Readonly<Record<string, string>>;
	/** The part that is wanted; absent for all of it. */
	readonly range?: BinaryRange;
}

export interface Download {
	readonly facts: BinaryFacts;
	readonly name: string;
	readonly isHead: boolean;
	readonly headers: IncomingHttpHeaders;
}

/**
 * What a request for a binary gets, by its conditions and its range. [RFC 9110, 13 and 14; RFC 9530]
 * @throws HttpError `http/preconditionFailed`, `http/rangeNotSatisfiable`
 */
export function planDownload({ facts, name, isHead, headers }: Download): DownloadPlan {
	checkPreconditions(facts, headers);
	const validators = { ETag: entityTag(facts), 'Last-Modified': httpDate(facts.since), 'Cache-Control': 'private, no-cache' };
	// Without Cache-Control, which libraries add to every condition: the answer is not from a cache anyway.
	const { 'if-none-match': ifNoneMatch, 'if-modified-since': ifModifiedSince } = headers;
	const conditions = { 'if-none-match': ifNoneMatch, 'if-modified-since': ifModifiedSince };
	if (fresh(conditions, { etag: validators.ETag, 'last-modified': validators['Last-Modified'] }))
		return { status: 304, headers: validators };
	const digest = digestField(facts.sha256);
	const always = {
		...validators,
		'Content-Type': facts.contentType,
		'Content-Disposition': dispositionOf(name),
		'Accept-Ranges': 'bytes',
		'Repr-Digest': digest,
	};
	const range = isHead ? undefined : rangeOf(facts, headers);
	if (range) {
		const { start, end } = range;
		const part = { 'Content-Range': `bytes ${start}-${end}/${facts.length}`, 'Content-Length': String(end - start + 1) };
		// A digest of the part alone would need the part to be read before.
		return { status: 206, headers: { ...always, ...part }, range };
	}
	return {
		status: 200,
		headers: { ...always, 'Content-Length': String(facts.length), ...(!isHead && { 'Content-Digest': digest }) },
	};
}

/**
 * Whether a change or a download may go on, as far as the request makes that depend on the present bytes.
 * @throws HttpError `http/preconditionFailed`
 */
export function checkPreconditions(facts: BinaryFacts, headers: IncomingHttpHeaders): void {
	const ifMatch = headers['if-match'];
	const isMatched = ifMatch === undefined ? isUnmodified(facts, headers['if-unmodified-since']) : namesTag(ifMatch, facts);
	if (!isMatched)
		throw new HttpError('http/preconditionFailed', 'The binary has other bytes than the request expects: read it again', {
			headers: { ETag: entityTag(facts) },
		});
}

/**
 * The same for a change, which `If-None-Match` keeps from what is there.
 * @throws HttpError `http/preconditionFailed`
 */
export function checkChange(facts: BinaryFacts, headers: IncomingHttpHeaders): void {
	checkPreconditions(facts, headers);
	const ifNoneMatch = headers['if-none-match'];
	if (ifNoneMatch !== undefined && namesTag(ifNoneMatch.replaceAll('W/', ''), facts))
		throw new HttpError('http/preconditionFailed', 'The binary has the bytes that If-None-Match keeps from this change', {
			headers: { ETag: entityTag(facts) },
		});
}

/** Strong: equal bytes have equal tags, and only they. */
export function entityTag({ sha256 }: BinaryFacts): string {
	return `"${sha256}"`;
}

function namesTag(list: string, facts: BinaryFacts): boolean {
	return list.split(',').some((tag) => tag.trim() === '*' || tag.trim() === entityTag(facts));
}

function isUnmodified({ since }: BinaryFacts, text: string | undefined): boolean {
	const time = text === undefined ? Number.NaN : Date.parse(text);
	return Number.isNaN(time) || toSeconds(since) <= toSeconds(time);
}

function rangeOf(facts: BinaryFacts, headers: IncomingHttpHeaders): BinaryRange | undefined {
	const { range } = headers;
	if (range === undefined || !isSameForRange(facts, headers['if-range'])) return undefined;
	const [, suffix] = /^bytes=-([0-9]+)$/i.exec(range) ?? [];
	// All of it, for the end of something shorter.
	if (suffix !== undefined && Number(suffix) >= facts.length && facts.length > 0) return { start: 0, end: facts.length - 1 };
	const found = isRangeSet(range) ? parseRange(facts.length, range.toLowerCase()) : -2;
	if (found === -1)
		throw new HttpError(
			'http/rangeNotSatisfiable',
			`The binary has ${facts.length} bytes: '${range.slice(0, 40)}' has none of them`,
			{
				headers: { 'Content-Range': `bytes */${facts.length}` },
			},
		);
	// Several parts at once may be answered with the whole.
	if (found === -2 || found.length !== 1) return undefined;
	const [only] = found;
	return only && { start: only.start, end: only.end };
}

/** What is none is to be ignored. [RFC 9110, 14.1 and 14.2] */
function isRangeSet(text: string): boolean {
	const [, set] = /^bytes=(.*)$/i.exec(text) ?? [];
	const ranges = (set ?? '').split(',').map((range) => /^[ \t]*(?:([0-9]+)-([0-9]*)|-[0-9]+)[ \t]*$/.exec(range));
	return ranges.every((range) => range !== null && !(range[2] && Number(range[2]) < Number(range[1])));
}

function isSameForRange(facts: BinaryFacts, ifRange: string | string[] | undefined): boolean {
	if (ifRange === undefined) return true;
	if (typeof ifRange !== 'string') return false;
	return ifRange.startsWith('"') ? ifRange === entityTag(facts) : ifRange === httpDate(facts.since);
}

/** Safe in any header: quoted, and once more in UTF-8 where the plain form does not say it all. */
export function dispositionOf(name: string): string {
	const known =
		Buffer.from(name)
			.toString()
			.replaceAll(/[\p{Cc}/\\]/gu, '_') || 'binary';
	return contentDisposition(known, { fallback: known.replaceAll(/[^\x20-\x7e]/g, '_') });
}

function digestField(sha256: string): string {
	return `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`;
}

function httpDate(milliseconds: number): string {
	return new Date(milliseconds).toUTCString();
}

function toSeconds(milliseconds: number): number {
	return Math.floor(milliseconds / 1000);
}
