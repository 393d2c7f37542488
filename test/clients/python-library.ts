import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { startProgram } from '../support/programs.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { skipUnless } from '../support/skip.ts';

const python = process.env.C8Y_PYTHON ?? '';
const script = fileURLToPath(new URL('../support/python-binaries.py', import.meta.url));

describe('clients/python-library', function () {
	this.timeout(60_000);
	let service: ServiceUnderTest;
	before(async function () {
		skipUnless(python !== '', 'C8Y_PYTHON does not name a Python that has c8y_api').call(this);
		service = await startService();
	});
	after(() => service?.close());

	it('uploads, lists, reads, replaces and removes binaries', async () => {
		const [tenant = '', user = ''] = service.admin.user.split('/');
		const program = startProgram(python, [script, service.urls.http, tenant, user, service.admin.password]);
		expect(await program.ended, program.lines.join('\n')).to.equal(0);
		expect(JSON.parse(program.lines.at(-1) ?? '')).to.deep.equal({
			listed: ['again.deb', 'tool.deb'],
			read: true,
			replaced: 'replaced',
			fragment: true,
			gone: true,
		});
	});
});
