import { expect } from 'chai';
import { createFailingMessages } from '../../../../service/mqtt/failing-messages.ts';
import type { IncomingPublish } from '../../../../service/mqtt/session.ts';
import { StoreError } from '../../../../store/index.ts';

const device = {};

function publish(messageId: number, redelivered = true): IncomingPublish {
	return { topic: 's/us', payload: Buffer.alloc(0), messageId, redelivered, done: () => {} };
}

function open(failing: ReadonlySet<number>, fail: () => Error = () => new Error('it fails')) {
	const handled: number[][] = [];
	const givenUp: number[] = [];
	const state = { isStoreWell: true };
	const handle = createFailingMessages({
		async handle(_device: object, turn) {
			if (turn.some(({ messageId }) => failing.has(messageId))) throw fail();
			handled.push(turn.map(({ messageId }) => messageId));
		},
		isStoreWell: async () => state.isStoreWell,
		onGivenUp: (_device, { messageId }) => givenUp.push(messageId),
	});
	const arrive = async (...turn: IncomingPublish[]): Promise<boolean> =>
		handle(device, turn).then(
			() => true,
			() => false,
		);
	const turn = (...ids: number[]): Promise<boolean> => arrive(...ids.map((id) => publish(id)));
	return { handled, givenUp, state, arrive, turn };
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

	it('does not count what failed while the store could not write', async () => {
		const { turn, givenUp, state } = open(new Set([1]));
		state.isStoreWell = false;
		for (let i = 0; i < 20; i++) await turn(1);
		state.isStoreWell = true;
		for (let i = 0; i < 4; i++) expect(await turn(1)).to.equal(false);
		expect(givenUp).to.deep.equal([]);
		expect(await turn(1)).to.equal(true);
		expect(givenUp).to.deep.equal([1]);
	});

	it('counts a fault of the store only when the store was well before it, too', async () => {
		const { turn, givenUp, state } = open(new Set([1]), () => {
			state.isStoreWell = true;
			return new StoreError('the database cannot be reached');
		});
		for (let i = 0; i < 20; i++) {
			state.isStoreWell = false;
			expect(await turn(1)).to.equal(false);
		}
		expect(givenUp).to.deep.equal([]);
		for (let i = 0; i < 5; i++) await turn(1);
		expect(givenUp).to.deep.equal([1]);
	});

	it('gives nothing up for the failures of another message that had the same id', async () => {
		const { turn, arrive, givenUp } = open(new Set([1]));
		for (let i = 0; i < 5; i++) expect(await turn(1)).to.equal(false);
		expect(await arrive(publish(1, false))).to.equal(false);
		expect(givenUp).to.deep.equal([]);
		for (let i = 0; i < 4; i++) await turn(1);
		expect(givenUp).to.deep.equal([1]);
	});

	it('counts nothing at QoS 0, where messages have no id', async () => {
		const { turn, givenUp } = open(new Set([0]));
		for (let i = 0; i < 20; i++) expect(await turn(0)).to.equal(false);
		expect(givenUp).to.deep.equal([]);
	});
});
