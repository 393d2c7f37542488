import { X509Certificate } from 'node:crypto';
import 'reflect-metadata';
import { X509Certificates } from '@peculiar/x509';
import { expect } from 'chai';
import type { Response } from 'supertest';
import { createRequest } from '../support/certificate-chain.ts';
import { basic } from '../support/checked-http-client.ts';
import { expectRefusal, type HttpFixture, openHttpFixture } from '../support/http-fixture.ts';
import { fileForm } from '../support/multipart.ts';

const bulk = '/devicecontrol/bulkNewDeviceRequests';

describe('http/enrolment', () => {
	let fixture: HttpFixture;
	before(async () => {
		fixture = await openHttpFixture();
	});
	after(() => fixture.close());

	const register = (csv: string) => fixture.call('admin', 'post', bulk, fileForm(csv));
	const enrol = async (serial: string, password: string, request: Buffer | string, path = 'simpleenroll') =>
		fixture.call(undefined, 'post', `/.well-known/est/${path}`, {
			text: typeof request === 'string' ? request : request.toString('base64'),
			type: 'application/pkcs10',
			headers: { Authorization: basic(`${serial}:${password}`) },
		});

	function certificateOf(answer: Response): X509Certificate {
		expect(answer.headers['content-type']).to.equal('application/pkcs7-mime; smime-type=certs-only');
		expect(answer.headers['content-transfer-encoding']).to.equal('base64');
		const [certificate, more] = new X509Certificates(Buffer.from(answer.text, 'base64'));
		expect(more).to.equal(undefined);
		return new X509Certificate(Buffer.from(certificate?.rawData ?? new ArrayBuffer(0)));
	}

	it('has no authority before it is made', async () => {
		expect((await fixture.call('admin', 'get', '/.well-known/est/cacerts')).status).to.equal(404);
		await register('ID,AUTH_TYPE,ENROLLMENT_OTP\nearly,CERTIFICATES,password-of-early\n');
		expectRefusal(await enrol('early', 'password-of-early', await createRequest('early')), 404, /has no certificate authority/);
	});

	it('makes an authority once, and shows its certificate and nothing of its key', async () => {
		const { status, body } = await fixture.call('admin', 'post', '/certificate-authority');
		expect(status).to.equal(201);
		expect(body).to.include({ tenantCertificateAuthority: true, proofOfPossessionValid: true, autoRegistrationEnabled: false });
		expectRefusal(await fixture.call('admin', 'post', '/certificate-authority'), 409, /has a certificate authority already/);
		const listed = await fixture.call('admin', 'get', '/tenant/tenants/t1/trusted-certificates?certificateAuthority=true');
		expect(listed.body.certificates).to.deep.equal([body]);
		const shown = certificateOf(await fixture.call('device', 'get', '/.well-known/est/cacerts'));
		expect(shown.fingerprint.replaceAll(':', '').toLowerCase()).to.equal(body.fingerprint);
		expect(shown.ca).to.equal(true);
		expect(JSON.stringify(body) + fixture.logLines.join('')).to.not.contain('PRIVATE KEY');
	});

	it('signs for a one-time password, once', async () => {
		await register(
			'ID;AUTH_TYPE;ENROLLMENT_OTP;NAME;TYPE;IDTYPE;com_cumulocity_model_Agent.active\nnew1;CERTIFICATES;password-of-new1;New one;t;c8y_Serial;true\n',
		);
		const request = await createRequest('new1');
		expectRefusal(await enrol('new1', 'wrong', request), 401, /No device 'new1' is registered with this one-time password/);
		const certificate = certificateOf(await enrol('new1', 'password-of-new1', request));
		expect(certificate.subject).to.equal('CN=new1');
		expect(certificate.ca).to.equal(false);
		expect(certificate.keyUsage).to.deep.equal(['1.3.6.1.5.5.7.3.2']);
		expect(Math.round((Date.parse(certificate.validTo) - fixture.time) / 86_400_000)).to.equal(10);
		expectRefusal(await enrol('new1', 'password-of-new1', request), 401, /No device/);
		const login = await fixture.services.access.certificates.logIn([certificate.raw]);
		expect(login).to.deep.include({ ok: true });
		const id = await fixture.services.inventory.devices.find('t1', 'new1');
		expect((await fixture.call('admin', 'get', `/inventory/managedObjects/${id}`)).body).to.deep.include({
			name: 'New one',
			type: 't',
			com_cumulocity_model_Agent: {},
		});
		expect(fixture.logLines.join('')).to.not.contain('password-of-new1');
	});

	it('signs nothing while the tenant is suspended', async () => {
		const { registration, tenants } = fixture.services.access;
		expect((await fixture.call('otherAdmin', 'post', '/certificate-authority')).status).to.equal(201);
		await registration.request('t2', 'paused', { oneTimePassword: 'password-of-paused' });
		const request = await createRequest('paused');
		await tenants.change('t2', { status: 'SUSPENDED' });
		expectRefusal(await enrol('paused', 'password-of-paused', request), 401, /No device/);
		await tenants.change('t2', { status: 'ACTIVE' });
		expect(certificateOf(await enrol('paused', 'password-of-paused', request)).subject).to.equal('CN=paused');
	});

	it('takes the password once when several ask at once', async () => {
		await register('ID,AUTH_TYPE,ENROLLMENT_OTP\nraced,CERTIFICATES,password-of-raced\n');
		const request = await createRequest('raced');
		const answers = await Promise.all(Array.from({ length: 5 }, () => enrol('raced', 'password-of-raced', request)));
		expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 401, 401, 401, 401]);
	});

	it('does not let a device whose user is removed come back by its certificate', async () => {
		await register('ID,AUTH_TYPE,ENROLLMENT_OTP\nremoved,CERTIFICATES,password-of-removed\n');
		const certificate = certificateOf(await enrol('removed', 'password-of-removed', await createRequest('removed')));
		const { users, certificates } = fixture.services.access;
		expect((await certificates.logIn([certificate.raw])).ok).to.equal(true);
		await users.remove('t1', 'device_removed');
		expect(await certificates.logIn([certificate.raw])).to.deep.include({ ok: false, reason: 'forbidden' });
	});

	it('gives no password to a device that is to have a certificate', async () => {
		await register('ID,AUTH_TYPE,ENROLLMENT_OTP\nno-password,CERTIFICATES,password-of-it\n');
		const poll = () => fixture.call('bootstrap', 'post', '/devicecontrol/deviceCredentials', { body: { id: 'no-password' } });
		expect((await poll()).status).to.equal(404);
		const accept = await fixture.call('admin', 'put', '/devicecontrol/newDeviceRequests/no-password', {
			body: { status: 'ACCEPTED' },
		});
		expect(accept.status).to.equal(422);
		expect((await poll()).status).to.equal(404);
	});

	it('renews its certificate, and goes on letting in what it has signed', async () => {
		await register('ID,AUTH_TYPE,ENROLLMENT_OTP\nlasting,CERTIFICATES,password-of-lasting\n');
		const before = certificateOf(await enrol('lasting', 'password-of-lasting', await createRequest('lasting')));
		fixture.time += 1000;
		const renewed = await fixture.call('admin', 'post', '/certificate-authority/renew');
		expect(renewed.status).to.equal(201);
		const list = await fixture.call('admin', 'get', '/tenant/tenants/t1/trusted-certificates?certificateAuthority=true');
		const [old, current] = list.body.certificates.map(({ fingerprint }: { fingerprint: string }) => fingerprint);
		expect(current).to.equal(renewed.body.fingerprint);
		const { certificates } = fixture.services.access;
		await certificates.trusted.remove('t1', old);
		expect((await certificates.logIn([before.raw])).ok).to.equal(true);
		const again = await fixture.call('device', 'post', '/.well-known/est/simplereenroll', {
			text: (await createRequest('dev1')).toString('base64'),
			type: 'application/pkcs10',
		});
		expect(
			certificateOf(again).checkIssued(certificateOf(await fixture.call('device', 'get', '/.well-known/est/cacerts'))),
		).to.equal(true);
	});

	it('signs again for a device that is logged in, for itself only', async () => {
		const again = (name: string) =>
			createRequest(name).then((request) =>
				fixture.call('device', 'post', '/.well-known/est/simplereenroll', {
					text: request.toString('base64'),
					type: 'application/pkcs10',
				}),
			);
		expect(certificateOf(await again('dev1')).subject).to.equal('CN=dev1');
		expectRefusal(await again('dev2'), 422, /common name of the certificate signing request must be 'dev1', found 'CN=dev2'/);
	});

	it('refuses requests that are none, or not of this device, and keeps the password for a right one', async () => {
		await register('ID,AUTH_TYPE,ENROLLMENT_OTP\npicky,CERTIFICATES,password-of-picky\n');
		const good = await createRequest('picky');
		const forged = Buffer.from(good);
		forged[forged.length - 5] = (forged[forged.length - 5] ?? 0) ^ 1;
		for (const [request, message] of [
			['', /must be a certificate signing request/],
			['nonsense', /must be a certificate signing request/],
			[await createRequest('other'), /must be 'picky'/],
			[forged, /is not signed with its own key/],
		] as const)
			expectRefusal(await enrol('picky', 'password-of-picky', request), 422, message);
		expect((await enrol('picky', 'password-of-picky', 'x'.repeat(70_000))).status).to.equal(413);
		expect((await fixture.call(undefined, 'post', '/.well-known/est/simpleenroll', { text: 'x' })).status).to.equal(401);
		const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${good.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
		expect((await enrol('picky', 'password-of-picky', pem)).status).to.equal(200);
	});

	it('puts on record whom it refuses, in the tenant that expects the device', async () => {
		await fixture.services.access.registration.request('t2', 'watched', { oneTimePassword: 'password-of-watched' });
		const known = fixture.refused.length;
		const request = await createRequest('watched');
		await enrol('watched', 'wrong', request);
		await enrol('nobody', 'wrong', request);
		await enrol('watched', 'password-of-watched', await createRequest('other'));
		await fixture.call(undefined, 'post', '/.well-known/est/simpleenroll', { text: 'x' });
		expect(fixture.refused.slice(known).map(({ user, reason, channel, call }) => [user, reason, channel, call])).to.deep.equal(
			[
				['t2/device_watched', 'access/wrongOneTimePassword'],
				['device_nobody', 'access/wrongOneTimePassword'],
				['t2/device_watched', 'access/invalid'],
			].map((row) => [...row, 'http', 'POST /.well-known/est/simpleenroll']),
		);
	});

	it('makes whoever guesses wait', async () => {
		await register('ID,AUTH_TYPE,ENROLLMENT_OTP\nguessed,CERTIFICATES,password-of-guessed\n');
		const request = await createRequest('guessed');
		for (let times = 0; times < 20; times++) expect((await enrol('guessed', `guess ${times}`, request)).status).to.equal(401);
		expect((await enrol('guessed', 'password-of-guessed', request)).status).to.equal(429);
		fixture.time += 61_000;
		expect((await enrol('guessed', 'password-of-guessed', request)).status).to.equal(200);
	});

	it('tells for each line of a CSV file what became of it', async () => {
		const { status, body } = await register(
			[
				'\ufeffID\tAUTH_TYPE\tCREDENTIALS\tTENANT\tPATH',
				'basic1\tBASIC\tpassword-1\tt1\t',
				'basic2\tBASIC\tshort\t\t',
				'own-ca\tCERTIFICATES\t\t\t',
				'bad/id\tBASIC\tpassword-1\t\t',
				'x\tOTHER\tpassword-1\t\t',
				'y\tBASIC\tpassword-1\tt2\t',
				'z\tBASIC\tpassword-1\t\tgroup//x',
				'basic1\tBASIC\tpassword-2\t\t',
				'',
			].join('\r\n'),
		);
		expect(status).to.equal(201);
		expect(body).to.include({ numberOfAll: 8, numberOfCreated: 2, numberOfSuccessful: 3, numberOfFailed: 5 });
		expect(body.credentialUpdatedList).to.deep.equal([
			{ line: '9', deviceId: 'basic1', bulkNewDeviceStatus: 'CREDENTIAL_UPDATED' },
		]);
		expect(
			body.lines.map(
				({ line, deviceId, bulkNewDeviceStatus: status }: Record<string, string>) => `${line} ${deviceId} ${status}`,
			),
		).to.deep.equal([
			'2 basic1 CREATED',
			'3 basic2 FAILED',
			'4 own-ca CREATED',
			'5 bad/id FAILED',
			'6 x FAILED',
			'7 y FAILED',
			'8 z FAILED',
			'9 basic1 CREDENTIAL_UPDATED',
		]);
		expect(
			body.failedCreationList.map(({ line, failureReason }: Record<string, string>) => `${line} ${failureReason?.split(' ')[0]}`),
		).to.deep.equal(['3 CREDENTIALS', '5 ID', '6 AUTH_TYPE', '7 TENANT', '8 A']);
		const headers = { Authorization: basic('t1/device_basic1:password-2') };
		expect((await fixture.call(undefined, 'get', '/tenant/currentTenant', { headers })).status).to.equal(200);
	});

	it('gives no credentials with a line that fails', async () => {
		const other = await fixture.createDevice({});
		const taken = { type: 'c8y_Imei', externalId: 'half1' };
		await fixture.call('admin', 'post', `/identity/globalIds/${other}/externalIds`, { body: taken });
		const { body } = await register(
			[
				'ID,AUTH_TYPE,CREDENTIALS,IDTYPE,NAME',
				'half1,BASIC,password-1,c8y_Imei,',
				`half2,BASIC,password-1,,${'n'.repeat(1025)}`,
			].join('\n'),
		);
		expect(body.lines.map(({ failureReason }: Record<string, string>) => failureReason)).to.deep.equal([
			"The external id 'c8y_Imei/half1' is taken",
			'NAME has 1025 characters: at most 1024 are allowed',
		]);
		for (const serial of ['half1', 'half2'])
			expect((await fixture.call('admin', 'get', `/user/t1/users/device_${serial}`)).status, serial).to.equal(404);
	});

	it('makes what a line of a full registration says, groups too, and takes the separator of the head line', async () => {
		const { body } = await register(
			[
				'ID;CREDENTIALS;NAME;TYPE;IDTYPE;ICCID;PATH;SHELL;AUTH_TYPE;com_cumulocity_model_Agent.active',
				'full1;password-1;Pump, big;pump;c8y_Imei;8991;"Plant/It\'s * one";1;BASIC;true',
				'',
				"full2;password-2;;;;;Plant/It's * one;0;BASIC;",
				'full3;password-3;;;;;;2;BASIC;',
			].join('\n'),
		);
		expect(body.lines.map(({ line, bulkNewDeviceStatus: status }: Record<string, string>) => `${line} ${status}`)).to.deep.equal([
			'2 CREATED',
			'4 CREATED',
			'5 FAILED',
		]);
		expect(body.failedCreationList[0].failureReason).to.equal("SHELL must be 0 or 1, found '2'");
		const found = await fixture.call('admin', 'get', '/identity/externalIds/c8y_Imei/full1');
		const device = (
			await fixture.call('admin', 'get', `/inventory/managedObjects/${found.body.managedObject.id}?withParents=true`)
		).body;
		expect(device).to.deep.include({
			name: 'Pump, big',
			type: 'pump',
			com_cumulocity_model_Agent: {},
			c8y_Mobile: { iccid: '8991' },
			c8y_SupportedOperations: ['c8y_Command'],
		});
		const groups = await fixture.call('admin', 'get', '/inventory/managedObjects?fragmentType=c8y_IsDeviceGroup&pageSize=50');
		const [plant, line, ...more] = groups.body.managedObjects;
		expect([plant.name, plant.type, line.name, line.type, more]).to.deep.equal([
			'Plant',
			'c8y_DeviceGroup',
			"It's * one",
			'c8y_DeviceSubgroup',
			[],
		]);
		const members = await fixture.call('admin', 'get', `/inventory/managedObjects/${line.id}/childAssets`);
		expect(members.body.references).to.have.length(2);
		expect(JSON.stringify(device.assetParents)).to.contain(line.id);
	});

	for (const [csv, message] of [
		['', /The first line must name the columns/],
		['NAME,TYPE\na,b\n', /The first line must name the columns/],
		['ID,COLOUR\na,1\n', /The column 'COLOUR' is not known/],
		['ID,__proto__\na,1\n', /The column '__proto__' is not known/],
		['ID,NAME,ID\na,b,c\n', /The column 'ID' comes twice/],
		['ID,NAME\na,"b\n', /The file is not CSV/],
		[`ID\n${'a\n'.repeat(21)}`, /more than 20 lines/],
	] as const)
		it(`refuses the file ${JSON.stringify(csv.slice(0, 20))}`, async () => {
			expectRefusal(await register(csv), 422, message);
		});
});
