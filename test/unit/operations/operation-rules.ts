import { expect } from 'chai';
import { expectRefusal, idOf, tenant, useBench } from '../inventory/inventory-bench.ts';
import { openOperationsBench } from './operations-bench.ts';

const item = (more: object = {}) => ({ name: 'a', version: '1', url: 'u', action: 'install', ...more });

describe('operations/operation-rules', () => {
	const bench = useBench(openOperationsBench);
	const create = async (fragments: Readonly<Record<string, unknown>>, device: object = {}) =>
		bench().operations.create(tenant, { deviceId: await bench().device('s', { ...device }), fragments });

	const good: [fragments: Record<string, unknown>, device?: object][] = [
		[{ c8y_Restart: {} }],
		[{ c8y_SoftwareUpdate: [item()] }],
		[{ c8y_SoftwareUpdate: [item({ action: 'delete', version: undefined, url: undefined })] }],
		[{ c8y_SoftwareUpdate: [item({ version: null, url: null, softwareType: null, id: '5' })] }],
		[{ c8y_SoftwareUpdate: [item({ softwareType: 'apt' })] }, { c8y_SupportedSoftwareTypes: ['apt', 'x'] }],
		[{ c8y_SoftwareUpdate: [item({ version: '1.0::apt' })] }, { c8y_SupportedSoftwareTypes: ['apt'] }],
		[{ c8y_SoftwareUpdate: [item()] }, { c8y_SupportedSoftwareTypes: ['apt'] }],
		[{ c8y_SoftwareUpdate: [item({ softwareType: 'any' })] }, {}],
		[{ c8y_SoftwareList: [] }],
		[{ c8y_SoftwareList: [{ name: 'a', version: '' }] }],
		[{ c8y_Command: { text: 'ls' } }],
		[{ c8y_Configuration: { config: 'a=1' } }],
		[{ c8y_Firmware: { name: 'f', version: '1' } }],
		[{ c8y_Firmware: { name: 'f', version: '1', url: 'u', dependency: null } }],
		[{ c8y_DownloadConfigFile: { url: 'u' } }],
		[{ c8y_UploadConfigFile: {} }],
		[{ c8y_LogfileRequest: { logFile: 'syslog' } }],
		[{ c8y_DeviceProfile: {} }],
		[
			{
				c8y_DeviceProfile: {
					firmware: { name: 'f', version: '1' },
					software: [item()],
					configuration: [{ url: 'u', type: 't' }],
				},
			},
		],
		[{ x_Custom: 5 }],
		[{ toString: {} }],
		[{ __defineGetter__: {} }],
		[{ c8y_Restart: {} }, { c8y_SupportedOperations: ['c8y_Command', 'c8y_Restart'] }],
		[{ c8y_Restart: {} }, { c8y_SupportedOperations: 'no list' }],
		[{ c8y_Restart: {}, x_Note: 1 }, { c8y_SupportedOperations: ['c8y_Restart'] }],
	];
	for (const [fragments, device = {}] of good) {
		it(`accepts ${JSON.stringify(fragments).slice(0, 90)} for a device with ${JSON.stringify(device)}`, async () => {
			const made = await create(fragments, device);
			expect(made).to.include({ status: 'PENDING' });
			// As it was sent: what is undefined is no part of JSON.
			expect(made.fragments).to.deep.equal(fragments);
			const stored = await bench().operations.get(tenant, made.id);
			expect(stored.fragments).to.deep.equal(JSON.parse(JSON.stringify(fragments)));
		});
	}

	// Each row: the fragments, the code, and what the message names; the device at the end.
	const bad: [fragments: Record<string, unknown>, code: string, words: string[], device?: object][] = [
		[{}, 'invalid', ['asks for nothing']],
		[{ c8y_Restart: 'now' }, 'invalid', ['c8y_Restart', "'now'"]],
		[{ c8y_Restart: null }, 'invalid', ['c8y_Restart', 'null']],
		[{ c8y_Restart: [] }, 'invalid', ['c8y_Restart', 'an array']],
		[{ c8y_SoftwareUpdate: {} }, 'invalid', ['c8y_SoftwareUpdate must be an array']],
		[{ c8y_SoftwareUpdate: [] }, 'invalid', ['c8y_SoftwareUpdate is empty']],
		[{ c8y_SoftwareUpdate: [item(), 'b'] }, 'invalid', ['c8y_SoftwareUpdate[1]', "'b'"]],
		[{ c8y_SoftwareUpdate: [item({ name: '' })] }, 'invalid', ['c8y_SoftwareUpdate[0].name']],
		[{ c8y_SoftwareUpdate: [item({ name: 5 })] }, 'invalid', ['c8y_SoftwareUpdate[0].name']],
		[{ c8y_SoftwareUpdate: [item({ version: 1 })] }, 'invalid', ['c8y_SoftwareUpdate[0].version', 'number']],
		[{ c8y_SoftwareUpdate: [item({ url: {} })] }, 'invalid', ['c8y_SoftwareUpdate[0].url']],
		[{ c8y_SoftwareUpdate: [item({ action: 'remove' })] }, 'invalid', ["'install' or 'delete'", "'remove'"]],
		[{ c8y_SoftwareUpdate: [item({ action: undefined })] }, 'invalid', ['[0].action', 'nothing']],
		[{ c8y_SoftwareUpdate: Array.from({ length: 21 }, () => item()) }, 'invalid', ['21', 'at most 20']],
		[
			{ c8y_SoftwareUpdate: [item(), item({ softwareType: 'rpm' })] },
			'unsupported',
			['[1].softwareType', "'rpm'", 'apt'],
			{ c8y_SupportedSoftwareTypes: ['apt'] },
		],
		[
			{ c8y_SoftwareUpdate: [item({ version: '1.0::debian' })] },
			'unsupported',
			["'debian'"],
			{ c8y_SupportedSoftwareTypes: ['apt'] },
		],
		[{ c8y_SoftwareUpdate: [item({ softwareType: 'apt' })] }, 'unsupported', ['none'], { c8y_SupportedSoftwareTypes: [] }],
		[{ c8y_SoftwareList: 'a' }, 'invalid', ['c8y_SoftwareList must be an array']],
		[{ c8y_SoftwareList: [{}] }, 'invalid', ['c8y_SoftwareList[0].name']],
		[{ c8y_Command: {} }, 'invalid', ['c8y_Command.text']],
		[{ c8y_Command: { text: 5 } }, 'invalid', ['c8y_Command.text', 'number']],
		[{ c8y_Configuration: { config: '' } }, 'invalid', ['c8y_Configuration.config']],
		[{ c8y_Firmware: { name: 'f' } }, 'invalid', ['c8y_Firmware.version']],
		[{ c8y_Firmware: { name: 'f', version: '1', url: 1 } }, 'invalid', ['c8y_Firmware.url']],
		[{ c8y_DownloadConfigFile: {} }, 'invalid', ['c8y_DownloadConfigFile.url']],
		[{ c8y_UploadConfigFile: { type: 1 } }, 'invalid', ['c8y_UploadConfigFile.type']],
		[{ c8y_LogfileRequest: {} }, 'invalid', ['c8y_LogfileRequest.logFile']],
		[{ c8y_DeviceProfile: { software: [item({ action: 'x' })] } }, 'invalid', ['c8y_DeviceProfile.software[0].action']],
		[{ c8y_DeviceProfile: { firmware: {} } }, 'invalid', ['c8y_DeviceProfile.firmware.name']],
		[{ c8y_DeviceProfile: { configuration: {} } }, 'invalid', ['c8y_DeviceProfile.configuration', 'array']],
		[{ c8y_DeviceProfile: { configuration: [{}] } }, 'invalid', ['c8y_DeviceProfile.configuration[0].url']],
		[{ x: 'ü'.repeat(1000) }, 'tooLarge', ['2008 bytes', 'at most 2000']],
		[
			{ c8y_Command: { text: 'ls' } },
			'unsupported',
			['c8y_Command', 'c8y_Restart'],
			{ c8y_SupportedOperations: ['c8y_Restart'] },
		],
		[{ c8y_Restart: {} }, 'unsupported', ['none'], { c8y_SupportedOperations: [] }],
	];
	for (const [fragments, code, words, device = {}] of bad) {
		it(`refuses ${JSON.stringify(fragments).slice(0, 70)} for a device with ${JSON.stringify(device)}`, async () => {
			await expectRefusal(create(fragments, device), `operation/${code}`, ...words);
			expect(await bench().operations.count(tenant, {})).to.equal(0);
		});
	}

	it('refuses an operation for a device that is not there', () =>
		expectRefusal(
			bench().operations.create(tenant, { deviceId: idOf('1'), fragments: { c8y_Restart: {} } }),
			'inventory/notFound',
			"'1'",
		));

	it('refuses what cannot be sent to the device, with the reason', async () => {
		bench().fault = () => 'too long to be sent';
		await expectRefusal(create({ c8y_Restart: {} }), 'operation/tooLarge', 'too long to be sent');
		expect(await bench().operations.count(tenant, {})).to.equal(0);
	});
});
