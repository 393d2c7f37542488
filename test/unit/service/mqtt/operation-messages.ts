import { expect } from 'chai';
import type { ManagedObject } from '../../../../inventory/index.ts';
import { type Operation, parseOperationId } from '../../../../operations/index.ts';
import { deliveryFault, toNotification, toStaticLine } from '../../../../service/mqtt/operation-messages.ts';
import { idOf, startTime, tenant } from '../../inventory/inventory-bench.ts';

function operationOf(fragments: Readonly<Record<string, unknown>>, more: Partial<Operation> = {}): Operation {
	return {
		_id: `${tenant}/5`,
		tenant,
		id: parseOperationId('5'),
		seq: 5,
		deviceId: idOf('1001'),
		agentId: idOf('1000'),
		externalIds: [
			{ type: 'T', externalId: 'other' },
			{ type: 'c8y_Serial', externalId: 'dev1' },
		],
		status: 'PENDING',
		creationTime: startTime,
		lastUpdated: startTime,
		fragments,
		fragmentNames: Object.keys(fragments),
		revision: 1,
		delivery: { status: 'PENDING', time: startTime },
		...more,
	};
}

function deviceWith(fragments: Readonly<Record<string, unknown>>): ManagedObject {
	return {
		_id: `${tenant}/1001`,
		tenant,
		id: idOf('1001'),
		seq: 1001,
		owner: 'o',
		creationTime: startTime,
		lastUpdated: startTime,
		fragments,
		fragmentNames: Object.keys(fragments),
		revision: 1,
		search: { texts: [] },
		parents: [],
	};
}

const plain = deviceWith({});
const advanced = deviceWith({ c8y_SupportedSoftwareTypes: ['type A'] });
const a = { name: 'software_a', version: '4.0.0', url: 'http://e.com/a', softwareType: 'type A', action: 'install' };
const b = { name: 'software_b', version: '3.0.0', softwareType: 'type B', action: 'delete' };

