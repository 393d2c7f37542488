import { expect } from 'chai';
import { createPace, turnAtPace } from '../../../../service/mqtt/pace.ts';

describe('service/mqtt/pace', () => {
	it('lets a second of messages through at once, and those after them at their pace', () => {
		let now = 5000;
		const wait = createPace({ perSecond: 100, elapsed: () => now });
		expect([wait(60), wait(40), wait(5), wait(1)]).to.deep.equal([0, 0, 50, 60]);
		now += 60;
		expect(wait(1)).to.equal(10);
		now += 60_000;
		expect([wait(100), wait(1)]).to.deep.equal([0, 10]);
	});

	it('lets nobody wait where there is no pace', () => {
		const wait = createPace({ perSecond: 0, elapsed: () => 1 });
		expect([wait(1_000_000), wait(1_000_000)]).to.deep.equal([0, 0]);
	});

	for (const [perSecond, turn] of [
		[0, 64],
		[1000, 64],
		[100, 10],
		[11, 2],
		[1, 1],
	] as const) {
		it(`takes ${turn} messages at a time at ${perSecond} a second`, () => {
			expect(turnAtPace(64, perSecond)).to.equal(turn);
		});
	}
});
