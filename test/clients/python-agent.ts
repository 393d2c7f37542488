import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { createAptRepository } from '../support/apt-repository.ts';
import { type CertificateFiles, createCertificateFiles } from '../support/certificates.ts';
import { basic } from '../support/checked-http-client.ts';
import { createDebianPackage } from '../support/debian-package.ts';
import { eventually } from '../support/eventually.ts';
import { canListen } from '../support/free-port.ts';
import { multipartBody, multipartType } from '../support/multipart.ts';
import type { OperationJson } from '../support/operator.ts';
import { countDebianPackages, hasProgram, type Program, startProgram } from '../support/programs.ts';
import { agentCollection, createPythonAgent, refusalsIn } from '../support/python-agent.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { skipUnless } from '../support/skip.ts';

const program = process.env.PYTHON_AGENT ?? '';
const serial = 'dm-1';
const user = `device_${serial}`;
/** Of our own: one that apt finds, and one that the service has. */
const candidate = { name: 'dsm-agent-test', version: '1.0' };
const uploaded = { name: 'dsm-agent-upload-test', version: '1.0' };
const slow = 60_000;

describe('clients/python-agent', function () {
	this.timeout(2 * slow);

	let certificates: CertificateFiles;
	let repository: ReturnType<typeof createAptRepository>;
	let service: ServiceUnderTest;
	let agent: ReturnType<typeof createPythonAgent>;
	let running: Program;
	before(async function () {
		skipUnless(program !== '', 'PYTHON_AGENT does not name the program c8ydm.start of PyPI’s c8ydm').call(this);
		skipUnless(process.getuid?.() === 0, 'only root may install packages with apt').call(this);
		await skipUnless(() => canListen(443), 'the agent asks at port 443, which is taken').call(this);
		certificates = await createCertificateFiles();
		repository = createAptRepository([candidate]);
		service = await startService({
			HTTPS_PORT: '443',
			TLS_CERT_FILE: certificates.certFile,
			TLS_KEY_FILE: certificates.keyFile,
		});
		agent = createPythonAgent({
			program,
			serial,
			mqttPort: new URL(service.urls.mqtt).port,
			environment: { ...repository.environment, REQUESTS_CA_BUNDLE: certificates.caFile },
		});
		await purge();
	});
	afterEach(function () {
		if (this.currentTest?.isFailed()) process.stderr.write(`${running?.lines.slice(-40).join('\n')}\n`);
	});
	after(async () => {
		// One that is locked out does not end when it is asked to.
		await running?.stop(0);
		await service?.close();
		certificates?.remove();
		repository?.remove();
		agent?.remove();
		if (repository) await purge();
	});

	it('gets its credentials by bootstrap, once somebody has accepted it, and creates its device', async () => {
		const path = `/devicecontrol/newDeviceRequests/${serial}`;
		const { http } = service.operator;
		await http.post('/devicecontrol/newDeviceRequests', { id: serial });
		running = agent.run();
		await eventually(
			'it asks for its credentials',
			() => http.get<{ readonly status: string }>(path),
			({ status }) => status === 'PENDING_ACCEPTANCE',
			slow,
		);
		await http.put(path, { status: 'ACCEPTED' });
		await eventually(
			'the device is known',
			() => service.operator.findId(serial),
			(id) => id !== undefined,
			slow,
		);
		expect((await http.call('GET', path)).status, 'the registration is used up').to.equal(404);
		expect(agent.settings()).to.match(
			new RegExp(`^c8y.tenant = ${service.tenant}\nc8y.username = ${user}\nc8y.password = .+$`, 'm'),
		);
		expect(await service.operator.objectOf(serial)).to.include({
			name: `dm-${serial}`,
			type: 'c8y_dm_example_type',
			owner: user,
		});
	});

	it('reports what it is, what it can do, and the packages of this machine', async () => {
		const expected = countDebianPackages();
		await eventually(
			'its packages are reported',
			() => reported(),
			(count) => count >= expected * 0.95,
			slow,
		);
		const object = await eventually(
			'all of it is reported',
			() => service.operator.objectOf(serial),
			(found) => ['c8y_Agent', 'c8y_Hardware', 'c8y_SupportedLogs'].every((name) => name in found),
		);
		expect(object.c8y_Agent).to.include({ name: 'DM Reference Agent', version: '1.3.7', maintainer: 'Open Source' });
		expect(object.c8y_Hardware).to.deep.equal({ serialNumber: serial, model: 'raspberry', revision: '1.0' });
		expect(object.c8y_RequiredAvailability).to.deep.equal({ responseInterval: 10 });
		expect(object.c8y_SupportedSoftwareTypes).to.deep.equal(['apt']);
		expect(object.c8y_SupportedLogs).to.deep.equal(['agentlog']);
		expect(object.c8y_SupportedOperations).to.include.members(['c8y_SoftwareUpdate', 'c8y_SoftwareList', 'c8y_Command']);
		expect(object.c8y_Configuration)
			.to.have.property('config')
			.that.matches(/^mqtt\.url=localhost\n[\s\S]*\nagent\.name=dm\n/);
	});

	it('carries out a command, and gives the reason of one that fails', async () => {
		const { id } = await operation({ c8y_Command: { text: 'show uptime seconds' } });
		const ended = await service.operator.reaches(id, 'SUCCESSFUL', slow);
		expect(ended.c8y_Command)
			.to.have.property('result')
			.that.matches(/^\d+\.\d+\n$/);
		expect(ended.delivery.status).to.equal('DELIVERED');
		const failing = await operation({ c8y_Command: { text: 'exit 3' } });
		expect((await service.operator.reaches(failing.id, 'FAILED', slow)).failureReason).to.match(/exception/);
	});

	it('installs a package with apt, lists it, and removes it again', async () => {
		const install = await change({ ...candidate, softwareType: 'apt', action: 'install' });
		await service.operator.reaches(install.id, 'SUCCESSFUL', slow);
		expect(await listed(candidate.name)).to.deep.equal([{ ...candidate, softwareType: 'apt', url: 'test' }]);
		expect(execFileSync(candidate.name, { encoding: 'utf8' })).to.equal(`${candidate.version}\n`);

		const remove = await change({ ...candidate, softwareType: 'apt', action: 'delete' });
		await service.operator.reaches(remove.id, 'SUCCESSFUL', slow);
		expect(await listed(candidate.name)).to.deep.equal([]);
		expect(hasProgram(candidate.name)).to.equal(false);
	});

	it('installs a file of the service, which it downloads with its own credentials', async () => {
		const binary = await upload(createDebianPackage(uploaded));
		const { id } = await change({ ...uploaded, softwareType: 'apt', url: binary.self, action: 'install' });
		await service.operator.reaches(id, 'SUCCESSFUL', slow);
		expect(await listed(uploaded.name)).to.deep.equal([{ ...uploaded, softwareType: 'apt' }]);
		expect(execFileSync(uploaded.name, { encoding: 'utf8' })).to.equal(`${uploaded.version}\n`);
	});

	it('reports the failure of a package that does not exist', async () => {
		const { id } = await change({ name: 'no-package-has-this-name', version: '1', softwareType: 'apt', action: 'install' });
		const { failureReason } = await service.operator.reaches(id, 'FAILED', slow);
		expect(failureReason).to.contain("The cache has no package named 'no-package-has-this-name'");
	});

	it('comes back with its credentials, takes what has waited, and speaks by its own template collection', async () => {
		const early = refusalsIn(running.lines);
		await running.stop();
		const waiting = await operation({ c8y_Message: { text: 'a message, with a comma' } });
		running = agent.run();
		await service.operator.reaches(waiting.id, 'SUCCESSFUL', slow);
		const { c8y_Network } = await eventually(
			'its network is reported',
			() => service.operator.objectOf(serial),
			(object) => object.c8y_Network !== undefined,
			slow,
		);
		expect(c8y_Network)
			.to.have.nested.property('c8y_LAN.ip')
			.that.matches(/^\d+\.\d+\.\d+\.\d+$/);
		const path = `/identity/externalIds/c8y_SmartRest2DeviceIdentifier/${agentCollection}`;
		const { managedObject } = await service.operator.http.get<{ readonly managedObject: { readonly id: string } }>(path);
		// It has brought it itself.
		expect(await service.operator.http.get(`/inventory/managedObjects/${managedObject.id}`)).to.include({ owner: user });
		const late = refusalsIn(running.lines);
		expect(late).to.include('41,100,Device already existing');
		// It says that it has restarted when nobody has asked it to, and speaks by its collection while it is still bringing it.
		for (const line of [...early, ...late])
			expect(line).to.match(/^41,(100|503|dm100),|^GET \/identity\/externalIds\/c8y_SmartRest2DeviceIdentifier\/.* 404$/);
	});

	it('is locked out when its user is disabled, and when its device is removed', async () => {
		const refusals = (code: number) => running.lines.filter((line) => line.includes(`Received CONNACK (0, ${code})`)).length;
		await service.operator.http.put(`/user/${service.tenant}/users/${user}`, { enabled: false });
		await eventually(
			'it is refused as not authorised',
			() => refusals(5),
			(count) => count > 0,
			slow,
		);
		const id = await service.operator.idOf(serial);
		await service.operator.http.delete(`/inventory/managedObjects/${id}?withDeviceUser=true`);
		await eventually(
			'it is refused as unknown',
			() => refusals(4),
			(count) => count > 0,
			slow,
		);
		expect(await service.operator.findId(serial)).to.equal(undefined);
	});

	async function reported(): Promise<number> {
		const id = await service.operator.idOf(serial);
		return (await service.operator.softwarePage(id, 'pageSize=1&withTotalPages=true')).statistics.totalPages ?? 0;
	}

	async function listed(name: string) {
		return (await service.operator.softwarePage(await service.operator.idOf(serial), `name=${name}`)).softwareList;
	}

	function operation(fragments: Readonly<Record<string, unknown>>): Promise<OperationJson> {
		return service.operator.createOperation(serial, fragments);
	}

	function change(item: object): Promise<OperationJson> {
		return operation({ c8y_SoftwareUpdate: [item] });
	}

	async function upload(content: Buffer): Promise<{ readonly self: string }> {
		const answer = await fetch(`${service.urls.http}/inventory/binaries`, {
			method: 'POST',
			headers: {
				authorization: basic(`${service.admin.user}:${service.admin.password}`),
				'content-type': multipartType,
				'x-forwarded-host': 'localhost',
				'x-forwarded-proto': 'https',
			},
			body: new Uint8Array(multipartBody([{ name: 'file', fileName: `${uploaded.name}.deb`, content }])),
		});
		expect(answer.status).to.equal(201);
		return answer.json() as Promise<{ readonly self: string }>;
	}

	async function purge(): Promise<void> {
		await startProgram('dpkg', ['--purge', candidate.name, uploaded.name]).ended;
	}
});
