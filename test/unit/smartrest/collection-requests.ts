import { expect } from 'chai';
import fc from 'fast-check';
import { decodeRequests } from '../../../smartrest/collection-requests.ts';
import { collectionOf } from './collection-rows.ts';

const now = Date.UTC(2026, 0, 2, 3, 4, 5);
const collection = collectionOf(
	'10,1,GET,INVENTORY,,true',
	'10,2,GET,INVENTORY,false,false,c8y_Serial',
	'10,3,GET,INVENTORY,,false',
	'10,4,PUT,INVENTORY,true,false,c8y_Serial,c8y_My.value,STRING,,c8y_Flag,FLAG,,c8y_Fixed,INTEGER,-7',
	'10,5,POST,INVENTORY,,c8y_MySerial,name,STRING,',
	'10,6,POST,INVENTORY,,,name,STRING,',
	'10,7,POST,MEASUREMENT,,c8y_M,,c8y_M.T.value,NUMBER,,c8y_M.T.unit,STRING,C',
	'10,8,POST,EVENT,,c8y_E,,',
	'10,9,POST,ALARM,,,text,ACTIVE,,',
	'10,10,PUT,ALARM,,c8y_A,status,ALARMSTATUS,',
	'10,11,PUT,OPERATION,,c8y_Op,status,OPERATIONSTATUS,,c8y_R.n,UNSIGNED,',
	'10,12,GET,OPERATION,,',
	'10,13,PUT,INVENTORY,,true,,a.list[1].b,DATE,',
);

function decodeOne(line: string) {
	const [decoded] = decodeRequests(line, collection, { maximumLines: 10, now });
	return decoded;
}

