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
 * Halves of surrogate pairs become U+FFFD. Drivers would do so on their own when they write UTF-8, but too late:
 * two texts that were different here would be one there, and break a key.
 */
export function toWellFormed(text: string): string {
	return isWellFormed(text) ? text : text.replace(/\p{Surrogate}/gu, '\ufffd');
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
