import type { Scalar } from '../document-store.ts';

/** What the driver can bind. It aborts the process on a boolean, so booleans never get there. */
export type Binding = string | number | null | Uint8Array;

/** What travels between the threads: flat and primitive, because cloning objects is slow. `undefined` stands for an object. */
export type Cell = string | number | boolean | null | undefined;

/*
 * SQLite orders NULL < numbers < text < blobs, so blobs make the order of MongoDB's types:
 * null, numbers, text, objects, arrays, false, true.
 */
const objectMark = Uint8Array.of(1);
const falseMark = Uint8Array.of(3);
const trueMark = Uint8Array.of(4);

/** The same marks as SQL literals. */
export const marks = { object: "x'01'", array: "x'02'", false: "x'03'", true: "x'04'" } as const;

export function toBinding(cell: Cell): Binding {
	if (typeof cell === 'boolean') return cell ? trueMark : falseMark;
	return cell === undefined ? objectMark : cell;
}

/** The scalar a column's value stands for; objects and arrays come out as null. */
export function fromColumn(value: unknown): Scalar {
	if (typeof value === 'string') return decodeText(value);
	if (typeof value === 'number') return value === Number.NEGATIVE_INFINITY ? null : value;
	if (value instanceof Uint8Array) return value[0] === 4 ? true : value[0] === 3 ? false : null;
	return null;
}

/**
 * Text as a column holds it, well-formed. The driver cuts text at U+0000, so that character is written as U+0001 U+0001
 * and U+0001 as U+0001 U+0002, which keeps equality, order and prefixes.
 */
export function encodeText(text: string): string {
	let hasSurrogates = false;
	for (let position = 0; position < text.length; position++) {
		const code = text.charCodeAt(position);
		if (code < 2) {
			return toWellFormed(text).replaceAll('\u0001', '\u0001\u0002').replaceAll('\u0000', '\u0001\u0001');
		}
		if (code >= 0xd800 && code <= 0xdfff) hasSurrogates = true;
	}
	return hasSurrogates ? toWellFormed(text) : text;
}

export function decodeText(text: string): string {
	return text.includes('\u0001') ? text.replaceAll('\u0001\u0001', '\u0000').replaceAll('\u0001\u0002', '\u0001') : text;
}

/** Half of a surrogate pair cannot be written as UTF-8: two such ids would become one. */
export function isWellFormed(text: string): boolean {
	for (let position = 0; position < text.length; position++) {
		const code = text.charCodeAt(position);
		if (code < 0xd800 || code > 0xdfff) continue;
		const next = text.charCodeAt(position + 1);
		if (code > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false;
		position++;
	}
	return true;
}

/**
 * Halves of surrogate pairs become U+FFFD. The driver would do so on its own when it writes UTF-8, but too late:
 * two texts that were different here would be one there, and break a key.
 */
export function toWellFormed(text: string): string {
	return isWellFormed(text) ? text : text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** The same for text that `JSON.stringify` made: it writes halves of surrogate pairs escaped. */
export function toWellFormedJson(json: string): string {
	if (!json.includes('\\ud')) return json;
	const replaced = json.replace(/\\(ud[89a-f]..|.)/g, (escaped) => (escaped.length === 2 ? escaped : '\ufffd'));
	// Parsed once more, for two keys may have become one.
	return replaced === json ? json : JSON.stringify(JSON.parse(replaced));
}

/** Orders text by its UTF-8 bytes, as the database does; JavaScript's own order differs above U+D7FF. */
export function compareText(left: string, right: string): number {
	const length = Math.min(left.length, right.length);
	for (let position = 0; position < length; position++) {
		const a = left.charCodeAt(position);
		const b = right.charCodeAt(position);
		if (a !== b) return rank(a) - rank(b);
	}
	return left.length - right.length;
}

function rank(code: number): number {
	if (code < 0xd800) return code;
	return code < 0xe000 ? code + 0x10000 : code;
}
