const literals = ['true', 'false', 'null'];
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const escaped = /["\\/bfnrt]|u[0-9a-fA-F]{4}/y;

/** Where and why a text is not JSON, in words; for texts that `JSON.parse` has refused. */
export function describeJsonFault(text: string): string {
	const { at, expected } = findFault(text);
	const before = text.slice(0, at);
	const line = before.split('\n').length;
	const column = at - before.lastIndexOf('\n');
	const code = text.codePointAt(at);
	const found = code === undefined ? 'the end of the body' : `'${String.fromCodePoint(code)}'`;
	return `line ${line}, column ${column}: expected ${expected}, found ${found}`;
}

interface Fault {
	readonly at: number;
	readonly expected: string;
}

// One pass without recursion: `open` holds the closing brackets that are still due.
function findFault(text: string): Fault {
	const open: ('}' | ']')[] = [];
	let expected: 'value' | 'valueOrEnd' | 'key' | 'keyOrEnd' | 'colon' | 'next' = 'value';
	let at = 0;
	for (;;) {
		at = skipSpace(text, at);
		const char = text[at];
		const due = open.at(-1);
		if (expected === 'colon') {
			if (char !== ':') return { at, expected: 'a colon' };
			expected = 'value';
			at++;
		} else if (expected === 'next') {
			if (due === undefined) return { at, expected: 'the end of the body' };
			if (char === due) open.pop();
			else if (char !== ',') return { at, expected: `a comma or '${due}'` };
			else expected = due === '}' ? 'key' : 'value';
			at++;
		} else if ((expected === 'keyOrEnd' && char === '}') || (expected === 'valueOrEnd' && char === ']')) {
			open.pop();
			expected = 'next';
			at++;
		} else if (expected === 'key' || expected === 'keyOrEnd') {
			if (char !== '"') return { at, expected: 'a field name in double quotes' };
			const end = skipText(text, at);
			if (typeof end !== 'number') return end;
			at = end;
			expected = 'colon';
		} else if (char === '{' || char === '[') {
			open.push(char === '{' ? '}' : ']');
			expected = char === '{' ? 'keyOrEnd' : 'valueOrEnd';
			at++;
		} else {
			const end = char === '"' ? skipText(text, at) : skipScalar(text, at);
			if (typeof end !== 'number') return end;
			at = end;
			expected = 'next';
		}
	}
}

function skipSpace(text: string, from: number): number {
	let at = from;
	while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++;
	return at;
}

function skipText(text: string, from: number): number | Fault {
	for (let at = from + 1; ; at++) {
		const code = text.charCodeAt(at);
		if (code === 0x22) return at + 1;
		if (Number.isNaN(code)) return { at, expected: 'a closing quote' };
		if (code < 0x20) return { at, expected: 'an escaped control character, such as \\n,' };
		if (code !== 0x5c) continue;
		escaped.lastIndex = at + 1;
		if (!escaped.test(text)) return { at: at + 1, expected: 'an escape that JSON knows' };
		at = escaped.lastIndex - 1;
	}
}

function skipScalar(text: string, from: number): number | Fault {
	const literal = literals.find((each) => text.startsWith(each, from));
	if (literal) return from + literal.length;
	number.lastIndex = from;
	return number.test(text) ? number.lastIndex : { at: from, expected: 'a value' };
}
