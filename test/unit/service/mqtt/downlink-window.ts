import { expect } from 'chai';
import { createDownlinkWindow, type Downlink } from '../../../../service/mqtt/downlink-window.ts';

describe('service/mqtt/downlink-window', () => {
	function open(maxBytes = 100) {
		const sent: Downlink[] = [];
		const done: string[] = [];
		const window = createDownlinkWindow(maxBytes);
		const add = (payload: string) =>
			window.add({ topic: 't', payload, done: (delivered) => done.push(`${payload} ${delivered}`) });
		const settle = (index: number, delivered = true) => {
			const message = sent[index];
			if (message) window.settle(message, delivered);
		};
		return {
			window,
			sent: () => sent.map(({ payload }) => payload),
			done,
			add,
			settle,
			send: (message: Downlink) => sent.push(message),
		};
	}

	it('has no more under way than the broker takes', () => {
		const { window, add, sent, send, settle, done } = open();
		for (const payload of ['a', 'b', 'c']) add(payload);
		expect(sent()).to.deep.equal([]);
		window.open(2, send);
		expect(sent()).to.deep.equal(['a', 'b']);
		settle(1, false);
		expect(sent()).to.deep.equal(['a', 'b', 'c']);
		settle(1);
		expect(done).to.deep.equal(['b false']);
	});

	it('sends again first, in order, what a lost connection left', () => {
		const { window, add, sent, send, done, settle } = open();
		window.open(2, send);
		for (const payload of ['a', 'b', 'c']) add(payload);
		settle(0);
		window.suspend();
		add('d');
		window.open(10, send);
		expect(sent()).to.deep.equal(['a', 'b', 'c', 'b', 'c', 'd']);
		expect(done).to.deep.equal(['a true']);
	});

	it('lets in one for each that leaves, and everybody at its end', async () => {
		const { window, add, send, settle, done } = open(3);
		window.open(10, send);
		for (const payload of ['aa', 'bb', 'cc']) add(payload);
		expect(window.isFull()).to.equal(true);
		const entered: number[] = [];
		for (const number of [1, 2, 3]) void window.room().then(() => entered.push(number));
		settle(0);
		await new Promise(setImmediate);
		expect(entered).to.deep.equal([]);
		settle(1);
		await new Promise(setImmediate);
		expect(entered).to.deep.equal([1]);
		window.close();
		await new Promise(setImmediate);
		expect(entered).to.deep.equal([1, 2, 3]);
		expect(done).to.deep.equal(['aa true', 'bb true', 'cc false']);
	});
});
