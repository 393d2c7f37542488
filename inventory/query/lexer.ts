import { QueryError } from './query-error.ts';

export interface Token {
	/** A word is anything without quotes: a path, an operator, a value. */
	readonly kind: 'word' | 'text' | '(' | ')' | ',' | 'orderby' | 'end';
	/** As it is written in the query. */
	readonly raw: string;
	/** Its first character; that of the query is 0. */
	readonly at: number;
}

const space = /\s*/y;
const orderBy = /\+*\s*\$orderby=/iy;
const text = /'(?:[^'\\]|''|\\[\s\S])*'/y;
const word = /(?:(?!\+?\$orderby=)[^\s(),'])+/iy;
const filterPrefix = /\s*\$filter=/iy;

/** Reads a query token by token, each character once. */
export function createLexer(query: string) {
	let at = match(filterPrefix, 0)?.length ?? 0;

	function match(pattern: RegExp, from: number): string | undefined {
		pattern.lastIndex = from;
		return pattern.exec(query)?.[0];
	}

	/** @throws QueryError for a text without an end */
	function next(): Token {
		at += match(space, at)?.length ?? 0;
		const char = query[at];
		if (char === undefined) return { kind: 'end', raw: '', at };
		if (char === '(' || char === ')' || char === ',') return take(char, char);
		if (char === "'") {
			const found = match(text, at);
			if (found === undefined) throw new QueryError(at + 1, 'a text that ends with a quote', query.slice(at));
			return take('text', found);
		}
		const sorting = match(orderBy, at);
		if (sorting !== undefined) return take('orderby', sorting);
		return take('word', match(word, at) ?? char);
	}

	function take(kind: Token['kind'], raw: string): Token {
		const token: Token = { kind, raw, at };
		at += raw.length;
		return token;
	}

	return { next };
}

/** The pieces between the wildcards of a word or of what is inside the quotes of a text: `''` is a quote, a backslash escapes. */
export function piecesOf({ kind, raw }: Pick<Token, 'kind' | 'raw'>): string[] {
	const inside = kind === 'text' ? raw.slice(1, -1) : raw;
	const pieces: string[] = [];
	let piece = '';
	for (let i = 0; i < inside.length; i++) {
		const char = inside.charAt(i);
		if (char === '*') {
			// Several wildcards in a row are one.
			if (piece !== '' || pieces.length === 0) pieces.push(piece);
			piece = '';
			continue;
		}
		const isEscape = char === '\\' || (char === "'" && kind === 'text');
		if (isEscape && i + 1 < inside.length) i++;
		piece += inside.charAt(i);
	}
	return [...pieces, piece];
}
