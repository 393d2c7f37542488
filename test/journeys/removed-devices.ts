import { webcrypto } from 'node:crypto';
import 'reflect-metadata';
import { X509Certificate, X509Certificates } from '@peculiar/x509';
import { expect } from 'chai';
import { createAuthority, createCertificate, createRequest, pemOf } from '../support/certificate-chain.ts';
import { type CertificateFiles, createCertificateFiles } from '../support/certificates.ts';
import { basic } from '../support/checked-http-client.ts';
import { within } from '../support/eventually.ts';
import type { FakeDevice } from '../support/fake-device.ts';
import { type Credentials, createHttpClient } from '../support/http-client.ts';
import { multipart } from '../support/multipart.ts';
import { bootstrap, type ServiceUnderTest, startService } from '../support/service-fixture.ts';

const objects = '/inventory/managedObjects';
const issued = '/certificate-authority/certificates';
const nobody = { user: undefined as unknown as string, password: undefined as unknown as string };

/** A certificate with its key, as a device shows it. */
interface Shown {
	readonly pem: string;
	readonly keyPem: string;
}

interface SignedOne extends Shown {
	readonly serialNumber: string;
}

describe('journeys/removed-devices', () => {
	let files: CertificateFiles;
	let service: ServiceUnderTest;
	let authority: Awaited<ReturnType<typeof createAuthority>>;
	const logLines: string[] = [];
	before(async () => {
		files = await createCertificateFiles();
		service = await startService(
			{
				MQTTS_PORT: '0',
				TLS_CERT_FILE: files.certFile,
				TLS_KEY_FILE: files.keyFile,
				CERTIFICATE_AUTHORITY_SECRET: 'secret of authorities in tests',
			},
			{ logLines },
		);
		authority = await createAuthority('factory');
		const { http } = service.operator;
		await http.post('/tenant/tenants/t1/trusted-certificates', {
			certInPemFormat: authority.pem,
			autoRegistrationEnabled: true,
		});
		const { fingerprint } = await http.post<{ fingerprint: string }>('/certificate-authority', {});
		// As bad as it can be: the service's own certificates register devices by themselves.
		await http.put(`/tenant/tenants/t1/trusted-certificates/${fingerprint}`, { autoRegistrationEnabled: true });
	});
	after(async () => {
		await service?.close();
		files?.remove();
	});

	const connectWith = ({ pem, keyPem }: Shown, serial: string) =>
		service.connect(serial, { url: service.urls.mqtts ?? '', ...nobody, mqtt: { ca: files.ca, cert: pem, key: keyPem } });

	/** The CONNACK code of a refusal; the device itself where it is let in. */
	async function answerOf(connecting: Promise<FakeDevice>): Promise<number | FakeDevice> {
		return within(
			'the connection is answered',
			connecting.catch((error: Error & { code?: number }) => {
				if (error.code === undefined) throw error;
				return error.code;
			}),
		);
	}

	async function tokenOf(device: FakeDevice): Promise<string> {
		await device.send('', 's/uat', 0);
		return (await device.nextLine('s/dat')).split(',')[1] ?? '';
	}

	async function mayAsk(who: Credentials | { readonly token: string }): Promise<number> {
		return (await createHttpClient(service.urls.http, who).call('GET', '/tenant/currentTenant')).status;
	}

	async function upload(csv: string): Promise<{ readonly numberOfFailed: number }> {
		const { text = '', type = '' } = multipart({ name: 'file', content: csv });
		const { user, password } = service.admin;
		const answer = await fetch(`${service.urls.http}/devicecontrol/bulkNewDeviceRequests`, {
			method: 'POST',
			headers: { authorization: basic(`${user}:${password}`), 'content-type': type },
			body: new Uint8Array(Buffer.from(text)),
		});
		return (await answer.json()) as { readonly numberOfFailed: number };
	}

	/** A certificate of the service, by EST. */
	async function enrol(serial: string, authorization: string, path = 'simpleenroll'): Promise<SignedOne> {
		const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
		const answer = await fetch(`${service.urls.http}/.well-known/est/${path}`, {
			method: 'POST',
			headers: { authorization, 'content-type': 'application/pkcs10' },
			body: (await createRequest(serial, keys)).toString('base64'),
		});
		expect(answer.status).to.equal(200);
		const [made] = new X509Certificates(Buffer.from(await answer.text(), 'base64'));
		const { rawData, serialNumber } = new X509Certificate(made?.rawData ?? new ArrayBuffer(0));
		const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
		return { pem: pemOf('CERTIFICATE', Buffer.from(rawData)), keyPem: pemOf('PRIVATE KEY', key), serialNumber };
	}

	async function enrolNew(serial: string): Promise<SignedOne> {
		await upload(`ID,AUTH_TYPE,ENROLLMENT_OTP\n${serial},CERTIFICATES,password-of-${serial}\n`);
		return enrol(serial, basic(`${serial}:password-of-${serial}`));
	}

	const removals: readonly (readonly [how: string, remove: (serial: string, id: string) => Promise<unknown>])[] = [
		['its object', (_, id) => service.operator.http.delete(`${objects}/${id}`)],
		['its object and user', (_, id) => service.operator.http.delete(`${objects}/${id}?withDeviceUser=true`)],
		['the group that it is in, with all below', (_, id) => removeGroupOf(id)],
		[
			'its user, then its object',
			async (serial, id) => {
				await service.operator.http.delete(`/user/t1/users/device_${serial}`);
				await service.operator.http.delete(`${objects}/${id}?withDeviceUser=false`);
			},
		],
	];

	async function removeGroupOf(id: string): Promise<void> {
		const { http } = service.operator;
		const { id: group } = await http.post<{ id: string }>(objects, { c8y_IsDeviceGroup: {} });
		await http.post(`${objects}/${group}/childAssets`, { managedObject: { id } });
		await http.delete(`${objects}/${group}?forceCascade=true`);
	}

	for (const [index, [how, remove]] of removals.entries()) {
		it(`lets a device that was removed by ${how} in by nothing that it has`, async () => {
			const serial = `removed-${index}`;
			const credentials = await service.register(serial);
			const own = await enrol(serial, basic(`${credentials.user}:${credentials.password}`), 'simplereenroll');
			const foreign = await createCertificate(serial, { issuer: authority });
			const device = await service.connect(serial, credentials);
			await device.send('100,mine,t');
			const token = await tokenOf(device);
			expect([await mayAsk(credentials), await mayAsk({ token })]).to.deep.equal([200, 200]);

			await remove(serial, await service.operator.idOf(serial));
			await within('its connection is closed', device.closed);
			expect(await answerOf(service.connect(serial, credentials)), 'password').to.be.within(4, 5);
			expect(await answerOf(connectWith(foreign, serial)), 'certificate of an authority that registers').to.equal(5);
			expect(await answerOf(connectWith(own, serial)), 'certificate of the service').to.equal(4);
			expect(await mayAsk(credentials)).to.be.within(401, 403);
			expect(await mayAsk({ token })).to.be.within(401, 403);
			const asBootstrap = createHttpClient(service.urls.http, bootstrap);
			expect((await asBootstrap.call('POST', '/devicecontrol/deviceCredentials', { id: serial })).status).to.equal(404);
			expect(await service.operator.findId(serial)).to.equal(undefined);

			const anew = await service.register(serial);
			const again = await service.connect(serial, anew);
			await again.send('100,anew,t');
			expect(await service.operator.objectOf(serial)).to.include({ name: 'anew', owner: `device_${serial}` });
			expect(await answerOf(service.connect(serial, credentials)), 'the old password').to.equal(4);
			expect(await answerOf(connectWith(own, serial)), 'the old certificate').to.equal(4);
			expect(await mayAsk({ token })).to.equal(401);
		});
	}

	it('says why a removed device may not come in by its password, to it and in the log', async () => {
		const credentials = await service.register('spoken-to');
		await (await service.connect('spoken-to', credentials)).send('125');
		await service.operator.http.delete(`${objects}/${await service.operator.idOf('spoken-to')}`);
		expect(await answerOf(service.connect('spoken-to', credentials))).to.equal(5);
		const line = logLines.findLast((each) => each.includes('connection refused') && each.includes('"spoken-to"'));
		expect(line).to.contain('the device was removed: it needs the credentials of a new registration, or its user enabled');
		const asked = await createHttpClient(service.urls.http, credentials).call<{ message: string }>(
			'GET',
			'/tenant/currentTenant',
		);
		expect(asked.status).to.equal(401);
		expect(asked.body.message).to.match(/^Bad credentials: the device was removed: /);
	});

	it('finds a device that tries to hide the serial of its object before that is removed', async () => {
		const credentials = await service.register('hiding');
		const device = await service.connect('hiding', credentials);
		await device.send('125');
		const id = await service.operator.idOf('hiding');
		const http = createHttpClient(service.urls.http, credentials);
		expect((await http.call('DELETE', '/identity/externalIds/c8y_Serial/hiding')).status).to.equal(403);
		await service.operator.http.delete(`${objects}/${id}`);
		await within('its connection is closed', device.closed);
		expect(await answerOf(service.connect('hiding', credentials))).to.equal(5);
		expect(await mayAsk(credentials)).to.equal(401);
	});

	it('says in the log why a removed device may not come in by its certificate', async () => {
		const leaf = await createCertificate('told', { issuer: authority });
		const device = await connectWith(leaf, 'told');
		await device.send('125');
		await service.operator.http.delete(`${objects}/${await service.operator.idOf('told')}?withDeviceUser=true`);
		await within('its connection is closed', device.closed);
		expect(await answerOf(connectWith(leaf, 'told'))).to.equal(5);
		expect(logLines.join('')).to.contain("the device 'told' was removed from tenant t1: register it anew to let it come back");
		expect((await upload('ID,AUTH_TYPE\ntold,CERTIFICATES\n')).numberOfFailed).to.equal(0);
		expect(await answerOf(connectWith(leaf, 'told'))).to.be.an('object');
	});

	it('does not let another device bring a removed one back', async () => {
		const { operator } = service;
		const device = await service.connect('brought', await service.register('brought'));
		await device.send('125');
		const credentials = await service.register('helper');
		const helper = await service.connect('helper', credentials);
		await helper.send('125');
		await operator.http.delete(`${objects}/${await operator.idOf('brought')}`);
		const refusal = /^41,\d*,'brought' was removed: it comes back when somebody registers it anew$/;
		for (const [line, topic] of [
			['101,brought,child,t,true', 's/us'],
			['102,brought,service,s,up', 's/us'],
			['100,child,t', 's/us/brought'],
			['141,a,1', 's/us/brought'],
		] as const) {
			await helper.send(line, topic);
			expect(await helper.nextLine('s/e'), line).to.match(refusal);
		}
		await helper.send('{"a":1}', 'inventory/managedObjects/update/brought');
		expect(JSON.parse(await helper.nextLine('error')).message).to.contain("'c8y_Serial/brought'");
		const http = createHttpClient(service.urls.http, credentials);
		const { id } = await http.post<{ id: string }>(objects, { c8y_IsDevice: {} });
		const body = { type: 'c8y_Serial', externalId: 'brought' };
		expect((await http.call('POST', `/identity/globalIds/${id}/externalIds`, body)).status).to.equal(403);
		expect(await operator.findId('brought')).to.equal(undefined);
	});

	it('expects a removed device no more, whoever was to come with a one-time password', async () => {
		await upload('ID,AUTH_TYPE,ENROLLMENT_OTP\nwaiting,CERTIFICATES,password-of-waiting\n');
		await service.operator.http.delete(`${objects}/${await service.operator.idOf('waiting')}`);
		const answer = await fetch(`${service.urls.http}/.well-known/est/simpleenroll`, {
			method: 'POST',
			headers: { authorization: basic('waiting:password-of-waiting'), 'content-type': 'application/pkcs10' },
			body: (await createRequest('waiting')).toString('base64'),
		});
		expect(answer.status).to.equal(401);
		expect((await service.operator.http.call('GET', '/devicecontrol/newDeviceRequests/waiting')).status).to.equal(404);
	});

	it('lets a device come back by itself where whoever removed its object wanted it so, or enables its user', async () => {
		const { http, idOf, findId } = service.operator;
		const credentials = await service.register('kept');
		const device = await service.connect('kept', credentials);
		await device.send('125');
		await http.delete(`${objects}/${await idOf('kept')}?withDeviceUser=false`);
		await device.send('125');
		await http.delete(`${objects}/${await idOf('kept')}`);
		await within('its connection is closed', device.closed);
		expect(await answerOf(service.connect('kept', credentials))).to.equal(5);
		await http.put('/user/t1/users/device_kept', { enabled: true });
		const again = await service.connect('kept', credentials);
		await again.send('125');
		expect(await findId('kept')).not.to.equal(undefined);
	});

	it('ends the connection of a certificate that is taken back, and no other one', async () => {
		const { http } = service.operator;
		const [taken, left] = [await enrolNew('taken'), await enrolNew('left')];
		const [device, other] = [await connectWith(taken, 'taken'), await connectWith(left, 'left')];
		const token = await tokenOf(device);
		const renewed = await enrol('taken', `Bearer ${token}`, 'simplereenroll');
		const revoked = await http.put<{ status: string; isRenewal: boolean }>(`${issued}/${taken.serialNumber}`, {
			status: 'REVOKED',
		});
		expect(revoked).to.include({ status: 'REVOKED', isRenewal: false });
		await within('the connection is closed', device.closed);
		expect(await answerOf(connectWith(taken, 'taken'))).to.equal(4);
		expect(logLines.join('')).to.contain(`the certificate with the serial number ${taken.serialNumber} was revoked at`);
		expect(await mayAsk({ token })).to.equal(401);
		await other.send('125');
		const again = await connectWith(renewed, 'taken');
		await again.send('125');
	});

	it('ends the connections of a device that gets another password, by whichever way', async () => {
		const { http } = service.operator;
		const first = await service.register('rotated');
		const device = await service.connect('rotated', first);
		const token = await tokenOf(device);
		const second = await service.register('rotated');
		await within('the connection is closed', device.closed);
		expect([await answerOf(service.connect('rotated', first)), await mayAsk({ token })]).to.deep.equal([4, 401]);
		const again = await service.connect('rotated', second);
		await http.put('/user/t1/users/device_rotated', { password: 'set-by-an-administrator' });
		await within('the connection is closed', again.closed);
		expect(await answerOf(service.connect('rotated', second))).to.equal(4);
		const third = await service.connect('rotated', { ...second, password: 'set-by-an-administrator' });
		await http.put('/user/t1/users/device_rotated', { enabled: false });
		await within('the connection is closed', third.closed);
		expect(await answerOf(service.connect('rotated', { ...second, password: 'set-by-an-administrator' }))).to.equal(5);
	});

	it('lets a device touch what is below it at any depth, and nothing beside it', async () => {
		const credentials = await service.register('deep');
		const device = await service.connect('deep', credentials);
		await device.send('101,deep:1,one,t,true');
		await device.send('101,deep:2,two,t,true', 's/us/deep:1');
		await device.send('101,deep:3,three,t,true', 's/us/deep:2');
		const sibling = await service.connect('beside', await service.register('beside'));
		await sibling.send(['125', '101,beside:1,one,t,true']);
		const http = createHttpClient(service.urls.http, credentials);
		for (const serial of ['deep', 'deep:1', 'deep:2', 'deep:3', 'beside', 'beside:1']) {
			const id = await service.operator.idOf(serial);
			const isOwn = serial.startsWith('deep');
			for (const [method, path, body] of [
				['GET', `${objects}/${id}`],
				['PUT', `${objects}/${id}`, { a: 1 }],
				['PUT', `/service/advanced-software-mgmt/software?deviceId=${id}`, [{ name: 'a', version: '1' }]],
				['GET', `/identity/globalIds/${id}/externalIds`],
			] as const)
				expect((await http.call(method, path, body)).status, `${method} ${path} of ${serial}`).to.equal(isOwn ? 200 : 403);
		}
	});
});
