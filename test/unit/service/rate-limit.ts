import { expect } from 'chai';
import { createRateLimit } from '../../../service/rate-limit.ts';

describe('service/rate-limit', () => {
	it('says by how many a key is over what it may do in a second, and begins anew in the next', () => {
		let now = 5000;
		const { excess } = createRateLimit(() => now);
		const three = () => [excess('a', 2), excess('a', 2), excess('a', 2), excess('a', 2)];
		expect(three()).to.deep.equal([0, 0, 1, 2]);
		expect(excess('b', 2)).to.equal(0);
		now += 999;
		expect(excess('a', 2)).to.equal(3);
		now += 1;
		expect(three()).to.deep.equal([0, 0, 1, 2]);
	});

	it('lets everything through where there is no limit', () => {
		const { excess } = createRateLimit(() => 1);
		expect([excess('a', 0), excess('a', 0)]).to.deep.equal([0, 0]);
	});
});
