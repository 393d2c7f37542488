import { expect } from 'chai';
import { parseSoakOptions } from '../../soak/soak-options.ts';

describe('soak/soak-options', () => {
	it('chooses the load by the store', () => {
		expect(parseSoakOptions([], 5)).to.include({ minutes: 1, store: 'sqlite', processes: 1, seed: 5 });
		expect(parseSoakOptions(['--store', 'mongodb'], 5)).to.include({ store: 'mongodb', processes: 2 });
	});

	it('takes what is given', () => {
		const words = ['--minutes', '0.5', '--store', 'mongodb', '--processes', '3', '--devices', '7', '--rate', '9', '--seed', '0'];
		const given = { minutes: 0.5, store: 'mongodb', processes: 3, devices: 7, rate: 9, seed: 0 };
		expect(parseSoakOptions(words, 5)).to.include(given);
	});

	for (const [words, reason] of [
		[['--minutes', '0'], /--minutes must be a number from 0.1/],
		[['--minutes', 'long'], /--minutes must be a number .* found 'long'/],
		[['--store', 'redis'], /--store must be sqlite or mongodb, found 'redis'/],
		[['--processes', '2'], /--processes must be a whole number from 1 to 1, found '2'/],
		[['--devices', '1.5'], /--devices must be a whole number/],
		[['--devices', ''], /--devices must be a whole number/],
		[['--seed', '-1'], /--seed/],
		[['--speed', '1'], /--speed/],
	] as const) {
		it(`refuses ${words.join(' ')}`, () => expect(() => parseSoakOptions(words, 5)).to.throw(reason));
	}
});
