import { expect } from 'chai';
import { beginShare } from '../../../../service/mqtt/fair-share.ts';

describe('service/mqtt/fair-share', () => {
	it('gives the others their turn when its time is used up, and begins anew then', async () => {
		let now = 1000;
		const share = beginShare(() => now);
		const heard: string[] = [];
		setImmediate(() => heard.push('other'));
		expect(share.over()).to.equal(undefined);
		now += 19;
		expect(share.over()).to.equal(undefined);
		now += 1;
		const pause = share.over();
		expect(pause).to.be.instanceOf(Promise);
		await pause?.then(() => heard.push('this one'));
		expect(heard).to.deep.equal(['other', 'this one']);
		expect(share.over()).to.equal(undefined);
		now += 20;
		expect(share.over()).to.be.instanceOf(Promise);
	});
});
