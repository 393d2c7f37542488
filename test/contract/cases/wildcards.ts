import { expect } from 'chai';
import type { Collection, IndexSpec } from '../../../store/index.ts';
import { type AnyDocument, type Bench, idsOf } from '../engine.ts';

const texts: readonly string[] = [
	'', 'a', 'A', 'abc', 'ABC', 'aXc', 'ac', 'abcabc', 'a*c', 'a?c', 'a[b]c', 'a[bc', 'a]c', 'a%c', 'a_c', 'a\\c', 'a.c', 'a^c', 'a-c',
	'äbc', 'Äbc', '😀c', 'c😀', ' abc', 'abc ', 'a\nc', 'a"c', "a'c", '\u{10ffff}x', '\ud7ffx', '\ue000x', '10', 'x\u0001y',
]; // biome-ignore format: one line a kind

const patterns: readonly string[] = [
	'', '*', '**', 'a*', '*c', 'a*c', '*b*', 'abc', 'ABC', 'a?c', '?', 'a[b]c', 'a[*', '[a]*', 'a]*', 'a%*', '%', 'a_*', '_', 'a\\*', '\\',
	'a.*', '.*', 'a^*', '^*', '$', 'a-*', 'ä*', 'Ä*', '😀*', '*😀', '* ', ' *', 'a\n*', 'a"*', "a'*", 'abc*abc', 'abc*c', 'a*b*c*', '*a*a*',
	'\u{10ffff}*', '\ud7ff*', '1*', 'x\u0001*', 'abcabc*abc', 'z*',
]; // biome-ignore format: one line a kind

/** `$wildcard`: anchored, `*` alone is special, case counts. */
export function wildcardCases(bench: Bench): void {
	describe('wildcards', () => {
		checkPatterns(bench, [{ name: 'v', keys: ['v'] }], 'indexed');
		checkPatterns(bench, [], 'not indexed');
	});
}

function checkPatterns({ it, collection, store }: Bench, indexes: readonly IndexSpec[], what: string): void {
	let things: Collection<AnyDocument>;
	before(async () => {
		things = await collection<AnyDocument>({ indexes });
		const others = [1, true, null, { a: 'abc' }].map((v, number) => ({ _id: `other${number}`, v }));
		const documents = [...texts.map((v, number) => ({ _id: `t${number}`, v })), ...others];
		await store().batch(documents.map((document) => ({ kind: 'put', collection: things.name, document })));
	});
	for (const pattern of patterns) {
		it(`matches ${JSON.stringify(pattern)} (${what})`, async () => {
			const matching = new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`, 'su');
			const expected = texts.flatMap((text, number) => (matching.test(text) ? [`t${number}`] : [])).sort();
			expect(await idsOf(things.find({ filter: { v: { $wildcard: pattern } } }))).to.deep.equal(expected);
			const ids = texts.map((_, number) => `t${number}`);
			const outcomes = await Promise.all(
				ids.map((id) => store().batch([{ kind: 'require', collection: things.name, id, where: { v: { $wildcard: pattern } } }])),
			);
			expect(ids.filter((_, number) => outcomes[number]?.ok).sort()).to.deep.equal(expected);
		});
	}
}

function escaped(text: string): string {
	return text.replace(/[.*+?^${}()|[\]\\/-]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
