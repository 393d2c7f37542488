import { expect } from 'chai';
import { readArguments } from '../../../service/command-line.ts';
import { UsageError } from '../../../service/store-place.ts';

describe('service/command-line', () => {
	const asked = (...words: string[]) => readArguments(words, {}).asked;

	const good: readonly (readonly [words: readonly string[], asked: unknown])[] = [
		[[], undefined],
		[['--version'], { what: 'version' }],
		[['--print-config'], { what: 'print-config' }],
		[['--help', '--version'], { what: 'help' }],
		[['backup', 'a.db'], { what: 'backup', target: 'a.db' }],
		[['backup', '--', '--a.db'], { what: 'backup', target: '--a.db' }],
		[['backup', '--help'], { what: 'help' }],
		[['restore', 'a.db', 'folder'], { what: 'restore', backup: 'a.db', directory: 'folder' }],
		[['restore', '--help'], { what: 'help' }],
		[['migrate', '--foo'], { what: 'migrate', words: ['--foo'] }],
		[['verify-audit'], { what: 'verify-audit', words: [] }],
	];
	for (const [words, found] of good) it(`takes '${words.join(' ')}'`, () => expect(asked(...words)).to.deep.equal(found));

	const bad: readonly (readonly [words: readonly string[], message: RegExp])[] = [
		[['--foo'], /'--foo'/],
		[['start'], /'start'/],
		[['backup'], /backup needs the file to write/],
		[['backup', 'a', 'b'], /backup needs the file to write, and nothing else/],
		[['backup', '--foo'], /'--foo'/],
		[['backup', 'a.db', '--foo'], /'--foo'/],
		[['restore', 'a'], /restore needs the backup and the folder/],
		[['restore', 'a', 'b', 'c'], /restore needs the backup and the folder to put it into, and nothing else/],
		[['restore', 'a', 'b', '--foo=1'], /'--foo'/],
	];
	for (const [words, message] of bad)
		it(`refuses '${words.join(' ')}', and points to --help`, () =>
			expect(() => asked(...words))
				.to.throw(UsageError, message)
				.with.property('message')
				.that.matches(/; --help tells more$/));
});
