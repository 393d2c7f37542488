import { expect } from 'chai';
import { mayConnectAs, parseClientId } from '../../../../service/mqtt/gateway.ts';
import { createRateLimit } from '../../../../service/mqtt/rate-limit.ts';

describe('service/mqtt/gateway', () => {
	const good: [clientId: string, serial: string][] = [
		['mySerial', 'mySerial'],
		['d:mySerial', 'mySerial'],
		['d:mySerial:myTemplates', 'mySerial'],
		[':mySerial', 'mySerial'],
		['d:mySerial:', 'mySerial'],
		['mqttjs_1a2b3c', 'mqttjs_1a2b3c'],
		['a b', 'a b'],
		['日本', '日本'],
		['x'.repeat(254), 'x'.repeat(254)],
	];
	for (const [clientId, serial] of good) {
		it(`reads the serial of '${clientId.slice(0, 30)}'`, () => expect(parseClientId(clientId)).to.equal(serial));
	}
	for (const clientId of [
		'',
		':',
		'::',
		'd:',
		'd::t',
		'a:b:c:d',
		'a/b',
		'd:a/b',
		'a+',
		'#',
		'a\nb',
		'a\u0000',
		'x'.repeat(255),
	]) {
		it(`finds no serial in ${JSON.stringify(clientId.slice(0, 30))} (${clientId.length})`, () =>
			expect(parseClientId(clientId)).to.equal(undefined));
	}

	for (const [own, serial, may] of [
		['s', 's', true],
		['s', 'S', false],
		['s', 'other', false],
		['', 'other', false],
		[undefined, 'other', true],
	] as const) {
		it(`${may ? 'lets' : 'does not let'} a user of '${own ?? 'everything'}' connect as '${serial}'`, () => {
			const principal = { tenant: 't', userName: 'u', role: 'device', ...(own !== undefined && { serial: own }) } as const;
			expect(mayConnectAs(principal, serial)).to.equal(may);
		});
	}
});

describe('service/mqtt/rate-limit', () => {
	it('lets through so many a second, and again in the next', () => {
		let now = 5000;
		const pass = createRateLimit({ perSecond: 2, clock: () => now });
		expect([pass(), pass(), pass()]).to.deep.equal([true, true, false]);
		now += 999;
		expect(pass()).to.equal(false);
		now += 1;
		expect([pass(), pass(), pass()]).to.deep.equal([true, true, false]);
	});

	it('goes on when the clock is set back', () => {
		let now = 50_000;
		const pass = createRateLimit({ perSecond: 1, clock: () => now });
		expect([pass(), pass()]).to.deep.equal([true, false]);
		now = 10;
		expect([pass(), pass()]).to.deep.equal([true, false]);
	});

	it('lets nothing through at none a second', () => {
		const pass = createRateLimit({ perSecond: 0, clock: () => 1 });
		expect([pass(), pass()]).to.deep.equal([false, false]);
	});
});
