import { expect } from 'chai';
import { createFailingMessages } from '../../../../service/mqtt/failing-messages.ts';
import type { IncomingPublish } from '../../../../service/mqtt/session.ts';

const device = {};

function publish(messageId: number): IncomingPublish {
	return { topic: 's/us', payload: Buffer.alloc(0), messageId, redelivered: false, done: () => {} };
}

function open(failing: ReadonlySet<number>) {
	const handled: number[][] = [];
	const givenUp: number[] = [];
	const state = { isStoreWell: true };
	const handle = createFailingMessages({
		async handle(_device: object, turn) {
			if (turn.some(({ messageId }) => failing.has(messageId))) throw new Error('it fails');
			handled.push(turn.map(({ messageId }) => messageId));
		},
		isStoreWell: async () => state.isStoreWell,
		onGivenUp: (_device, { messageId }) => givenUp.push(messageId),
	});
	const turn = async (...ids: number[]): Promise<boolean> =>
		handle(device, ids.map(publish)).then(
			() => true,
			() => false,
		);
	return { handled, givenUp, state, turn };
}

describe('service/mqtt/failing-messages', () => {
	it('handles whole turns while none fails', async () => {
		const { turn, handled } = open(new Set());
		expect(await turn(1, 2, 3)).to.equal(true);
		expect(handled).to.deep.equal([[1, 2, 3]]);
	});

	it('finds the message that fails, gives it up in the end, and handles whole turns again', async () => {
		const { turn, handled, givenUp } = open(new Set([2]));
		const outcomes: boolean[] = [];
		for (let i = 0; i < 6; i++) outcomes.push(await turn(1, 2, 3));
		expect(outcomes).to.deep.equal([false, false, false, false, false, true]);
		expect(givenUp).to.deep.equal([2]);
		expect(handled).to.deep.equal([[1], [1], [1], [1], [1], [3]]);
		expect(await turn(4, 5)).to.equal(true);
		expect(handled.at(-1)).to.deep.equal([4, 5]);
	});

	it('gives nothing up while the store cannot write', async () => {
		const failing = new Set([1]);
		const { turn, givenUp, state } = open(failing);
		state.isStoreWell = false;
		for (let i = 0; i < 20; i++) expect(await turn(1)).to.equal(false);
		failing.clear();
		expect(await turn(1)).to.equal(true);
		expect(givenUp).to.deep.equal([]);
	});
});
