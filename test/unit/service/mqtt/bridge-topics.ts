import { expect } from 'chai';
import { bridgeFilters, parseBridgeTopic, partitionOf } from '../../../../service/mqtt/bridge-topics.ts';

const long = 'x'.repeat(254);

const good: readonly [topic: string, tenant: string, clientId: string, serial: string, own: string][] = [
	['c8y/t1/dev1/s/us', 't1', 'dev1', 'dev1', 's/us'],
	['c8y/t1/dev1/t/us', 't1', 'dev1', 'dev1', 't/us'],
	['c8y/t1/dev1/s/us/child', 't1', 'dev1', 'dev1', 's/us/child'],
	['c8y/t1/d:dev1:templates/s/us', 't1', 'd:dev1:templates', 'dev1', 's/us'],
	['c8y/t1/dev1/s/uat', 't1', 'dev1', 'dev1', 's/uat'],
	['c8y/t1/dev1/s/ut/templates', 't1', 'dev1', 'dev1', 's/ut/templates'],
	['c8y/t1/dev1/inventory/managedObjects/update/dev1', 't1', 'dev1', 'dev1', 'inventory/managedObjects/update/dev1'],
	['c8y/t1/dev1/event/events/create', 't1', 'dev1', 'dev1', 'event/events/create'],
	['c8y/t1/dev1/presence', 't1', 'dev1', 'dev1', 'presence'],
	['c8y/T1abc/größe 1/s/us', 'T1abc', 'größe 1', 'größe 1', 's/us'],
	[`c8y/t1/${long}/s/us`, 't1', long, long, 's/us'],
];

const bad: readonly string[] = [
	'',
	'c8y',
	'c8y/',
	'c8y/t1',
	'c8y/t1/dev1',
	'c8y/t1/dev1/',
	'c8y//dev1/s/us',
	'c8y/t1//s/us',
	'/c8y/t1/dev1/s/us',
	'C8Y/t1/dev1/s/us',
	'c8yx/t1/dev1/s/us',
	'x/c8y/t1/dev1/s/us',
	't1/dev1/s/us',
	'c8y/1t/dev1/s/us',
	'c8y/t-1/dev1/s/us',
	`c8y/${'t'.repeat(33)}/dev1/s/us`,
	'c8y/t1/dev\u00001/s/us',
	'c8y/t1/dev\uFFFD/s/us',
	'c8y/t1/dev+/s/us',
	'c8y/t1/+/s/us',
	'c8y/t1/#/s/us',
	'c8y/t1/d:/s/us',
	'c8y/t1/a:b:c:d/s/us',
	`c8y/t1/${long}x/s/us`,
	`c8y/t1/${'d'.repeat(300)}:${long}/s/us`,
	`c8y/t1/dev1/s/us/${'x'.repeat(2048)}`,
	'c8y/t1/dev1/s/ds',
	'c8y/t1/dev1/s/e',
	'c8y/t1/dev1/s/dat',
	'c8y/t1/dev1/s/ucr',
	'c8y/t1/dev1/devicecontrol/notifications',
	'c8y/t1/dev1/x/us',
	'c8y/t1/dev1/s/us/a/b',
	'c8y/t1/dev1/s/us/',
	'c8y/t1/dev1/presence/x',
	'c8y/t1/dev1/c8y/t1/dev2/s/us',
];

describe('service/mqtt/bridge-topics', () => {
	for (const [text, tenant, clientId, serial, topic] of good) {
		it(`takes '${text.slice(0, 60)}' apart`, () => {
			expect(parseBridgeTopic('c8y', text)).to.deep.equal({ tenant, clientId, serial, topic });
		});
	}

	for (const text of bad) {
		it(`refuses ${JSON.stringify(text.slice(0, 60))}`, () => {
			expect(parseBridgeTopic('c8y', text)).to.equal(undefined);
		});
	}

	it('knows a root of several levels', () => {
		expect(parseBridgeTopic('plant/c8y', 'plant/c8y/t1/dev1/s/us')).to.include({ tenant: 't1', serial: 'dev1' });
		expect(parseBridgeTopic('plant/c8y', 'plant/t1/dev1/s/us')).to.equal(undefined);
	});

	it('keeps a device in its partition, for ever', () => {
		// FNV-1a, 32 bits: 0x811c9dc5 for nothing, published in docs/decisions/0008-outside-broker.md.
		const serials = ['dev1', 'dev2', 'größe', '0'];
		expect(serials.map((serial) => partitionOf({ tenant: 't1', serial }, 2 ** 32))).to.deep.equal(serials.map(fnv1a));
		expect(partitionOf({ tenant: 't1', serial: 'dev1' }, 1)).to.equal(0);
	});

	it('divides devices evenly', () => {
		for (const partitions of [2, 3, 8, 13]) {
			const counts = new Array<number>(partitions).fill(0);
			for (let i = 0; i < 13_000; i++) {
				const partition = partitionOf({ tenant: 't1', serial: `device-${i}` }, partitions);
				counts[partition] = (counts[partition] ?? 0) + 1;
			}
			const fair = 13_000 / partitions;
			expect(Math.min(...counts)).to.be.greaterThan(fair * 0.8);
			expect(Math.max(...counts)).to.be.lessThan(fair * 1.2);
		}
	});

	it('subscribes to what devices publish, one group a partition or one for all', () => {
		const own = bridgeFilters('c8y', 'dsm', 3, 'own');
		expect(own).to.include.members([
			'$share/dsm-3/c8y/+/+/+/us',
			'$share/dsm-3/c8y/+/+/+/us/+',
			'$share/dsm-3/c8y/+/+/inventory/managedObjects/update',
			'$share/dsm-3/c8y/+/+/presence',
		]);
		expect(own.join()).to.not.match(/ucr|s\/ds|#/);
		expect(bridgeFilters('c8y', 'dsm', 3, 'hashed'))
			.to.include('$share/dsm/c8y/+/+/s/uat')
			.and.to.have.length(own.length);
	});
});

/** The published definition, written another way. */
function fnv1a(serial: string): number {
	let hash = 2166136261n;
	for (const byte of new TextEncoder().encode(`t1/${serial}`)) hash = ((hash ^ BigInt(byte)) * 16777619n) % 4294967296n;
	return Number(hash);
}