describe('service/mqtt/operation-messages', () => {
	// Each row: the fragments, the line; the device at the end.
	const rows: [fragments: Record<string, unknown>, line: string | undefined, device?: ManagedObject][] = [
		[{ c8y_Restart: {} }, '510,dev1'],
		[{ c8y_Command: { text: 'ls -l' } }, '511,dev1,ls -l'],
		[{ c8y_Command: { text: 'echo "a, b"\nls' } }, '511,dev1,"echo \\"a, b\\"\nls"'],
		[{ c8y_Configuration: { config: 'a=1' } }, '513,dev1,a=1'],
		[{ c8y_Firmware: { name: 'fw', version: '1', url: 'u' } }, '515,dev1,fw,1,u'],
		[{ c8y_Firmware: { name: 'fw', version: '1' } }, '515,dev1,fw,1,'],
		[{ c8y_Firmware: { name: 'fw', version: '1', url: 'u', dependency: '0' } }, '525,dev1,fw,1,u,0'],
		[{ c8y_Firmware: { name: 'fw', version: '1', url: 'u', dependency: null } }, '515,dev1,fw,1,u'],
		[{ c8y_SoftwareList: [a, { name: 'x' }] }, '516,dev1,software_a,4.0.0,http://e.com/a,x,,'],
		[{ c8y_SoftwareList: [] }, '516,dev1'],
		[{ c8y_SoftwareUpdate: [a, b] }, '528,dev1,software_a,4.0.0,http://e.com/a,install,software_b,3.0.0,,delete'],
		[{ c8y_SoftwareUpdate: [{ name: 'x', version: null, action: 'delete' }] }, '528,dev1,x,,,delete'],
		[
			{ c8y_SoftwareUpdate: [a, b] },
			'529,dev1,software_a,4.0.0,type A,http://e.com/a,install,software_b,3.0.0,type B,,delete',
			advanced,
		],
		[
			{ c8y_SoftwareUpdate: [{ name: 'x', version: '1.0::debian', action: 'install' }] },
			'529,dev1,x,1.0,debian,,install',
			advanced,
		],
		[{ c8y_SoftwareUpdate: [{ name: 'x, "y"', version: ' 1', action: 'install' }] }, '528,dev1,"x, \\"y\\""," 1",,install'],
		[
			{ c8y_LogfileRequest: { logFile: 'syslog', dateFrom: 'then', dateTo: 'now', searchText: 'a,b', maximumLines: 100 } },
			'522,dev1,syslog,then,now,"a,b",100',
		],
		[{ c8y_LogfileRequest: { logFile: 'syslog' } }, '522,dev1,syslog,,,,'],
		[{ c8y_DownloadConfigFile: { url: 'u', type: 't' } }, '524,dev1,u,t'],
		[{ c8y_UploadConfigFile: { type: 't' } }, '526,dev1,t'],
		[
			{
				c8y_DeviceProfile: {
					firmware: { name: 'fw', version: '1', url: 'u', isPatch: true, dependency: '0' },
					software: [a, { name: 'x', action: 'delete' }],
					configuration: [{ url: 'c', type: 't' }, { url: 'd' }],
				},
			},
			'527,dev1,$FW,fw,1,u,true,0,$SW,software_a,4.0.0,http://e.com/a,install,x,,,delete,$CONF,c,t,d,',
		],
		[{ c8y_DeviceProfile: { firmware: { name: 'fw', version: '1' } } }, '527,dev1,$FW,fw,1,,false,'],
		[{ c8y_DeviceProfile: {} }, '527,dev1'],
		[{ x_Custom: {}, c8y_Restart: {} }, '510,dev1'],
		[{ c8y_Command: { text: 'ls' }, c8y_Restart: {} }, '510,dev1'],
		[{ x_Custom: {} }, undefined],
		[{}, undefined],
		[{ toString: {} }, undefined],
	];
	for (const [fragments, line, device = plain] of rows) {
		it(`writes ${line?.slice(0, 60) ?? 'no line'} for ${JSON.stringify(fragments).slice(0, 60)}`, () =>
			expect(toStaticLine(operationOf(fragments), device)).to.equal(line));
	}

	it('writes one line of JSON with what thin-edge needs', () => {
		const text = toNotification(operationOf({ c8y_Restart: {} }, { description: 'line\nbreak' }));
		expect(text).to.not.include('\n');
		expect(JSON.parse(text)).to.deep.equal({
			id: '5',
			deviceId: '1001',
			agentId: '1000',
			status: 'PENDING',
			creationTime: '2026-11-21T00:00:00.000Z',
			description: 'line\nbreak',
			delivery: { status: 'PENDING', time: '2026-11-21T00:00:00.000Z', log: [] },
			c8y_Restart: {},
			externalSource: { externalId: 'dev1', type: 'c8y_Serial' },
		});
	});

	it('fills a missing version and drops nulls in the software of a profile, and nowhere else in it', () => {
		const profile = { firmware: { name: 'fw', url: null }, software: [{ name: 'x', url: null, action: 'install' }] };
		expect(JSON.parse(toNotification(operationOf({ c8y_DeviceProfile: profile }))).c8y_DeviceProfile).to.deep.equal({
			firmware: { name: 'fw', url: null },
			software: [{ name: 'x', version: '', action: 'install' }],
		});
		const bare = { firmware: { name: 'fw' } };
		expect(JSON.parse(toNotification(operationOf({ c8y_DeviceProfile: bare }))).c8y_DeviceProfile).to.deep.equal(bare);
	});

	for (const fragment of ['c8y_SoftwareUpdate', 'c8y_SoftwareList']) {
		it(`fills a missing version and drops nulls in ${fragment} of the JSON, and nowhere else`, () => {
			const items = [
				{ name: 'x' },
				{ name: 'y', version: null, url: null, id: null, softwareType: '' },
				{ name: 'z', version: '1', url: 'u' },
			];
			const operation = operationOf({ [fragment]: items, x_Custom: { keep: null } });
			const before = JSON.stringify(operation);
			expect(JSON.parse(toNotification(operation))).to.deep.include({
				[fragment]: [
					{ name: 'x', version: '' },
					{ name: 'y', version: '', softwareType: '' },
					{ name: 'z', version: '1', url: 'u' },
				],
				x_Custom: { keep: null },
			});
			expect(JSON.stringify(operation)).to.equal(before);
		});
	}

	it('names another external id where there is no serial, and none where there is none', () => {
		const other = operationOf({}, { externalIds: [{ type: 'T', externalId: 'x' }] });
		expect(JSON.parse(toNotification(other)).externalSource).to.deep.equal({ type: 'T', externalId: 'x' });
		expect(JSON.parse(toNotification(operationOf({}, { externalIds: [] })))).to.not.have.property('externalSource');
	});

	it('measures the longer of both forms in bytes, and says what to do', () => {
		const operation = operationOf({ c8y_Command: { text: 'ü'.repeat(500) } });
		const bytes = Buffer.byteLength(toNotification(operation));
		expect(deliveryFault(operation, plain, bytes)).to.equal(undefined);
		expect(deliveryFault(operation, plain, bytes - 1))
			.to.include(`${bytes} bytes`)
			.and.include(`${bytes - 1} fit`)
			.and.include('split');
	});
});
