import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type CertificateFiles, createCertificateFiles } from '../support/certificates.ts';
import { basic } from '../support/checked-http-client.ts';
import { createDebianPackage } from '../support/debian-package.ts';
import { eventually } from '../support/eventually.ts';
import { multipartBody, multipartType } from '../support/multipart.ts';
import { type OperationJson, softwarePath } from '../support/operator.ts';
import { countDebianPackages, hasProgram, type Program, startProgram } from '../support/programs.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { skipUnless } from '../support/skip.ts';

const script = process.env.THIN_EDGE_DEVICE ?? '';
/** Small, without a service, and on no machine by itself. */
const candidate = { name: 'hello', softwareType: 'apt' };
/** A package of our own, from the repository. */
const own = 'dsm-repository-test';
const slow = 120_000;

interface LogEvent {
	readonly id: string;
	readonly source: { readonly id: string };
	readonly c8y_IsBinary?: { readonly length: number };
}

describe('clients/thin-edge', function () {
	this.timeout(2 * slow);

	let certificates: CertificateFiles;
	let service: ServiceUnderTest;
	before(async function () {
		skipUnless(script !== '', 'THIN_EDGE_DEVICE does not name the script that runs a thin-edge.io device').call(this);
		skipUnless(hasProgram('mosquitto'), 'mosquitto is not installed: a thin-edge.io device needs it').call(this);
		skipUnless(process.getuid?.() === 0, 'only root may install packages with apt').call(this);
		skipUnless(countDebianPackages() >= 1000, 'this machine has less than 1,000 Debian packages to report').call(this);
		certificates = await createCertificateFiles();
		service = await startService({
			HTTPS_PORT: '0',
			MQTTS_PORT: '0',
			TLS_CERT_FILE: certificates.certFile,
			TLS_KEY_FILE: certificates.keyFile,
		});
		await startProgram('apt-get', ['-q', '-y', 'purge', candidate.name]).ended;
		await startProgram('dpkg', ['--purge', own]).ended;
	});
	after(async () => {
		await service?.close();
		certificates?.remove();
		await startProgram('apt-get', ['-q', '-y', 'purge', candidate.name]).ended;
		await startProgram('dpkg', ['--purge', own]).ended;
	});

	for (const api of ['legacy', 'advanced']) {
		describe(`with SOFTWARE_API=${api}`, () => {
			const serial = `te-${api}`;
			let folder: string;
			let device: Program;
			before(async () => {
				folder = mkdtempSync(join(tmpdir(), 'thin-edge-'));
				// By bootstrap: it asks with the bootstrap user, is accepted, and gets these. The device has nothing else.
				const { user, password } = await service.register(serial);
				device = startProgram('bash', [script, folder], {
					C8Y_MQTT: new URL(service.urls.mqtts ?? '').host,
					C8Y_HTTP: new URL(service.urls.https ?? '').host,
					C8Y_CA: certificates.caFile,
					DEVICE_ID: serial,
					C8Y_USER: user,
					C8Y_PASSWORD: password,
					SOFTWARE_API: api,
					MAX_PACKAGES: '10000',
				});
			});
			after(async () => {
				await device?.stop();
				rmSync(folder, { recursive: true, force: true });
			});
			afterEach(function () {
				if (this.currentTest?.isFailed()) process.stderr.write(`${device.lines.slice(-20).join('\n')}\n`);
			});

			it('connects after bootstrap, creates itself, and reports the packages of this machine', async () => {
				const expected = countDebianPackages();
				const id = await eventually(
					'the device is known',
					() => service.operator.findId(serial),
					(found) => found !== undefined,
					slow,
				);
				const total = await eventually(
					'its packages are reported',
					async () =>
						(await service.operator.softwarePage(id ?? '', 'pageSize=1&withTotalPages=true')).statistics.totalPages ?? 0,
					(count) => count >= 1000 && count >= expected * 0.95,
					slow,
				);
				expect(total).to.be.at.least(1000);
				const object = await eventually(
					'its agent is reported',
					() => service.operator.objectOf(serial),
					({ c8y_Agent }) => c8y_Agent !== undefined,
				);
				expect(object.owner).to.equal(`device_${serial}`);
				const registration = await service.operator.http.call('GET', `/devicecontrol/newDeviceRequests/${serial}`);
				expect(registration.status, 'the registration is used up').to.equal(404);
				expect(object.c8y_Agent).to.include({ name: 'thin-edge.io' });
				expect(Array.isArray(object.c8y_SoftwareList)).to.equal(api === 'legacy');
				if (api === 'advanced') expect(object.c8y_SupportedSoftwareTypes).to.deep.equal(['apt']);
			});

			it('installs a package when it is asked to, and lists it', async () => {
				await change(serial, 'install');
				const [found] = await listed(serial, (count) => count === 1);
				expect(found).to.include(candidate).and.to.have.property('version').that.matches(/^\d/);
				expect(hasProgram(candidate.name)).to.equal(true);
			});

			it('removes that again', async () => {
				await change(serial, 'delete');
				await listed(serial, (count) => count === 0);
				expect(hasProgram(candidate.name)).to.equal(false);
			});

			it('installs a package from the repository, which it downloads with its own credentials', async () => {
				const version = api === 'legacy' ? '1.0' : '2.0';
				const binary = await uploadPackage(createDebianPackage({ name: own, version }));
				await service.operator.http.post('/inventory/managedObjects', {
					type: 'c8y_SoftwareBinary',
					c8y_Software: { version, url: binary.self },
					c8y_Global: {},
				});
				const answer = await fetch(new URL(new URL(binary.self).pathname, service.urls.http));
				expect(answer.status, 'without credentials').to.equal(401);
				const operation = await update(serial, [
					{ name: own, version, softwareType: 'apt', url: binary.self, action: 'install' },
				]);
				await service.operator.reaches(operation.id, 'SUCCESSFUL', slow);
				const list = await listed(serial, (count) => count === 1, own);
				expect(list[0]).to.include({ name: own, version });
				expect(execFileSync(own, { encoding: 'utf8' })).to.equal(`${version}\n`);
			});

			it('removes it again, and has attached no log of what it did', async () => {
				const operation = await update(serial, [{ name: own, version: '', softwareType: 'apt', action: 'delete' }]);
				await service.operator.reaches(operation.id, 'SUCCESSFUL', slow);
				await listed(serial, (count) => count === 0, own);
				expect(await logEvents(serial)).to.deep.equal([]);
				expect(hasProgram(own)).to.equal(false);
			});

			it('reports the failure of a package that does not exist, and attaches the log of it', async () => {
				const operation = await request(serial, { name: 'no-package-has-this-name', softwareType: 'apt', action: 'install' });
				const failed = await service.operator.reaches(operation.id, 'FAILED', slow);
				expect(failed.failureReason).to.match(/Failed to execute updates for "apt"/);
				// It is there before the failure is reported.
				const [event, ...others] = await logEvents(serial);
				expect(others).to.deep.equal([]);
				expect(event?.source.id).to.equal(await service.operator.idOf(serial));
				const { user, password } = service.admin;
				const log = await fetch(`${service.urls.http}/event/events/${event?.id}/binaries`, {
					headers: { authorization: basic(`${user}:${password}`) },
				});
				expect(log.headers.get('content-disposition')).to.match(/^attachment; filename=/);
				const text = await log.text();
				expect(text).to.include('no-package-has-this-name');
				expect(Buffer.byteLength(text)).to.equal(event?.c8y_IsBinary?.length);
			});
		});
	}

	async function request(serial: string, change: object): Promise<OperationJson> {
		const deviceId = await service.operator.idOf(serial);
		return service.operator.http.post(`${softwarePath}/changes?deviceId=${deviceId}`, [change]);
	}

	async function update(serial: string, changes: readonly object[]): Promise<OperationJson> {
		const deviceId = await service.operator.idOf(serial);
		return service.operator.http.post('/devicecontrol/operations', { deviceId, c8y_SoftwareUpdate: changes });
	}

	/** What the device told of operations on software; those that succeed leave none. [11.10] */
	async function logEvents(serial: string): Promise<readonly LogEvent[]> {
		const query = `type=software_update_op_log&source=${await service.operator.idOf(serial)}`;
		return (await service.operator.http.get<{ readonly events: readonly LogEvent[] }>(`/event/events?${query}`)).events;
	}

	/** Under the name by which the device knows the service: for others it uses no credentials. */
	async function uploadPackage(content: Buffer): Promise<{ readonly self: string }> {
		const { host } = new URL(service.urls.https ?? '');
		const { user, password } = service.admin;
		const answer = await fetch(`${service.urls.http}/inventory/binaries`, {
			method: 'POST',
			headers: {
				authorization: basic(`${user}:${password}`),
				'content-type': multipartType,
				'x-forwarded-host': host,
				'x-forwarded-proto': 'https',
			},
			body: new Uint8Array(multipartBody([{ name: 'file', fileName: `${own}.deb`, content }])),
		});
		expect(answer.status).to.equal(201);
		const binary = (await answer.json()) as { readonly self: string };
		expect(binary.self).to.match(new RegExp(`^https://${host}/inventory/binaries/\\d+$`));
		return binary;
	}

	async function change(serial: string, action: string): Promise<void> {
		const operation = await request(serial, { ...candidate, action });
		const ended = await service.operator.reaches(operation.id, 'SUCCESSFUL', slow);
		expect(ended.delivery.status).to.equal('DELIVERED');
	}

	/** The device sends its list after the operation has ended. */
	async function listed(serial: string, isRight: (count: number) => boolean, name = candidate.name) {
		const deviceId = await service.operator.idOf(serial);
		return eventually(
			`the list of ${serial} is up to date`,
			async () => (await service.operator.softwarePage(deviceId, `name=${name}`)).softwareList,
			(list) => isRight(list.length),
			slow,
		);
	}
});
