import { expect } from 'chai';
import fc from 'fast-check';
import { compileCollection } from '../../../smartrest/collection-document.ts';
import { decodeCollection } from '../../../smartrest/collection-lines.ts';
import { encodeRecord } from '../../../smartrest/csv.ts';
import { collectionLimits, documentOf } from './collection-rows.ts';

function faultsOf(payload: string): string[] {
	const decoded = decodeCollection(payload, collectionLimits);
	return decoded.ok
		? []
		: decoded.faults.map(({ line, templateId, position, reason }) => `${line}/${templateId}/${position}: ${reason}`);
}

describe('smartrest/collection-lines', () => {
	const requests: [line: string, stored: object][] = [
		['10,1,GET,INVENTORY,,true', { method: 'GET', api: 'INVENTORY', response: true, byId: true, externalIdType: '' }],
		['10,1,GET,INVENTORY,,false,c8y_Serial', { response: true, byId: false, externalIdType: 'c8y_Serial' }],
		['10,1,GET,INVENTORY,false,false', { response: false, byId: false, externalIdType: '' }],
		[
			'10,1,PUT,INVENTORY,,false,c8y_Serial,c8y_My,STRING,',
			{ response: false, byId: false, customValues: [{ path: 'c8y_My', type: 'STRING', value: '' }] },
		],
		['10,1,PUT,INVENTORY,TRUE,true,,$.a', { response: true, customValues: [{ path: '$.a', type: 'STRING', value: '' }] }],
		[
			'10,1,POST,INVENTORY,,c8y_MySerial',
			{ mandatoryValues: [{ path: '$.externalIdType', type: 'STRING', value: 'c8y_MySerial' }] },
		],
		[
			'10,999,POST,MEASUREMENT,,c8y_M,,c8y_M.M.value,NUMBER,',
			{
				msgId: '999',
				mandatoryValues: [
					{ path: '$.type', type: 'STRING', value: 'c8y_M' },
					{ path: '$.time', type: 'DATE', value: '' },
				],
				customValues: [{ path: 'c8y_M.M.value', type: 'NUMBER', value: '' }],
			},
		],
		['10,1,POST,EVENT,,c8y_E,mytext,,', { customValues: [] }],
		['10,1,POST,ALARM,,c8y_A,mytext,ACTIVE,MAJOR,', { customValues: [] }],
		['10,1,PUT,ALARM,,c8y_A,status,ALARMSTATUS', { customValues: [{ path: 'status', type: 'ALARMSTATUS', value: '' }] }],
		[
			'10,1,PUT,OPERATION,,c8y_Op,status,OPERATIONSTATUS,SUCCESSFUL,c8y_F.val,NUMBER,',
			{ mandatoryValues: [{ path: '$.fragment', type: 'STRING', value: 'c8y_Op' }] },
		],
		['10,1,GET,OPERATION,,c8y_Op', { response: true }],
		['10,dm101,POST,MEASUREMENT,,t,,a.v,NUMBER,,a.u,STRING,%,flag,FLAG,', { msgId: 'dm101', name: 'dm101' }],
	];
	for (const [line, stored] of requests) {
		it(`reads ${line} [SR-10]`, () => {
			const { requestTemplates, responseTemplates } = documentOf(line);
			expect(requestTemplates).to.have.length(1);
			expect(requestTemplates[0]).to.deep.include(stored);
			expect(responseTemplates).to.deep.equal([]);
		});
	}

	const responses: [line: string, stored: object][] = [
		['11,888,,c8y_IsDevice,type,c8y_Test', { base: '', condition: 'c8y_IsDevice', pattern: ['type', 'c8y_Test'] }],
		['11,111,c8y_C,deviceId,val1,customValues[*]', { base: 'c8y_C', pattern: ['val1', 'customValues[*]'] }],
		['11,888,,,"$.myList[*].type"', { msgId: '888', name: '888', pattern: ['$.myList[*].type'] }],
		['11,1001,c8y_Message,c8y_Message,text,', { pattern: ['text'] }],
	];
	for (const [line, stored] of responses) {
		it(`reads ${line} [SR-11]`, () => expect(documentOf(line).responseTemplates[0]).to.deep.include(stored));
	}

	const bad: [payload: string, fault: RegExp][] = [
		['', /^1\/\/1: there is no template/],
		['9,1,GET,INVENTORY,,true', /^1\/9\/1: a line must begin with 10/],
		['10', /^1\/10\/2: the message id/],
		['10,,GET,INVENTORY,,true', /^1\/10\/2: the message id/],
		[`10,${'1'.repeat(33)},GET,INVENTORY,,true`, /\/2: the message id/],
		['10,1 2,GET,INVENTORY,,true', /\/2: the message id/],
		['10,1,DELETE,INVENTORY,,true', /\/3: the method must be one of GET PUT POST/],
		['10,1,get,INVENTORY,,true', /\/3: the method/],
		['10,1,GET,USERS,,true', /\/4: the API of GET must be one of INVENTORY OPERATION/],
		['10,1,POST,OPERATION,,x', /\/4: the API of POST/],
		['10,1,PUT,EVENT,,x', /\/4: the API of PUT/],
		['10,1,GET,INVENTORY,maybe,true', /\/5: response must be/],
		['10,1,GET,INVENTORY', /\/6: byId must be/],
		['10,1,GET,INVENTORY,,yes', /\/6: byId must be/],
		['10,1,GET,INVENTORY,,true,,name,STRING,x', /\/8: GET INVENTORY takes no values/],
		['10,1,PUT,INVENTORY,,true,,,STRING,x', /\/8: the path is empty/],
		['10,1,PUT,INVENTORY,,true,,a[*],STRING,x', /\/8: the path names no single place/],
		['10,1,PUT,INVENTORY,,true,,a,TEXT,x', /\/9: the type must be one of STRING DATE/],
		['10,1,PUT,INVENTORY,,true,,a,NUMBER,x', /\/8: a must be a number/],
		['10,1,PUT,INVENTORY,,true,,a,,1,a.b,,2', /\/11: another value .* in the way of a\.b/],
		['10,1,PUT,INVENTORY,,true,,a,,,b,,,c,,,d,,,e,,,f,,,g,,', /\/6: the template has 7 values/],
		['10,1,POST,ALARM,,t,x,OPEN,MAJOR,', /\/8: status must be one of ACTIVE/],
		['10,1,POST,ALARM,,t,x,ACTIVE,BAD,', /\/9: severity must be one of/],
		['10,1,POST,EVENT,,t,x,yesterday', /\/8: time must be a time/],
		['10,1,POST,EVENT,,t,x,,type,STRING,', /\/9: another value/],
		['10,1,GET,INVENTORY,,true\n10,1,GET,INVENTORY,,true', /^2\/10\/2: another request template/],
		['11,,,,a', /^1\/11\/2: the message id/],
		['11,1,a[,,a', /^1\/11\/3: a bracket is not closed/],
		['11,1,,a..,a', /\/4: a name is missing/],
		['11,1,,', /\/5: a pattern is missing/],
		['11,1,,,,a', /\/5: the path is empty/],
		['11,1,,,a,b[?(@.c)]', /\/6: a bracket holds neither/],
		['11,1,..a,,..b', /\/5: base and pattern have more than one/],
		['11,1,,,a,b,c,d,e,f,g', /\/5: the template has 7 patterns/],
		['11,1,,,"open', /\/5: the quoted field is not closed/],
		[Array.from({ length: 21 }, (_, index) => `11,${index},,,a`).join('\n'), /^21\/\/1: a template collection has at most 20/],
	];
	for (const [payload, fault] of bad) {
		it(`refuses ${JSON.stringify(payload.slice(0, 80))}`, () => {
			const faults = faultsOf(payload);
			expect(faults).to.have.length(1);
			expect(faults[0])
				.to.match(fault)
				.and.not.to.match(/[,"\n]/);
		});
	}

	it('names every bad line, and takes none of them', () => {
		const faults = faultsOf('10,1,GET,INVENTORY,,true\n10,2,GET\n11,3,,,a\n12');
		expect(faults.map((fault) => fault.slice(0, 6))).to.deep.equal(['2/10/4', '4/12/1']);
	});

	it('never throws, and what it takes can be used', () => {
		const field = fc.oneof(
			fc.constantFrom(
				'GET',
				'PUT',
				'POST',
				'INVENTORY',
				'OPERATION',
				'ALARM',
				'EVENT',
				'true',
				'false',
				'',
				'a.b',
				'$.c[0]',
				'NUMBER',
				'1',
			),
			fc.string({ maxLength: 5 }),
		);
		const line = fc
			.tuple(fc.constantFrom('10', '11'), fc.array(field, { maxLength: 10 }))
			.map(([id, rest]) => encodeRecord([id, ...rest]));
		fc.assert(
			fc.property(fc.array(line, { maxLength: 4 }), (lines) => {
				const decoded = decodeCollection(lines.join('\n'), collectionLimits);
				if (decoded.ok) expect(compileCollection(decoded.document, collectionLimits).faults).to.deep.equal([]);
				else expect(decoded.faults.every(({ position, reason }) => position > 0 && reason !== '')).to.equal(true);
			}),
			{ numRuns: 500 },
		);
	});

	it('reads what is written of a collection back as the same', () => {
		const path = fc.constantFrom('$.a', 'b.c', "d['x.y']", 'e[0]', 'f');
		const custom = fc.uniqueArray(fc.tuple(path, fc.constantFrom('STRING', 'NUMBER', 'FLAG'), fc.constantFrom('', '1')), {
			selector: ([each]) => each,
			maxLength: 5,
		});
		const request = fc.tuple(fc.constantFrom('true', 'false'), fc.constantFrom('', 'c8y_Serial'), custom);
		const response = fc.tuple(
			fc.constantFrom('', 'a.b'),
			fc.constantFrom('', 'c'),
			fc.array(path, { minLength: 1, maxLength: 5 }),
		);
		fc.assert(
			fc.property(fc.array(request, { maxLength: 5 }), fc.array(response, { minLength: 1, maxLength: 5 }), (asked, answered) => {
				const document = documentOf(
					...asked.map(([byId, type, values], index) =>
						encodeRecord(['10', `${index}`, 'PUT', 'INVENTORY', '', byId, type, ...values.flat()]),
					),
					...answered.map(([base, condition, patterns], index) =>
						encodeRecord(['11', `r${index}`, base, condition, ...patterns]),
					),
				);
				expect(
					document.requestTemplates.map(({ byId, externalIdType, customValues }) => [
						`${byId}`,
						externalIdType,
						customValues.map((each) => [each.path, each.type, each.value]),
					]),
				).to.deep.equal(asked);
				expect(document.responseTemplates.map(({ base, condition, pattern }) => [base, condition, pattern])).to.deep.equal(
					answered,
				);
				expect(JSON.parse(JSON.stringify(document))).to.deep.equal(document);
			}),
		);
	});
});
