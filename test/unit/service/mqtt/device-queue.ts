import { expect } from 'chai';
import { createDeviceQueue } from '../../../../service/mqtt/device-queue.ts';
import type { IncomingPublish } from '../../../../service/mqtt/session.ts';

/** A queue whose turns the test ends itself. */
function open(limits = { maxMessages: 10, maxTurn: 4 }) {
	const turns: { readonly ids: number[]; readonly end: (error?: Error) => void }[] = [];
	const done: string[] = [];
	const queue = createDeviceQueue(
		(turn) =>
			new Promise((resolve, reject) => {
				turns.push({ ids: turn.map(({ messageId }) => messageId), end: (error) => (error ? reject(error) : resolve()) });
			}),
		limits,
	);
	const publish = (messageId: number): IncomingPublish => ({
		topic: 's/us',
		payload: Buffer.alloc(0),
		messageId,
		redelivered: false,
		done: (error) => done.push(error ? `${messageId} ${error.message}` : `${messageId}`),
	});
	return {
		queue,
		turns,
		done,
		push: (...ids: number[]) => ids.map((id) => queue.push(publish(id))),
		endTurn: async (error?: Error) => {
			turns.at(-1)?.end(error);
			await new Promise(setImmediate);
		},
		begin: () => new Promise(setImmediate),
	};
}

describe('service/mqtt/device-queue', () => {
	it('handles what arrived together in one turn, in order, and acknowledges it behind it', async () => {
		const { push, turns, done, endTurn, begin } = open();
		push(1, 2, 3);
		await begin();
		expect(turns.map(({ ids }) => ids)).to.deep.equal([[1, 2, 3]]);
		expect(done).to.deep.equal([]);
		await endTurn();
		expect(done).to.deep.equal(['1', '2', '3']);
	});

	it('runs one turn at a time, and none longer than its bound', async () => {
		const { push, turns, done, endTurn, begin, queue } = open();
		push(1);
		await begin();
		push(2, 3, 4, 5, 6, 7);
		await begin();
		expect(turns).to.have.length(1);
		expect(queue.length).to.equal(6);
		await endTurn();
		await endTurn();
		await endTurn();
		expect(turns.map(({ ids }) => ids)).to.deep.equal([[1], [2, 3, 4, 5], [6, 7]]);
		expect(done).to.deep.equal(['1', '2', '3', '4', '5', '6', '7']);
		expect(queue.length).to.equal(0);
	});

	it('refuses what does not fit, and takes more when there is room', async () => {
		const { push, begin, endTurn, done } = open({ maxMessages: 2, maxTurn: 2 });
		expect(push(1, 2, 3)).to.deep.equal([true, true, false]);
		await begin();
		expect(push(4, 5, 6)).to.deep.equal([true, true, false]);
		await endTurn();
		await endTurn();
		expect(done).to.deep.equal(['1', '2', '4', '5']);
	});

	it('fails what waits behind a failed turn, then begins anew', async () => {
		const { push, turns, done, endTurn, begin } = open();
		push(1, 2);
		await begin();
		push(3);
		await endTurn(new Error('disk full'));
		expect(done).to.deep.equal(['1 disk full', '2 disk full', '3 disk full']);
		push(4);
		await begin();
		await endTurn();
		expect(turns.map(({ ids }) => ids)).to.deep.equal([[1, 2], [4]]);
		expect(done.at(-1)).to.equal('4');
	});

	for (const [title, thrown] of [
		['an error', new Error('x')],
		['a text', 'x'],
	] as const) {
		it(`fails the turn when its handler throws ${title} at once`, async () => {
			const failed: (string | undefined)[] = [];
			const queue = createDeviceQueue(
				() => {
					throw thrown;
				},
				{ maxMessages: 5, maxTurn: 5 },
			);
			const rest = { topic: '', payload: Buffer.alloc(0), messageId: 1, redelivered: false };
			queue.push({ ...rest, done: (error) => failed.push(error?.message) });
			await new Promise(setImmediate);
			expect(failed).to.deep.equal(['x']);
		});
	}
});
