import { expect } from 'chai';
import { serialType } from '../../../../inventory/index.ts';
import { parseClientId, parseDefaultCollection } from '../../../../service/mqtt/gateway.ts';
import { tenant, useBench } from '../../inventory/inventory-bench.ts';
import { idle, openGatewayBench } from '../gateway-bench.ts';

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
		'not\uFFFDtext',
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

	for (const [clientId, collection] of [
		['mySerial', undefined],
		['d:mySerial', undefined],
		['d:mySerial:', undefined],
		['d:mySerial:myTemplates', 'myTemplates'],
		[':mySerial:a b', 'a b'],
	] as const) {
		it(`reads the default collection of '${clientId}'`, () => expect(parseDefaultCollection(clientId)).to.equal(collection));
	}
});

describe('service/mqtt/gateway sessions', () => {
	const bench = useBench(openGatewayBench);

	for (const [listens, topics] of [
		['listens', ['s/ds']],
		['does not listen', []],
	] as const) {
		it(`lets a session that ${listens} speak for the object that has its serial now`, async () => {
			const { gateway, inventory } = bench();
			const session = bench().session('dev1', { topics });
			gateway.connected(session);
			for (const topic of topics) gateway.outbound.subscribed(session, topic, 1);
			await bench().publish(session, '110,old');
			const old = await bench().object('dev1');
			const replacement = await bench().device('replacement');
			await inventory.externalIds.remove(tenant, serialType, 'dev1');
			gateway.devicesRemoved(tenant, [old.id]);
			await idle(bench());
			expect(session.device).to.equal(undefined);
			await inventory.externalIds.bind(tenant, serialType, 'other-name', old.id);
			await bench().operation(old.id);
			await idle(bench());
			expect(bench().lines(session, 's/ds')).to.deep.equal([]);
			await inventory.externalIds.bind(tenant, serialType, 'dev1', replacement);
			gateway.devicesRemoved(tenant, [replacement]);
			await idle(bench());
			expect(session.device).to.equal(replacement);
			await bench().operation(replacement);
			await bench().operation(old.id);
			await idle(bench());
			expect(bench().lines(session, 's/ds')).to.deep.equal(topics.length > 0 ? ['510,dev1'] : []);
			await bench().publish(session, '110,new');
			expect((await bench().object('dev1')).fragments.c8y_Hardware).to.deep.equal({ serialNumber: 'new' });
			expect((await inventory.objects.get(tenant, old.id)).fragments.c8y_Hardware).to.deep.equal({ serialNumber: 'old' });
		});
	}

	it('forgets a child that has lost its serial, and leaves other tenants and sessions that have ended alone', async () => {
		const { gateway, inventory } = bench();
		const [session, ended] = [bench().session('dev1'), bench().session('dev1')];
		for (const each of [session, ended]) {
			gateway.connected(each);
			await bench().publish(each, { topic: 's/us/kid', payload: Buffer.from('125') });
		}
		gateway.disconnected(ended);
		const kid = await bench().object('kid');
		gateway.devicesRemoved('other', [kid.id]);
		expect(session.targets?.get('kid')).to.equal(kid.id);
		await inventory.externalIds.remove(tenant, serialType, 'kid');
		gateway.devicesRemoved(tenant, [kid.id, 'no id']);
		expect([session.targets, ended.targets?.get('kid')]).to.deep.equal([undefined, kid.id]);
		await bench().publish(session, { topic: 's/us/kid', payload: Buffer.from('110,s') });
		expect((await bench().object('kid')).id).to.not.equal(kid.id);
	});
});
