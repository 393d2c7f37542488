import { expect } from 'chai';
import fc from 'fast-check';
import { compileCollection } from '../../../smartrest/collection-document.ts';
import { collectionLimits } from './collection-rows.ts';

const compile = (stored: unknown) => compileCollection(stored, collectionLimits);

describe('smartrest/collection-document', () => {
	it('takes a collection as the web page of Cumulocity exports it', () => {
		const { requests, responses, faults } = compile({
			requestTemplates: [
				{
					name: 'Temperature',
					msgId: 200,
					api: 'MEASUREMENT',
					method: 'POST',
					response: false,
					byId: true,
					mandatoryValues: [
						{ path: '$.type', type: 'STRING', value: 'c8y_Temperature' },
						{ path: '$.time', type: 'DATE' },
					],
					customValues: [{ path: '$.c8y_Temperature.T.value', type: 'NUMBER', value: null }],
				},
				{ msgId: '201', api: 'INVENTORY', method: 'GET', byId: false, externalIdType: 'c8y_Serial' },
				{ msgId: '202', api: 'INVENTORY', method: 'POST', mandatoryValues: null, externalIdType: 'c8y_Imei' },
				{ msgId: '203', api: 'INVENTORY', method: 'POST', mandatoryValues: ['c8y_Imei'] },
			],
			responseTemplates: [
				{ msgId: 'dm101', name: 'set_wifi', base: 'set_wifi', condition: 'set_wifi', pattern: ['name', 'ssid'] },
				{ msgId: 'dm102', pattern: ['name'] },
			],
		});
		expect(faults).to.deep.equal([]);
		expect([...requests.keys()]).to.deep.equal(['200', '201', '202', '203']);
		expect(requests.get('200')).to.deep.include({ kind: 'CreateMeasurement', answers: false, reference: undefined });
		expect(requests.get('201')).to.deep.include({ answers: true, reference: { byId: false, externalIdType: 'c8y_Serial' } });
		for (const id of ['202', '203']) expect(requests.get(id)?.values.map(({ fixed }) => fixed)).to.deep.equal(['c8y_Imei']);
		expect(responses.map(({ msgId, patterns }) => [msgId, patterns.length])).to.deep.equal([
			['dm101', 2],
			['dm102', 1],
		]);
	});

	it('leaves a faulty template out, and keeps those beside it', () => {
		const { requests, responses, faults } = compile({
			requestTemplates: [
				{ msgId: '1', api: 'INVENTORY', method: 'GET', byId: true },
				{ msgId: '1', api: 'INVENTORY', method: 'GET', byId: false },
				{ msgId: '2', api: 'INVENTORY', method: 'DELETE' },
				null,
				'text',
			],
			responseTemplates: [{ msgId: '3', pattern: ['a['] }, { msgId: '4', pattern: ['a'] }, { msgId: '5' }],
		});
		expect(requests.get('1')?.reference?.byId).to.equal(true);
		expect(responses.map(({ msgId }) => msgId)).to.deep.equal(['4']);
		expect(faults.map(({ msgId, position }) => `${msgId}/${position}`)).to.deep.equal(['1/2', '2/3', '/2', '/2', '3/5', '5/5']);
	});

	it('uses nothing of a collection with too many templates', () => {
		const { requests, responses, faults } = compile({
			responseTemplates: Array.from({ length: 21 }, (_, index) => ({ msgId: `${index}`, pattern: ['a'] })),
		});
		expect([requests.size, responses.length]).to.deep.equal([0, 0]);
		expect(faults[0]?.reason).to.include('at most 20');
	});

	it('takes anything that may be stored without throwing', () => {
		const template = fc.record(
			{
				msgId: fc.oneof(fc.string(), fc.nat(), fc.jsonValue()),
				api: fc.constantFrom('INVENTORY', 'ALARM', 'OPERATION', 'x'),
				method: fc.constantFrom('GET', 'PUT', 'POST', 1),
				customValues: fc.array(
					fc.record({ path: fc.string(), type: fc.constantFrom('FLAG', 'DATE', 'x'), value: fc.jsonValue() }),
				),
				pattern: fc.array(fc.jsonValue()),
			},
			{ requiredKeys: [] },
		);
		const list = fc.oneof(fc.array(fc.oneof(template, fc.jsonValue()), { maxLength: 25 }), fc.jsonValue());
		fc.assert(
			fc.property(fc.oneof(fc.record({ requestTemplates: list, responseTemplates: list }), fc.jsonValue()), (stored) => {
				expect(compile(stored).faults).to.be.an('array');
			}),
		);
	});
});
