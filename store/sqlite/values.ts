import type { Scalar } from '../document-store.ts';
import { toWellFormed } from '../text.ts';

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

/** The same for text that `JSON.stringify` made: it writes halves of surrogate pairs escaped. */
export function toWellFormedJson(json: string): string {
	if (!json.includes('\\ud')) return json;
	const replaced = json.replace(/\\(ud[89a-f]..|.)/g, (escaped) => (escaped.length === 2 ? escaped : '\ufffd'));
	// Parsed once more, for two keys may have become one.
	return replaced === json ? json : JSON.stringify(JSON.parse(replaced));
}
