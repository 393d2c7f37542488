import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { createAuthority, createCertificate, writeFiles } from '../support/certificate-chain.ts';
import { type CertificateFiles, createCertificateFiles } from '../support/certificates.ts';
import { basic } from '../support/checked-http-client.ts';
import { eventually } from '../support/eventually.ts';
import { multipartBody, multipartType } from '../support/multipart.ts';
import { softwarePath } from '../support/operator.ts';
import { hasProgram, type Program, startProgram } from '../support/programs.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { skipUnless } from '../support/skip.ts';

const script = process.env.THIN_EDGE_DEVICE ?? '';
const slow = 120_000;

describe('clients/thin-edge-certificates', function () {
	this.timeout(2 * slow);

	const logLines: string[] = [];
	let files: CertificateFiles;
	let service: ServiceUnderTest;
	let folder: string;
	let devices: Program[];
	before(async function () {
		skipUnless(script !== '', 'THIN_EDGE_DEVICE does not name the script that runs a thin-edge.io device').call(this);
		skipUnless(hasProgram('mosquitto'), 'mosquitto is not installed: a thin-edge.io device needs it').call(this);
		skipUnless(process.getuid?.() === 0, 'only root may be a thin-edge.io device here').call(this);
		files = await createCertificateFiles();
		service = await startService(
			{
				HTTPS_PORT: '0',
				MQTTS_PORT: '0',
				TLS_CERT_FILE: files.certFile,
				TLS_KEY_FILE: files.keyFile,
				CERTIFICATE_AUTHORITY_SECRET: 'secret of authorities in tests',
			},
			{ logLines },
		);
		folder = mkdtempSync(join(tmpdir(), 'thin-edge-'));
		mkdirSync(join(folder, 'bin'));
		writeFileSync(
			join(folder, 'bin/tedge'),
			execFileSync('xz', ['-dc', join(dirname(script), 'tedge.xz')], { maxBuffer: 2 ** 30 }),
			{ mode: 0o755 },
		);
		devices = [];
	});
	afterEach(async function () {
		for (const device of devices.splice(0)) {
			if (this.currentTest?.isFailed()) process.stderr.write(`${device.lines.slice(-20).join('\n')}\n`);
			await device.stop();
		}
	});
	after(async () => {
		await service?.close();
		files?.remove();
		if (folder) rmSync(folder, { recursive: true, force: true });
	});

	/** The command `tedge` of a device of this name, with its own configuration. */
	function tedge(
		name: string,
		args: readonly string[],
		environment: Readonly<Record<string, string>> = {},
	): Promise<number | null> {
		const program = startProgram(join(folder, 'bin/tedge'), ['--config-dir', join(folder, name), ...args], environment);
		devices.push(program);
		return program.ended;
	}

	async function configure(name: string): Promise<{ readonly cert: string; readonly key: string }> {
		mkdirSync(join(folder, name), { recursive: true });
		writeFileSync(join(folder, name, 'system.toml'), 'user = "root"\ngroup = "root"\n');
		const paths = { cert: join(folder, name, 'device.pem'), key: join(folder, name, 'device.key') };
		const settings = {
			'c8y.http': new URL(service.urls.https ?? '').host,
			'c8y.root_cert_path': files.caFile,
			'device.cert_path': paths.cert,
			'device.key_path': paths.key,
			'device.csr_path': join(folder, name, 'device.csr'),
		};
		for (const [key, value] of Object.entries(settings)) expect(await tedge(name, ['config', 'set', key, value])).to.equal(0);
		return paths;
	}

	/** Runs a whole device with this certificate; it has connected, reported its packages, and got and answered an operation. */
	async function runs(serial: string, { cert, key }: { readonly cert: string; readonly key: string }): Promise<string> {
		const work = mkdtempSync(join(folder, 'work-'));
		devices.push(
			startProgram('bash', [script, work], {
				C8Y_MQTT: new URL(service.urls.mqtts ?? '').host,
				C8Y_HTTP: new URL(service.urls.https ?? '').host,
				C8Y_CA: files.caFile,
				DEVICE_ID: serial,
				DEVICE_CERT: cert,
				DEVICE_KEY: key,
				MAX_PACKAGES: '50',
			}),
		);
		const id = await eventually(
			'the device is known',
			() => service.operator.findId(serial),
			(found) => found !== undefined,
			slow,
		);
		await eventually(
			'its packages are reported, by HTTP with a token',
			async () => (await service.operator.softwarePage(id ?? '', 'pageSize=1&withTotalPages=true')).statistics.totalPages ?? 0,
			(count) => count > 0,
			slow,
		);
		expect((await service.operator.objectOf(serial)).owner).to.equal(`device_${serial}`);
		const change = { name: 'no-package-has-this-name', softwareType: 'apt', action: 'install' };
		const operation = await service.operator.http.post<{ id: string }>(`${softwarePath}/changes?deviceId=${id}`, [change]);
		const failed = await service.operator.reaches(operation.id, 'FAILED', slow);
		expect(failed.failureReason).to.match(/Failed to execute updates for "apt"/);
		return work;
	}

	it('connects with a certificate that a trusted authority signed', async () => {
		const authority = await createAuthority('thin-edge authority');
		await service.operator.http.post('/tenant/tenants/t1/trusted-certificates', {
			name: 'authority',
			certInPemFormat: authority.pem,
			autoRegistrationEnabled: true,
		});
		const leaf = await createCertificate('te-signed', { issuer: authority });
		const { paths } = writeFiles({ cert: leaf.pem, key: leaf.keyPem });
		await runs('te-signed', paths);
	});

	it('connects with its own certificate after `tedge cert upload`', async () => {
		const paths = await configure('te-own');
		const { user, password } = service.admin;
		expect(await tedge('te-own', ['cert', 'create', '--device-id', 'te-own'])).to.equal(0);
		const upload = () => tedge('te-own', ['cert', 'upload', 'c8y'], { C8Y_USER: user, C8Y_PASSWORD: password });
		expect(await upload()).to.equal(0);
		expect(await upload(), 'it is there already').to.equal(0);
		await runs('te-own', paths);
	});

	it('gets a certificate with `tedge cert download`, connects with it, and renews it', async () => {
		await service.operator.http.post('/certificate-authority', {});
		const paths = await configure('te-enrolled');
		const otp = 'one-time-password-of-te';
		await registerBulk(`ID,AUTH_TYPE,ENROLLMENT_OTP\nte-enrolled,CERTIFICATES,${otp}\n`);
		const download = ['cert', 'download', 'c8y', '--device-id', 'te-enrolled', '--retry-every', '1s', '--max-timeout', '20s'];
		expect(await tedge('te-enrolled', download, { DEVICE_ONE_TIME_PASSWORD: otp })).to.equal(0);
		const first = new X509Certificate(readFileSync(paths.cert));
		expect(first.subject).to.equal('CN=te-enrolled');
		const work = await runs('te-enrolled', paths);
		const renewing = startProgram(join(folder, 'bin/tedge'), ['--config-dir', join(work, 'etc'), 'cert', 'renew', '--ca', 'c8y']);
		devices.push(renewing);
		expect(await renewing.ended, renewing.lines.join('\n')).to.equal(0);
		const next = new X509Certificate(readFileSync(`${paths.cert}.new`));
		expect(next.subject).to.equal('CN=te-enrolled');
		expect(next.serialNumber).to.not.equal(first.serialNumber);
	});

	async function registerBulk(csv: string): Promise<void> {
		const { user, password } = service.admin;
		const answer = await fetch(`${service.urls.http}/devicecontrol/bulkNewDeviceRequests`, {
			method: 'POST',
			headers: { authorization: basic(`${user}:${password}`), 'content-type': multipartType },
			body: new Uint8Array(multipartBody([{ name: 'file', content: Buffer.from(csv) }])),
		});
		expect(await answer.json()).to.include({ numberOfSuccessful: 1 });
	}
});
