import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { hasProgram } from '../support/programs.ts';
import { adminPassword, type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { skipUnless } from '../support/skip.ts';

const guide = new URL('../../docs/guides/template-collections.md', import.meta.url);
const programs = ['mosquitto_pub', 'mosquitto_sub', 'mosquitto_rr', 'curl', 'bash'];

describe('clients/template-collection-guide', function () {
	this.timeout(30_000);

	let service: ServiceUnderTest;
	before(async function () {
		skipUnless(programs.every(hasProgram), `one of ${programs.join(', ')} is not installed`).call(this);
		service = await startService();
	});
	after(() => service?.close());

	it('does what it says, command by command', async () => {
		const blocks = [...readFileSync(guide, 'utf8').matchAll(/^```(sh|text)\n([\s\S]*?)^```$/gm)];
		const textOf = (kind: string) => blocks.filter(([, found]) => found === kind).map(([, , text]) => text ?? '');
		const { port } = new URL(service.urls.mqtt);
		// Where the service is differs here, and nothing else.
		const commands = textOf('sh')
			.join('')
			.replace('http://localhost:8080', service.urls.http)
			.replace('t1/admin:<password>', `t1/admin:${adminPassword}`)
			.replace('-h localhost -p 1883', `-h 127.0.0.1 -p ${port}`);
		const { stdout, stderr } = await promisify(execFile)('bash', ['-euc', commands]);
		expect([stdout, stderr]).to.deep.equal([textOf('text').join(''), '']);
	});
});
