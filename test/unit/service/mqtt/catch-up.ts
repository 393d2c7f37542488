import { expect } from 'chai';
import { pino } from 'pino';
import { createCatchUp } from '../../../../service/mqtt/catch-up.ts';

describe('service/mqtt/catch-up', () => {
	function open() {
		const sent: { topic: string; payload: string; done: (delivered: boolean) => void }[] = [];
		const warnings: string[] = [];
		let caughtUp = 0;
		const catchUp = createCatchUp({
			topic: 'c8y/dsm-1',
			publish: (topic, payload, _qos, done) => void sent.push({ topic, payload, done }),
			onCaughtUp: () => caughtUp++,
			log: pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) }),
		});
		/** Lets a message arrive; returns what is called when everything before it is done. */
		const arrive = (topic: string, payload: string) => {
			let onAcknowledged: (() => void) | undefined;
			let isDone = false;
			const isTaken = catchUp.take({
				topic,
				payload: Buffer.from(payload),
				messageId: 1,
				redelivered: false,
				done(_error, then) {
					isDone = true;
					onAcknowledged = then;
				},
			});
			expect(isDone).to.equal(isTaken);
			return { isTaken, onAcknowledged };
		};
		return { catchUp, sent, warnings, arrive, caughtUp: () => caughtUp };
	}

	it('has caught up when its mark is acknowledged, and tells it once', () => {
		const { catchUp, sent, arrive, caughtUp } = open();
		catchUp.begin();
		catchUp.begin();
		const [first, second] = sent.map(({ topic, payload }) => arrive(topic, payload));
		expect(catchUp.isOver()).to.equal(false);
		first?.onAcknowledged?.();
		second?.onAcknowledged?.();
		expect([catchUp.isOver(), caughtUp()]).to.deep.equal([true, 1]);
		catchUp.begin();
		expect(sent).to.have.length(2);
	});

	it('takes marks of those before it for nothing, and leaves other messages alone', () => {
		const { catchUp, arrive, caughtUp } = open();
		catchUp.begin();
		expect(arrive('c8y/dsm-1', 'another mark')).to.deep.equal({ isTaken: true, onAcknowledged: undefined });
		expect(arrive('c8y/dsm-10', 'another mark').isTaken).to.equal(false);
		expect(caughtUp()).to.equal(0);
	});

	it('goes on, and says so, where the broker lets it not send to itself', () => {
		const { catchUp, sent, warnings, caughtUp } = open();
		catchUp.begin();
		sent[0]?.done(true);
		expect(caughtUp()).to.equal(0);
		sent[0]?.done(false);
		expect([catchUp.isOver(), caughtUp()]).to.deep.equal([true, 1]);
		expect(warnings.join()).to.include('does not let the service send to itself');
	});
});
