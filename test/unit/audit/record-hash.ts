import canonicalize from 'canonicalize';
import { expect } from 'chai';
import { type AuditRecord, genesis } from '../../../audit/audit-record.ts';
import { hashOf, sortedJson } from '../../../audit/record-hash.ts';

const record: AuditRecord = {
	_id: 't1/7',
	number: 7,
	creationTime: 1_795_371_665_905,
	severity: 'INFORMATION',
	application: 'app',
	source: '1091',
	time: -5,
	user: 'anna',
	origin: { device: 'd', channel: 'mqtt', call: '141', address: '::1' },
	tenant: 't1',
	type: 'Inventory',
	activity: 'Thing changed',
	text: 'Thing changed: 1091',
	changes: [],
};
const texts = ['', 'ä€😀', '\u0000\u001f\u007f\u2028\u2029', '"\\/', '\ufffd', '{"b":1,"a":[2]}', 'é', 'e\u0301'];
const values = [...texts, 0, -0, 1e21, 1e-7, 5e-324, 123456789.125, Number.MAX_SAFE_INTEGER, true, false, null];

describe('audit/record-hash', () => {
	it('writes records as the library does, whatever they say and in whatever order', () => {
		const changes = values.map((newValue, n) => ({
			newValue,
			changeType: 'REPLACED' as const,
			attribute: texts[n % texts.length] ?? '',
			...(n % 2 && { previousValue: values[values.length - n] ?? null }),
		}));
		const { changes: _changes, ...rest } = record;
		const all: AuditRecord[] = [
			record,
			{ ...record, changes, pending: true },
			{ changes, ...rest, byClient: true, anchor: { hash: 'h', seq: 3 } },
			...texts.map((text) => ({ ...record, text, activity: text, origin: { call: text, channel: 'http' as const } })),
		];
		for (const one of all) {
			expect(sortedJson(one)).to.equal(canonicalize(one));
			expect(hashOf(one, genesis, sortedJson)).to.equal(hashOf(one, genesis));
		}
	});

	it('has the hashes that chains were built with', () => {
		const hash = hashOf({ ...record, changes: [{ attribute: 'ä', changeType: 'ADDED', newValue: 1e21 }] }, genesis);
		expect(hash).to.equal('dfa7c84c0dec0c1c7c780acaa477d86319d184c2695ccf2435a59facdf71ed78');
		expect(hashOf({ ...record, pending: true, hash: 'x' }, genesis)).to.equal(hashOf(record, genesis));
	});
});
