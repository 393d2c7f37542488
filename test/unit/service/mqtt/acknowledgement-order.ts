import { expect } from 'chai';
import { createAcknowledgementOrder } from '../../../../service/mqtt/acknowledgement-order.ts';

describe('service/mqtt/acknowledgement-order', () => {
	function open() {
		const sent: (readonly number[])[] = [];
		return { order: createAcknowledgementOrder((messageIds) => sent.push(messageIds)), sent };
	}

	it('sends acknowledgements in the order of arrival, those that are free together in one go', async () => {
		const { order, sent } = open();
		const [one, two, three, four] = [7, 3, 9, 1].map(order.add);
		three?.();
		two?.();
		await Promise.resolve();
		expect(sent).to.deep.equal([]);
		one?.();
		await Promise.resolve();
		expect(sent).to.deep.equal([[7, 3, 9]]);
		four?.();
		await Promise.resolve();
		expect(sent).to.deep.equal([[7, 3, 9], [1]]);
	});

	it('tells of the acknowledgement of a message when those before it have theirs', async () => {
		const { order, sent } = open();
		const told: unknown[] = [];
		const [one, two] = [7, 3].map(order.add);
		two?.(() => told.push(...sent));
		await Promise.resolve();
		expect(told).to.deep.equal([]);
		one?.();
		await Promise.resolve();
		expect(told).to.deep.equal([[7, 3]]);
	});

	it('keeps the order whatever the work takes, over many messages', async () => {
		const { order, sent } = open();
		const ids = Array.from({ length: 10_000 }, (_, index) => index + 1);
		const waiting: (() => void)[] = [];
		for (const id of ids) {
			waiting.push(order.add(id));
			// Something from the middle of what waits.
			if (id % 3 > 0) waiting.splice((id * 7919) % waiting.length, 1)[0]?.();
			if (id % 50 === 0) await Promise.resolve();
		}
		for (const done of waiting.reverse()) done();
		await Promise.resolve();
		expect(sent.flat()).to.deep.equal(ids);
	});
});
