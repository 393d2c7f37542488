import { expect } from 'chai';
import { load } from '../../../config/index.ts';
import { readWords } from '../../../service/migrate-words.ts';
import { UsageError } from '../../../service/store-place.ts';

const secret = 's3cret-of-the-url';
const url = `mongodb://user:${secret}@127.0.0.1:1/db`;
const advice = /right is (sqlite:<directory>|migrate --from)|to copy such a store/;

describe('service/migrate-words', () => {
	const read = (words: string[], environment = {}) => readWords(words, load(environment));

	const wrong: [what: string, words: string[], message: RegExp][] = [
		['no source', [], /--from is missing/],
		['an unknown option', ['--form', 'sqlite:a'], /Unknown option '--form'/],
		['an unknown kind', ['--from', `postgres://user:${secret}@host/db`, '--to', url], /--from: stores of the kind 'postgres' are not known/],
		['no kind', ['--from', `user:${secret}@host`, '--to', url], /--from: no kind of store is named/],
		['a store in memory', ['--from', 'sqlite::memory:', '--to', url], /a store in memory is gone/],
		['the MongoDB of the settings where there is none', ['--from', 'mongodb:', '--to', 'sqlite:a'], /--from: 'mongodb:' stands for the store of MONGODB_URL, which is not set/],
		['a word that stands alone', ['sqlite:a', url], /a word stands alone/],
		['two targets', ['--from', 'sqlite:a', '--to', url, '--to', url], /may be given once/],
		['two stores of one kind', ['--from', 'sqlite:a', '--to', 'sqlite:b'], /both sqlite.*copy the directory/],
		['the same store', ['--from', url, '--to', url], /both mongodb.*mongodump/],
		['nothing that says where to', ['--from', 'sqlite:data'], /MONGODB_URL is not set, and --to is not given/],
	]; // biome-ignore format: one line a row
	for (const [what, words, message] of wrong) {
		it(`refuses ${what}, and shows no password`, () => {
			expect(() => read(words))
				.to.throw(UsageError, message)
				.with.property('message')
				.that.matches(advice)
				.and.does.not.include(secret);
		});
	}

	it('takes both directions', () => {
		const there = read(['--from', 'sqlite:./data', '--to', url, '--verify']);
		expect(there).to.deep.include({ from: { kind: 'sqlite', directory: './data' }, verify: true, help: false });
		expect(there.to.kind === 'mongodb' && there.to.url.reveal()).to.equal(url);
		expect(read(['--from', url, '--to', 'sqlite:a b'])).to.deep.include({ to: { kind: 'sqlite', directory: 'a b' } });
	});

	it('takes the MongoDB of the settings by its kind alone', () => {
		const { from } = read(['--from', 'mongodb:', '--to', 'sqlite:a'], { MONGODB_URL: url });
		expect(from.kind === 'mongodb' && from.url.reveal()).to.equal(url);
	});

	it('takes the store of the settings where no target is given', () => {
		const { to } = read(['--from', 'sqlite:old'], { MONGODB_URL: url });
		expect(to.kind === 'mongodb' && to.url.reveal()).to.equal(url);
		expect(read(['--from', url], { DATA_DIR: 'new' }).to).to.deep.equal({ kind: 'sqlite', directory: 'new' });
	});

	it('never shows the URL', () => {
		expect(JSON.stringify(read(['--from', 'sqlite:a', '--to', url]))).to.not.include(secret);
	});
});