describe('smartrest/collection-requests', () => {
	const none = { id: '', externalIdType: '', externalId: '', fragment: '' };
	const time = new Date(now).toISOString();
	const good: [line: string, kind: string, answers: boolean, selectors: object, document: object][] = [
		['1,123', 'GetObject', true, { id: '123' }, {}],
		['2,imei', 'GetObject', false, { externalIdType: 'c8y_Serial', externalId: 'imei' }, {}],
		['3,c8y_Imei,imei', 'GetObject', true, { externalIdType: 'c8y_Imei', externalId: 'imei' }, {}],
		[
			'4,imei,"my, value"',
			'UpdateObject',
			true,
			{ externalIdType: 'c8y_Serial', externalId: 'imei' },
			{ c8y_My: { value: 'my, value' }, c8y_Flag: {}, c8y_Fixed: -7 },
		],
		[
			'4,imei',
			'UpdateObject',
			true,
			{ externalIdType: 'c8y_Serial', externalId: 'imei' },
			{ c8y_My: { value: '' }, c8y_Flag: {}, c8y_Fixed: -7 },
		],
		['5,imei,My name', 'CreateObject', false, { externalIdType: 'c8y_MySerial', externalId: 'imei' }, { name: 'My name' }],
		['6,imei,c8y_T,n', 'CreateObject', false, { externalIdType: 'c8y_T', externalId: 'imei' }, { name: 'n' }],
		['6,,,n', 'CreateObject', false, {}, { name: 'n' }],
		['7,,25', 'CreateMeasurement', false, {}, { type: 'c8y_M', time, c8y_M: { T: { value: 25, unit: 'C' } } }],
		[
			'7,2016-06-22T17:03:14.000+02:00,-2.5e1',
			'CreateMeasurement',
			false,
			{},
			{ type: 'c8y_M', time: '2016-06-22T17:03:14.000+02:00', c8y_M: { T: { value: -25, unit: 'C' } } },
		],
		['8,hello', 'CreateEvent', false, {}, { type: 'c8y_E', text: 'hello', time }],
		['9,c8y_A,MAJOR', 'CreateAlarm', false, {}, { type: 'c8y_A', text: 'text', status: 'ACTIVE', severity: 'MAJOR', time }],
		['10,CLEARED', 'UpdateAlarm', false, {}, { type: 'c8y_A', status: 'CLEARED' }],
		['11,SUCCESSFUL,7', 'UpdateOperation', false, { fragment: 'c8y_Op' }, { status: 'SUCCESSFUL', c8y_R: { n: 7 } }],
		['12,c8y_Restart', 'GetOperation', true, { fragment: 'c8y_Restart' }, {}],
		['13,5,2020-01-01', 'UpdateObject', false, { id: '5' }, { a: { list: [null, { b: '2020-01-01' }] } }],
	];
	for (const [line, kind, answers, selectors, document] of good) {
		it(`reads ${line} as ${kind} [SR-10]`, () => {
			expect(decodeOne(line)).to.deep.equal({
				ok: true,
				kind,
				answers,
				line: 1,
				msgId: line.split(',')[0],
				selectors: { ...none, ...selectors },
				document,
			});
		});
	}

	const bad: [line: string, error: string, position: number, about: string][] = [
		['99,1', 'notSupported', 1, 'no such request template'],
		['7,yesterday,25', 'badLine', 2, 'time must be a time'],
		['7,,warm', 'badLine', 3, 'c8y_M.T.value must be a number'],
		['7,,1e999', 'badLine', 3, 'must be a number'],
		['7,,0x10', 'badLine', 3, 'must be a number'],
		['7,', 'badLine', 3, 'is missing - it must be a number'],
		['8', 'badLine', 2, 'text is missing'],
		['9,,MAJOR', 'badLine', 2, 'type is missing'],
		['9,c8y_A,HUGE', 'badLine', 3, 'severity must be one of'],
		['10,GONE', 'badLine', 2, 'status must be one of'],
		['11,DONE,7', 'badLine', 2, 'status must be one of PENDING EXECUTING SUCCESSFUL FAILED - found DONE'],
		['11,"a,""b""\u0007",7', 'badLine', 2, '- found a  b  '],
		['11,SUCCESSFUL,-7', 'badLine', 3, 'without a sign'],
		['11,SUCCESSFUL,1.5', 'badLine', 3, 'whole number'],
		['11,SUCCESSFUL,99999999999999999999', 'badLine', 3, 'whole number'],
		['12', 'badLine', 2, 'fragment is missing'],
		['6,imei', 'badLine', 3, 'externalIdType is missing'],
		['1,"open', 'badLine', 2, 'not closed'],
	];
	for (const [line, error, position, about] of bad) {
		it(`refuses ${line}`, () => {
			const decoded = decodeOne(line);
			expect(decoded).to.deep.include({ ok: false, error, position, line: 1, templateId: line.split(',')[0] });
			expect(decoded && !decoded.ok && decoded.reason).to.include(about);
		});
	}

	it('reads the good lines beside the bad ones, and so many of them', () => {
		const decoded = decodeRequests('1,1\n99\n\n8,a\n8,b', collection, { maximumLines: 3, now });
		expect(decoded.map((line) => [line.line, line.ok])).to.deep.equal([
			[1, true],
			[2, false],
			[4, true],
			[5, false],
		]);
		expect(decoded[3]).to.include({ error: 'tooLarge' });
	});

	it('says why a faulty template cannot be used', () => {
		const faulty = { ...collection, faults: [{ msgId: '50', position: 3, reason: 'the method is wrong' }] };
		const [decoded] = decodeRequests('50,1', faulty, { maximumLines: 10, now });
		expect(decoded).to.include({ ok: false, reason: 'the template cannot be used: the method is wrong' });
	});

	it('takes any text without throwing', () => {
		const line = fc.tuple(fc.integer({ min: 1, max: 14 }), fc.array(fc.string())).map(([id, fields]) => [id, ...fields].join());
		fc.assert(
			fc.property(fc.oneof(line, fc.string()), (text) => {
				for (const decoded of decodeRequests(text, collection, { maximumLines: 5, now }))
					expect(decoded.line).to.be.greaterThan(0);
			}),
		);
	});
});
