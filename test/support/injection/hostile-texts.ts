/** One text from outside, in the forms in which it travels. */
export interface HostileText {
	readonly name: string;
	/** In a path or a query string; absent where it is for bodies only. */
	readonly url?: string;
	/** As a JSON value, written as it is sent; absent where it is for URLs only. */
	readonly json?: string;
}

function text(name: string, value: string): HostileText {
	return { name, url: encodeURIComponent(value), json: JSON.stringify(value) };
}

/** Texts that mean something to some language, file system, program or database that they may come to. */
export const hostileTexts: readonly HostileText[] = [
	text('a prototype', '__proto__'),
	text('a constructor', 'constructor'),
	text('a method that every object has', 'hasOwnProperty'),
	text('an operator of the database', '$where'),
	text('a filter as text', '{"$ne":null}'),
	text('a path with dots', 'a.b'),
	text('SQL', "' OR 1=1; DROP TABLE documents --"),
	text('a query', "name eq '*' or ((("),
	text('wildcards', '*'.repeat(60)),
	text('a regular expression that never ends', '(a+)+$'),
	text('a formula', "=cmd|' /C calc'!A0"),
	text('a formula that begins with at', '@SUM(1+1)'),
	text('markup', '<script>alert(1)</script>'),
	text('a template', '$' + '{7*7}{{7*7}}'),
	text('a parent folder', '../../etc/passwd'),
	text('a NUL', 'a\u0000b'),
	text('a line end', 'a\r\nX-Injected: 1\n{"level":60}'),
	text('an escape sequence of terminals', '\u001b[2J\u0007'),
	text('text from right to left', '\u202egpj.exe'),
	text('a number that is too large', '99999999999999999999'),
	text('a number that is none', '1e999'),
	text('characters of other planes', '😀\u{10ffff}'),
	{ name: '10,000 characters', json: JSON.stringify('x'.repeat(10_000)) },
	{ name: '1,000 characters', url: 'x'.repeat(1000) },
	{ name: 'an empty text', json: '""' },
	{ name: 'a lone surrogate', url: '%ed%a0%80', json: '"a\\ud800b"' },
	{ name: 'a NUL alone', url: '%00' },
	{ name: 'an overlong slash', url: '..%c0%af..%c0%afetc' },
	{ name: 'a byte that is no UTF-8', url: '%ff' },
	{ name: 'a percent sign that escapes nothing', url: '%zz' },
	{ name: 'a half escape', url: 'a%' },
	{ name: 'an escaped backslash', url: '..%5c..%5cetc' },
	{ name: 'a slash that was escaped twice', url: '..%252f..%252fetc' },
];

/** What a field may be sent that wants a text, or a number, or nothing in particular. */
export const hostileValues: readonly (HostileText & { readonly json: string })[] = [
	{ name: 'an operator', json: '{"$ne":null}' },
	{ name: 'code', json: '{"$where":"sleep(1000)"}' },
	{ name: 'a prototype', json: '{"__proto__":{"polluted":true}}' },
	{ name: 'a prototype of a constructor', json: '{"constructor":{"prototype":{"polluted":true}}}' },
	{ name: 'a list', json: '["a"]' },
	{ name: 'a number that is too large', json: '1e999' },
	{ name: 'a whole number that loses digits', json: '123456789012345678901234567890' },
	{ name: 'minus zero', json: '-0' },
	{ name: 'true', json: 'true' },
	{ name: '10,000 arrays in each other', json: '['.repeat(10_000) + ']'.repeat(10_000) },
	{ name: '10,000 objects in each other', json: `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}` },
];

/** Names of fields, written as JSON. */
export const hostileKeys: readonly (HostileText & { readonly json: string })[] = [
	{ name: 'a prototype', json: '"__proto__"' },
	{ name: 'a constructor', json: '"constructor"' },
	{ name: 'a prototype by name', json: '"prototype"' },
	{ name: 'a method that every object has', json: '"toString"' },
	{ name: 'an accessor', json: '"__defineGetter__"' },
	{ name: 'an operator of the database', json: '"$where"' },
	{ name: 'a dollar', json: '"$"' },
	{ name: 'a path with dots', json: '"a.b"' },
	{ name: 'a dot', json: '"."' },
	{ name: 'an id of the database', json: '"_id"' },
	{ name: 'another tenant', json: '"tenant"' },
	{ name: 'a revision', json: '"revision"' },
	{ name: 'a NUL', json: '"a\\u0000b"' },
	{ name: 'a lone surrogate', json: '"\\ud800"' },
	{ name: 'an empty name', json: '""' },
	{ name: 'a line end', json: '"a\\r\\nb"' },
	{ name: '10,000 characters', json: JSON.stringify('x'.repeat(10_000)) },
];

/** Whole bodies. */
export const hostileBodies: readonly { readonly name: string; readonly body: string | Buffer }[] = [
	{ name: 'nothing', body: '' },
	{ name: 'null', body: 'null' },
	{ name: 'a text', body: '"__proto__"' },
	{ name: 'a number that is too large', body: '1e999' },
	{ name: '10,000 arrays in each other', body: '['.repeat(10_000) + ']'.repeat(10_000) },
	{ name: '100,000 arrays that stay open', body: '['.repeat(100_000) },
	{ name: '10,000 objects in each other', body: `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}` },
	{ name: 'bytes that are no UTF-8', body: Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d]) },
	{ name: 'UTF-16 with a mark', body: Buffer.from('\ufeff{"name":"a"}', 'utf16le') },
	{ name: 'UTF-7', body: '+AHs-+ACI-name+ACI-' },
	{ name: 'a NUL behind the end', body: '{}\u0000' },
	{ name: 'two documents', body: '{}{}' },
	{ name: 'XML', body: '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>' },
];
