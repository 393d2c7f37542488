import { expect } from 'chai';
import { beginShare } from '../../../../service/mqtt/fair-share.ts';

describe('service/mqtt/fair-share', () => {
	it('gives the others their turn when its time is used up, and begins anew then', async () => {
		let now = 1000;
		const share = beginShare(() => now);
		const heard: string[] = [];
		setImmediate(() => heard.push('other'));
		expect(share.isOver()).to.equal(false);
		now += 19;
		expect(share.isOver()).to.equal(false);
		now += 1;
		expect(share.isOver()).to.equal(true);
		await share.pause();
		expect(heard).to.deep.equal(['other']);
		expect(share.isOver()).to.equal(false);
		now += 20;
		expect(share.isOver()).to.equal(true);
	});
});
