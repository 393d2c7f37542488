import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { startProgram } from '../support/programs.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { skipUnless } from '../support/skip.ts';

const python = process.env.C8Y_PYTHON ?? '';

describe('clients/python-library', function () {
	this.timeout(60_000);
	let service: ServiceUnderTest;
	before(async function () {
		skipUnless(python !== '', 'C8Y_PYTHON does not name a Python that has c8y_api').call(this);
		service = await startService();
	});
	after(() => service?.close());

	/** What the program found, told as JSON in its last line. */
	async function run(name: string, ...more: string[]): Promise<Record<string, unknown>> {
		const script = fileURLToPath(new URL(`../support/${name}`, import.meta.url));
		const [tenant = '', user = ''] = service.admin.user.split('/');
		const program = startProgram(python, [script, service.urls.http, tenant, user, service.admin.password, ...more]);
		expect(await program.ended, program.lines.join('\n')).to.equal(0);
		return JSON.parse(program.lines.at(-1) ?? '');
	}

	it('uploads, lists, reads, replaces and removes binaries', async () => {
		expect(await run('python-binaries.py')).to.deep.equal({
			listed: ['again.deb', 'tool.deb'],
			read: true,
			replaced: 'replaced',
			fragment: true,
			gone: true,
		});
	});

	it('finds what the tests of thin-edge.io look for, and keeps software in the repository', async () => {
		const serial = 'python-1';
		const device = await service.connect(serial, await service.register(serial));
		await device.send([
			'100,Python device,thin-edge.io',
			'101,python-1:device:child1,child1,thin-edge.io-child',
			'102,python-1:device:main:service:agent,systemd,agent,up',
			'102,python-1:device:main:service:mapper,systemd,mapper,down',
			'114,c8y_Restart,c8y_SoftwareUpdate',
			'115,linux,1.0,https://example.com/firmware',
			'117,60',
			'143,apt,flow',
		]);
		const agent = { c8y_Agent: { name: 'thin-edge.io', version: '2.0.1' } };
		await service.operator.http.put(`/inventory/managedObjects/${await service.operator.idOf(serial)}`, agent);
		await device.close();
		expect(await run('python-inventory.py', serial)).to.deep.equal({
			owner: `device_${serial}`,
			children: ['child1'],
			supported: ['c8y_Restart', 'c8y_SoftwareUpdate'],
			agent: 'thin-edge.io',
			firmware: '1.0',
			interval: 60,
			types: ['apt', 'flow'],
			externalIds: [serial],
			devices: ['Python device'],
			services: [['agent', 'systemd', 'up']],
			typesGone: true,
			byName: [true],
			byParent: [true],
			count: [1, 0],
			edited: 'edited',
			versions: [true],
			operations: ['FAILED', 'SUCCESSFUL'],
			last: true,
			left: [0, 0],
			missing: 'KeyError',
			binaries: 0,
		});
	});

	it('adds, finds and removes events with their files', async () => {
		expect(await run('python-events.py')).to.deep.equal({
			fragment: 1,
			found: [true],
			attached: [true, false],
			length: 13,
			read: 'what happened',
			before: ['other'],
			'newest last': ['other', 'log'],
			count: 2,
			left: 1,
		});
	});

	it('lists, reads and adds audit records', async () => {
		const serial = 'python-audit';
		const device = await service.connect(serial);
		await device.send('100,Audited,type');
		await device.close();
		const id = await service.operator.idOf(serial);
		await service.operator.http.put(`/inventory/managedObjects/${id}`, { name: 'Renamed' });
		expect(await run('python-audit.py', serial)).to.deep.equal({
			activities: ['Managed object created', 'External id created', 'Managed object changed'],
			users: ['admin'],
			last: [['name', 'Audited', 'Renamed']],
			source: true,
			same: true,
			'newest first': true,
			pages: true,
			'by user': 0,
			lately: true,
			before: 0,
			made: [['Checked', 'tool']],
		});
	});

	it('logs in with a password and with a token, and understands why not', async () => {
		const { 'wrong password': wrongPassword, 'wrong token': wrongToken, ...found } = await run('python-logins.py');
		expect(found).to.deep.equal({ basic: 't1', token: 't1', owner: 'admin', user: 'admin', xsrf: true });
		expect(wrongPassword).to.contain('Bad credentials');
		// Its error for reads tells the address only.
		expect(wrongToken).to.contain('/tenant/currentTenant');
	});
});
