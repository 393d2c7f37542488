import { expect } from 'chai';
import { pino } from 'pino';
import { createBrokerOutages } from '../../../../service/mqtt/broker-outages.ts';

describe('service/mqtt/broker-outages', () => {
	it('tells of an outage once, and again for another reason or after a connection', () => {
		const told: string[] = [];
		const outages = createBrokerOutages(pino({ level: 'warn' }, { write: (line: string) => told.push(JSON.parse(line).reason) }));
		for (let session = 0; session < 8; session++) outages.lost('refused', 500);
		expect(told).to.deep.equal(['refused']);
		outages.lost('wrong password', 500);
		outages.lost('wrong password', 500);
		expect(told).to.deep.equal(['refused', 'wrong password']);
		outages.connected();
		outages.lost('wrong password', 500);
		expect(told).to.deep.equal(['refused', 'wrong password', 'wrong password']);
	});
});
