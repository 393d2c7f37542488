import { expect } from 'chai';
import {
	createAuthority,
	createCertificate,
	createRevocationList,
	type TestCertificate,
	writeFiles,
} from '../support/certificate-chain.ts';
import { type CertificateFiles, createCertificateFiles } from '../support/certificates.ts';
import { basic } from '../support/checked-http-client.ts';
import { eventually } from '../support/eventually.ts';
import { hasProgram, type Program, startProgram } from '../support/programs.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { skipUnless } from '../support/skip.ts';

const trustedPath = '/tenant/tenants/t1/trusted-certificates';
/** How the programs say CONNACK 4 and 5; `mosquitto_pub` ends with that code. */
const words = {
	4: 'Connection error: Connection Refused: bad user name or password.',
	5: 'Connection error: Connection Refused: not authorised.',
};
const lost = 'Error: The connection was lost.';

describe('clients/mosquitto with certificates', function () {
	this.timeout(30_000);

	let files: CertificateFiles;
	let service: ServiceUnderTest;
	let authority: TestCertificate;
	let fingerprint: string;
	const cleanUps: (() => unknown)[] = [];
	before(async function () {
		skipUnless(hasProgram('mosquitto_pub') && hasProgram('mosquitto_sub'), 'mosquitto-clients is not installed').call(this);
		files = await createCertificateFiles();
		service = await startService({ MQTTS_PORT: '0', TLS_CERT_FILE: files.certFile, TLS_KEY_FILE: files.keyFile });
		authority = await createAuthority('authority of mosquitto');
		const trusted = { certInPemFormat: authority.pem, autoRegistrationEnabled: true };
		({ fingerprint } = await service.operator.http.post<{ fingerprint: string }>(trustedPath, trusted));
	});
	afterEach(async () => {
		for (const cleanUp of cleanUps.splice(0)) await cleanUp();
	});
	after(async () => {
		await service?.close();
		files?.remove();
	});

	/** `mosquitto_pub` or `mosquitto_sub` as a device with a certificate, or without one. */
	function run(command: string, clientId: string, leaf: TestCertificate | undefined, args: readonly string[]): Program {
		const { hostname, port } = new URL(service.urls.mqtts ?? '');
		const login = ['-h', hostname, '-p', port, '-i', clientId, '--cafile', files.caFile];
		if (leaf) {
			const { paths, remove } = writeFiles({ cert: leaf.pem, key: leaf.keyPem });
			cleanUps.push(remove);
			login.push('--cert', paths.cert, '--key', paths.key);
		}
		const program = startProgram(command, [...login, '-q', '1', ...args]);
		cleanUps.push(program.stop);
		return program;
	}

	function publish(clientId: string, leaf: TestCertificate | undefined, line = '125'): Program {
		return run('mosquitto_pub', clientId, leaf, ['-t', 's/us', '-m', line]);
	}

	it('logs in, receives an operation, and answers it', async () => {
		const leaf = await createCertificate('cert-1', { issuer: authority });
		expect(await publish('d:cert-1', leaf, '114,c8y_Restart').ended).to.equal(0);
		expect((await service.operator.objectOf('cert-1')).owner).to.equal('device_cert-1');
		const listening = run('mosquitto_sub', 'd:cert-1', leaf, ['-v', '-t', 's/ds', '-C', '1']);
		const operation = await service.operator.createOperation('cert-1', { c8y_Restart: {} });
		expect(await listening.ended).to.equal(0);
		expect(listening.lines).to.deep.equal(['s/ds 510,cert-1']);
		expect(await publish('d:cert-1', leaf, '501,c8y_Restart').ended).to.equal(0);
		expect((await service.operator.operation(operation.id)).status).to.equal('EXECUTING');
	});

	const refusals: readonly (readonly [what: string, code: 4 | 5, make: () => Promise<TestCertificate | undefined>])[] = [
		['no certificate', 4, async () => undefined],
		['one of an unknown authority', 4, async () => createCertificate('bad', { issuer: await createAuthority('stranger') })],
		['one that signed itself', 4, () => createCertificate('bad')],
		['an expired one', 4, () => createCertificate('bad', { issuer: authority, from: -9, until: -1 })],
		['one that is not valid yet', 4, () => createCertificate('bad', { issuer: authority, from: 1 })],
		['the one of another device', 5, () => createCertificate('other', { issuer: authority })],
	];
	for (const [what, code, make] of refusals) {
		it(`is told ${code} with ${what}`, async () => {
			const refused = publish('bad', await make());
			expect(await refused.ended).to.equal(code);
			expect(refused.lines).to.include(words[code]);
			expect(await service.operator.findId('bad')).to.equal(undefined);
		});
	}

	it('is told 5 when its user is disabled', async () => {
		const leaf = await createCertificate('cert-2', { issuer: authority });
		expect(await publish('cert-2', leaf).ended).to.equal(0);
		await service.operator.http.put('/user/t1/users/device_cert-2', { enabled: false });
		const refused = publish('cert-2', leaf);
		expect(await refused.ended).to.equal(5);
		expect(refused.lines).to.include(words[5]);
	});

	it('is cut off when its certificate is revoked, and when its authority is trusted no more, and does not come back', async () => {
		const [revoked, other] = await Promise.all(
			['cert-3', 'cert-4'].map((name) => createCertificate(name, { issuer: authority })),
		);
		expect(await publish('cert-3', revoked, '114,c8y_Restart').ended).to.equal(0);
		expect(await publish('cert-4', other, '114,c8y_Restart').ended).to.equal(0);
		const [first, second] = await Promise.all([listen('cert-3', revoked), listen('cert-4', other)]);

		const list = await createRevocationList(authority, [revoked?.serialNumber ?? '']);
		const answer = await fetch(`${service.urls.http}${trustedPath}/${fingerprint}/crl`, {
			method: 'PUT',
			headers: {
				authorization: basic(`${service.admin.user}:${service.admin.password}`),
				'content-type': 'application/pkix-crl',
			},
			body: new Uint8Array(list),
		});
		expect(answer.status).to.equal(200);
		expect(await first.ended).to.not.equal(0);
		expect(first.lines).to.deep.equal(['s/ds 510,cert-3', lost]);
		expect(await publish('cert-3', revoked).ended).to.equal(4);

		await service.operator.createOperation('cert-4', { c8y_Restart: {} });
		await eventually(
			'the other one is as good as before',
			() => [...second.lines],
			(lines) => lines.length === 2,
		);
		await service.operator.http.delete(`${trustedPath}/${fingerprint}`);
		expect(await second.ended).to.not.equal(0);
		expect(second.lines).to.deep.equal(['s/ds 510,cert-4', 's/ds 510,cert-4', lost]);
		expect(await publish('cert-4', other).ended).to.equal(4);
	});

	/** Resolves when it has received something, so that it is connected. */
	async function listen(serial: string, leaf: TestCertificate | undefined): Promise<Program> {
		await service.operator.createOperation(serial, { c8y_Restart: {} });
		const listening = run('mosquitto_sub', serial, leaf, ['-v', '-t', 's/ds']);
		await eventually(
			'the operation arrives',
			() => [...listening.lines],
			(lines) => lines.includes(`s/ds 510,${serial}`),
		);
		return listening;
	}
});
