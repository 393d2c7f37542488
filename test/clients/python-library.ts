import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { startProgram } from '../support/programs.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { skipUnless } from '../support/skip.ts';

const python = process.env.C8Y_PYTHON ?? '';
const scriptOf = (name: string) => fileURLToPath(new URL(`../support/${name}.py`, import.meta.url));

describe('clients/python-library', function () {
	this.timeout(60_000);
	let service: ServiceUnderTest;
	before(async function () {
		skipUnless(python !== '', 'C8Y_PYTHON does not name a Python that has c8y_api').call(this);
		service = await startService();
	});
	after(() => service?.close());

	/** Runs a script as the administrator; what it prints last. */
	async function run(name: string): Promise<Record<string, unknown>> {
		const [tenant = '', user = ''] = service.admin.user.split('/');
		const program = startProgram(python, [scriptOf(name), service.urls.http, tenant, user, service.admin.password]);
		expect(await program.ended, program.lines.join('\n')).to.equal(0);
		return JSON.parse(program.lines.at(-1) ?? '');
	}

	it('uploads, lists, reads, replaces and removes binaries', async () => {
		expect(await run('python-binaries')).to.deep.equal({
			listed: ['again.deb', 'tool.deb'],
			read: true,
			replaced: 'replaced',
			fragment: true,
			gone: true,
		});
	});

	it('logs in with a password and with a token, and understands why not', async () => {
		const { 'wrong password': wrongPassword, 'wrong token': wrongToken, ...found } = await run('python-logins');
		expect(found).to.deep.equal({ basic: 't1', token: 't1', owner: 'admin', user: 'admin', xsrf: true });
		expect(wrongPassword).to.contain('Bad credentials');
		// Its error for reads tells the address only.
		expect(wrongToken).to.contain('/tenant/currentTenant');
	});
});
