import { expect } from 'chai';
import { createLedger } from '../../support/ledger.ts';

describe('project/ledger', () => {
	it('balances a run in which nothing went wrong', () => {
		const ledger = createLedger();
		for (let count = 0; count < 3000; count++) {
			const stream = ledger.stream(`s${count % 2}`);
			const number = stream.next();
			stream.acknowledged(number);
			stream.stored(number);
			stream.delivered(number);
		}
		expect(ledger.stream('s1').countAcknowledged()).to.equal(1500);
		expect(ledger.balance()).to.deep.equal({
			sent: 3000,
			acknowledged: 3000,
			stored: 3000,
			delivered: 3000,
			lost: [],
			undelivered: [],
			doubled: [],
			redelivered: [],
			strangers: [],
		});
	});

	it('names what was lost, doubled, delivered again or never sent', () => {
		const ledger = createLedger();
		const stream = ledger.stream('s');
		for (let count = 0; count < 5; count++) stream.next();
		for (const number of [0, 1, 2]) stream.acknowledged(number);
		for (const number of [1, 2, 2, 3, 7]) stream.stored(number);
		for (const number of [0, 2, 2, 8]) stream.delivered(number);
		expect(ledger.balance()).to.deep.equal({
			sent: 5,
			acknowledged: 3,
			stored: 4,
			delivered: 3,
			lost: ['s #0'],
			undelivered: ['s #1'],
			doubled: ['s #2'],
			redelivered: ['s #2'],
			strangers: ['s #7', 's #8'],
		});
	});

	it('refuses what is no number of an entry', () => {
		const stream = createLedger().stream('s');
		for (const number of [-1, 0.5, Number.NaN]) expect(() => stream.acknowledged(number)).to.throw('is no number of an entry');
	});
});
