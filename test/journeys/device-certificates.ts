import { sign } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { expect } from 'chai';
import { connect as connectMqtt, type IClientOptions } from 'mqtt';
import { createAuthority, createCertificate, createRevocationList, type TestCertificate } from '../support/certificate-chain.ts';
import { type CertificateFiles, createCertificateFiles } from '../support/certificates.ts';
import { eventually, within } from '../support/eventually.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { deafTo, openSharedStore } from '../support/shared-store.ts';

type TlsOptions = IClientOptions & { readonly ciphers?: string };

const certificatesPath = '/tenant/tenants/t1/trusted-certificates';

describe('journeys/device-certificates', () => {
	let files: CertificateFiles;
	let service: ServiceUnderTest;
	const logLines: string[] = [];
	let root: TestCertificate;
	let rootFingerprint: string;
	before(async () => {
		files = await createCertificateFiles();
		service = await startService(
			{ MQTTS_PORT: '0', HTTPS_DEVICES_PORT: '0', TLS_CERT_FILE: files.certFile, TLS_KEY_FILE: files.keyFile },
			{ logLines },
		);
		root = await createAuthority('factory root');
		rootFingerprint = await trust(root);
	});
	after(async () => {
		await service?.close();
		files?.remove();
	});

	async function trust(certificate: TestCertificate, change: object = {}): Promise<string> {
		const body = {
			name: certificate.name,
			certInPemFormat: certificate.pem,
			status: 'ENABLED',
			autoRegistrationEnabled: true,
			...change,
		};
		return (await service.operator.http.post<{ fingerprint: string }>(certificatesPath, body)).fingerprint;
	}

	function tls(chain: readonly TestCertificate[], more: TlsOptions = {}): IClientOptions {
		const cert = chain.map(({ pem }) => pem).join('');
		return { ca: files.ca, ...(chain[0] && { cert, key: chain[0].keyPem }), ...more };
	}

	const asNobody = { user: undefined as unknown as string, password: undefined as unknown as string };

	/** The CONNACK code of a connection, and the reason in the log. */
	async function attempt(chain: readonly TestCertificate[], clientId: string, more: TlsOptions = {}) {
		const seen = logLines.length;
		const client = connectMqtt(service.urls.mqtts ?? '', { clientId, reconnectPeriod: 0, ...tls(chain, more) });
		const code = await within(
			'the connection is answered',
			new Promise<number>((resolve, reject) => {
				client.once('packetreceive', (packet) => resolve(packet.cmd === 'connack' ? (packet.returnCode ?? -1) : -1));
				client.once('error', (error) =>
					'code' in error && typeof error.code === 'number' ? resolve(error.code) : reject(error),
				);
			}),
		);
		await client.endAsync(true);
		const lines = logLines.slice(seen).map((line) => JSON.parse(line) as { msg: string; code?: number });
		return { code, reason: lines.find(({ msg }) => msg.startsWith('connection refused: '))?.msg.slice(20) };
	}

	it('lets a device in whose certificate a trusted authority signed, creates its user, and gives it a token for its host', async () => {
		const leaf = await createCertificate('cert-1', { issuer: root });
		const device = await service.connect('cert-1', {
			url: service.urls.mqtts ?? '',
			...asNobody,
			clientId: 'd:cert-1',
			mqtt: tls([leaf]),
		});
		await device.send('110,by certificate');
		const object = await service.operator.objectOf('cert-1');
		expect(object.owner).to.equal('device_cert-1');
		await device.send('', 's/uat', 0);
		const token = (await device.nextLine('s/dat')).split(',')[1] ?? '';
		expect(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())).to.include({
			iss: 'localhost',
			sub: 'device_cert-1',
			ten: 't1',
		});
		const own = await fetch(`${service.urls.http}/inventory/managedObjects/${object.id}`, {
			headers: { authorization: `Bearer ${token}` },
		});
		expect(own.status).to.equal(200);
		const others = await fetch(`${service.urls.http}${certificatesPath}`, { headers: { authorization: `Bearer ${token}` } });
		expect(others.status).to.equal(403);
	});

	it('takes certificates between the device’s and the trusted one, in any order', async () => {
		const middle = await createAuthority('factory line', { issuer: root });
		const inner = await createAuthority('factory machine', { issuer: middle });
		const leaf = await createCertificate('cert-chain', { issuer: inner });
		expect(await attempt([leaf, inner, middle], 'cert-chain')).to.deep.equal({ code: 0, reason: undefined });
		expect(await attempt([leaf, inner, middle, root], 'cert-chain')).to.deep.equal({ code: 0, reason: undefined });
		const missing = await attempt([leaf, middle], 'cert-chain');
		expect(missing.code).to.equal(4);
		expect(missing.reason).to.match(/no tenant trusts the authority 'CN=factory machine' of the certificate 'CN=cert-chain'/);
	});

	it('lets a device in by its own certificate, which signed itself', async () => {
		const own = await createCertificate('cert-self');
		expect((await attempt([own], 'cert-self')).code).to.equal(4);
		await trust(own);
		expect(await attempt([own], 'cert-self')).to.deep.equal({ code: 0, reason: undefined });
	});

	const refusals: readonly (readonly [
		what: string,
		code: number,
		reason: RegExp,
		make: () => Promise<readonly TestCertificate[]>,
		more?: TlsOptions,
	])[] = [
		['nothing', 4, /no user name or password, and no client certificate/, async () => []],
		[
			'an expired certificate',
			4,
			/its certificate expired at \d{4}-/,
			async () => [await createCertificate('bad', { issuer: root, from: -9, until: -1 })],
		],
		[
			'one that is not valid yet',
			4,
			/its certificate is not valid before \d{4}-/,
			async () => [await createCertificate('bad', { issuer: root, from: 1 })],
		],
		[
			'one of an unknown authority',
			4,
			/no tenant trusts the authority 'CN=stranger'/,
			async () => [await createCertificate('bad', { issuer: await createAuthority('stranger') })],
		],
		[
			'one of an authority that only bears the name',
			4,
			/no tenant trusts the authority 'CN=factory root'/,
			async () => [await createCertificate('bad', { issuer: await createAuthority('factory root') })],
		],
		[
			'one with another common name',
			5,
			/by its certificate \(common name\) it may connect as 'other' only/,
			async () => [await createCertificate('other', { issuer: root })],
		],
		[
			'one without a common name',
			4,
			/the common name of 'O=bad' is not the id of a device/,
			async () => [await createCertificate('bad', { issuer: root, subject: 'O=bad' })],
		],
		[
			'one with two common names',
			4,
			/is not the id of a device/,
			async () => [await createCertificate('bad', { issuer: root, subject: 'CN=bad, CN=bad2' })],
		],
		[
			'one with a slash in its common name',
			4,
			/is not the id of a device/,
			async () => [await createCertificate('bad', { issuer: root, subject: 'CN=t2/bad' })],
		],
		[
			'one for servers',
			4,
			/not for clients/,
			async () => [await createCertificate('bad', { issuer: root, purposes: ['1.3.6.1.5.5.7.3.1'] })],
		],
		[
			'one that a device signed',
			4,
			/'CN=cert-2' that signed it is not one of an authority/,
			async () => {
				const device = await createCertificate('cert-2', { issuer: root });
				return [await createCertificate('bad', { issuer: device }), device];
			},
		],
		[
			'one signed with SHA-1',
			4,
			/is not good enough: it is signed with SHA-1/,
			async () => [await createCertificate('bad', { issuer: root, hash: 'SHA-1' })],
			{ ciphers: 'DEFAULT:@SECLEVEL=0' },
		],
		[
			'one below more authorities than allowed',
			4,
			/allows 0 authorities below it, and there are 1/,
			async () => {
				const outer = await createAuthority('outer', { issuer: root, pathLength: 0 });
				const inner = await createAuthority('inner', { issuer: outer });
				return [await createCertificate('bad', { issuer: inner }), inner, outer];
			},
		],
	];
	for (const [what, code, reason, make, more] of refusals) {
		it(`answers ${what} with ${code}, and says why in the log`, async () => {
			const outcome = await attempt(await make(), 'bad', more);
			expect(outcome.reason).to.match(reason);
			expect(outcome.code).to.equal(code);
			expect(await service.operator.findId('bad')).to.equal(undefined);
		});
	}

	it('takes devices of an authority without auto-registration only when they are registered', async () => {
		const strict = await createAuthority('strict');
		await trust(strict, { autoRegistrationEnabled: false });
		const leaf = await createCertificate('cert-strict', { issuer: strict });
		const refused = await attempt([leaf], 'cert-strict');
		expect(refused.reason).to.match(
			/the device 'cert-strict' is not registered in tenant t1, and the trusted certificate 'strict' registers no devices/,
		);
		expect(refused.code).to.equal(5);
		await service.register('cert-strict');
		expect((await attempt([leaf], 'cert-strict')).code).to.equal(0);
	});

	it('closes connections when their authority is disabled, and lets them in again when it is enabled', async () => {
		const authority = await createAuthority('disabled one');
		const fingerprint = await trust(authority);
		const leaf = await createCertificate('cert-off', { issuer: authority });
		const device = await service.connect('cert-off', { url: service.urls.mqtts ?? '', ...asNobody, mqtt: tls([leaf]) });
		await service.operator.http.put(`${certificatesPath}/${fingerprint}`, { status: 'DISABLED' });
		await within('the connection is closed', device.closed);
		expect(logLines.join('')).to.contain("connection closed: the trusted certificate 'disabled one' is disabled");
		const refused = await attempt([leaf], 'cert-off');
		expect(refused).to.deep.equal({ code: 4, reason: "the trusted certificate 'disabled one' is disabled" });
		await service.operator.http.put(`${certificatesPath}/${fingerprint}`, { status: 'ENABLED' });
		const again = await service.connect('cert-off', { url: service.urls.mqtts ?? '', ...asNobody, mqtt: tls([leaf]) });
		await service.operator.http.delete(`${certificatesPath}/${fingerprint}`);
		await within('the connection is closed', again.closed);
	});

	it('refuses revoked certificates, and closes their connections', async () => {
		const authority = await createAuthority('revoking');
		const fingerprint = await trust(authority);
		const [good, bad] = await Promise.all(
			['cert-kept', 'cert-revoked'].map((name) => createCertificate(name, { issuer: authority })),
		);
		if (!good || !bad) throw new Error('no certificates');
		const device = await service.connect('cert-revoked', { url: service.urls.mqtts ?? '', ...asNobody, mqtt: tls([bad]) });
		await putList(fingerprint, await createRevocationList(authority, [bad.serialNumber]));
		await within('the connection is closed', device.closed);
		const refused = await attempt([bad], 'cert-revoked');
		expect(refused).to.deep.equal({ code: 4, reason: `the certificate with the serial number ${bad.serialNumber} was revoked` });
		expect((await attempt([good], 'cert-kept')).code).to.equal(0);
		await putList(fingerprint, await createRevocationList(authority, [], { from: -0.5, until: -0.1 }));
		const overdue = await attempt([good], 'cert-kept');
		expect(overdue.reason).to.match(/the revocation list of its authority should have been replaced at/);
		expect(overdue.code).to.equal(4);
	});

	async function putList(fingerprint: string, list: Buffer): Promise<void> {
		const { user, password } = service.admin;
		const answer = await fetch(`${service.urls.http}${certificatesPath}/${fingerprint}/crl`, {
			method: 'PUT',
			headers: {
				authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
				'content-type': 'application/pkix-crl',
			},
			body: new Uint8Array(list),
		});
		expect(answer.status, await answer.text()).to.equal(200);
	}

	it('prefers a password to a certificate', async () => {
		const stranger = await createCertificate('cert-pw', { issuer: await createAuthority('stranger') });
		const { user, password } = service.admin;
		expect((await attempt([stranger], 'cert-pw', { username: user, password })).code).to.equal(0);
		expect(
			(await attempt([await createCertificate('cert-pw', { issuer: root })], 'cert-pw', { username: user, password: 'wrong' }))
				.code,
		).to.equal(4);
	});

	it('closes the older connection of a device, and finds its tenant by the certificate', async () => {
		const leaf = await createCertificate('cert-twice', { issuer: root });
		const connect = () => service.connect('cert-twice', { url: service.urls.mqtts ?? '', ...asNobody, mqtt: tls([leaf]) });
		const first = await connect();
		await connect();
		await within('the older connection is closed', first.closed);
	});

	it('proves the possession of a key by the signature of a code', async () => {
		const authority = await createAuthority('proven');
		const fingerprint = await trust(authority);
		const path = `/tenant/tenants/t1/trusted-certificates-pop/${fingerprint}`;
		const { proofOfPossessionUnsignedVerificationCode: code } = await service.operator.http.post<Record<string, string>>(
			`${path}/verification-code`,
			{},
		);
		const signature = sign('sha256', Buffer.from(code ?? ''), authority.keyPem).toString('base64');
		const proven = await service.operator.http.post<{ proofOfPossessionValid: boolean }>(`${path}/pop`, {
			proofOfPossessionSignedVerificationCode: signature,
		});
		expect(proven.proofOfPossessionValid).to.equal(true);
		await eventually(
			'it stays so',
			() => service.operator.http.get<{ proofOfPossessionValid: boolean }>(`${certificatesPath}/${fingerprint}`),
			(found) => found.proofOfPossessionValid,
		);
		expect(rootFingerprint).to.match(/^[0-9a-f]{40}$/);
	});

	/** A request at the port that asks for a certificate. */
	function ask(
		chain: readonly TestCertificate[],
		method: string,
		path: string,
		headers: OutgoingHttpHeaders = {},
		agent: Agent | false = false,
	) {
		return new Promise<{ status: number | undefined; body: { accessToken?: string; message?: string; name?: string } }>(
			(resolve, reject) => {
				request(
					`${service.urls.httpsDevices}${path}`,
					{ ...(tls(chain) as RequestOptions), method, headers, agent },
					(response) => {
						response.setEncoding('utf8');
						let text = '';
						response
							.on('data', (chunk: string) => (text += chunk))
							.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) }));
					},
				)
					.on('error', reject)
					.end();
			},
		);
	}

	it('gives a token for a certificate over HTTPS, which opens HTTP for this device', async () => {
		const middle = await createAuthority('http line', { issuer: root });
		const leaf = await createCertificate('cert-http', { issuer: middle });
		const path = '/devicecontrol/deviceAccessToken';
		const { status, body } = await ask([leaf, middle], 'POST', path);
		expect(status, body.message).to.equal(200);
		const bearer = { authorization: `Bearer ${body.accessToken}` };
		expect((await ask([], 'GET', '/tenant/currentTenant', bearer)).body).to.include({ name: 't1' });
		expect((await ask([leaf, middle], 'GET', '/tenant/currentTenant')).status, 'the certificate itself').to.equal(200);
		const chain = `${leaf.pem}${middle.pem}`.replaceAll('\n', ' ');
		expect((await ask([leaf], 'POST', path)).status).to.equal(401);
		expect((await ask([leaf], 'POST', path, { 'x-ssl-cert-chain': chain })).status, 'with the chain in a header').to.equal(200);
		const again = await ask([leaf, middle], 'POST', path, bearer);
		expect([again.status, again.body.message]).to.deep.equal([
			403,
			'Only a client certificate gives a token: send none of the other credentials',
		]);
		expect((await ask([], 'POST', path)).status).to.equal(401);
	});

	it('knows the whole chain at every request of a connection that stays open', async () => {
		const middle = await createAuthority('kept line', { issuer: root });
		const leaf = await createCertificate('cert-kept-open', { issuer: middle });
		const agent = new Agent({ keepAlive: true, maxSockets: 1 });
		try {
			for (let times = 0; times < 3; times++)
				expect((await ask([leaf, middle], 'GET', '/tenant/currentTenant', {}, agent)).status).to.equal(200);
		} finally {
			agent.destroy();
		}
	});

	it('takes no certificate from a header', async () => {
		const leaf = await createCertificate('cert-header', { issuer: root });
		const stranger = await createCertificate('stranger');
		const headers = { 'x-ssl-cert-chain': leaf.pem.replaceAll('\n', ' ') };
		const path = '/devicecontrol/deviceAccessToken';
		expect((await ask([], 'POST', path, headers)).status).to.equal(401);
		expect((await ask([stranger], 'POST', path, headers)).status).to.equal(401);
		const plain = await fetch(`${service.urls.http}${path}`, { method: 'POST', headers });
		expect(plain.status).to.equal(401);
	});

	it('says in the log why a request with a certificate was refused', async () => {
		const expired = await createCertificate('cert-late', { issuer: root, from: -9, until: -1 });
		const { status, body } = await ask([expired], 'GET', '/tenant/currentTenant');
		expect([status, body.message]).to.deep.equal([
			401,
			'The client certificate does not let this device in; the log of the service says why',
		]);
		expect(logLines.join('')).to.match(/login refused: its certificate expired at/);
	});

	it('puts on record that a certificate was refused, over MQTT and HTTP', async () => {
		const unknown = await createCertificate('cert-noted', { issuer: await createAuthority('noted stranger') });
		const seen = async () => {
			const path = '/audit/auditRecords?type=UserAuthentication&pageSize=100&revert=true';
			const { auditRecords } = await service.operator.http.get<{
				auditRecords: { text: string; origin: { channel: string; call: string } }[];
			}>(path);
			return auditRecords
				.filter(({ text }) => /^Login refused: no tenant trusts the authority 'CN=noted stranger'/.test(text))
				.map(({ origin }) => `${origin.channel} ${origin.call}`)
				.sort();
		};
		await attempt([unknown], 'cert-noted');
		await ask([unknown], 'GET', '/tenant/currentTenant');
		await eventually('both are on record', seen, (found) => found.length === 2);
		expect(await seen()).to.deep.equal(['http GET /tenant/currentTenant', 'mqtt CONNECT']);
	});

	it('closes connections at another process, also when that one hears nothing, and when it missed something', async () => {
		const store = await openSharedStore();
		const deaf = deafTo(store);
		const tlsFiles = { TLS_CERT_FILE: files.certFile, TLS_KEY_FILE: files.keyFile };
		const [here, hearing, there] = await Promise.all([
			startService({}, { store }),
			startService({ MQTTS_PORT: '0', ...tlsFiles }, { store }),
			startService({ MQTTS_PORT: '0', ...tlsFiles, MQTT_DELIVERY_SWEEP_SECONDS: '1' }, { store: deaf }),
		]);
		try {
			const authority = await createAuthority('shared');
			const { fingerprint } = await here.operator.http.post<{ fingerprint: string }>(certificatesPath, {
				certInPemFormat: authority.pem,
				autoRegistrationEnabled: true,
			});
			const devices = await Promise.all(
				[hearing, there].map(async (service, index) => {
					const leaf = await createCertificate(`far-${index}`, { issuer: authority });
					return service.connect(`far-${index}`, { url: service.urls.mqtts ?? '', ...asNobody, mqtt: tls([leaf]) });
				}),
			);
			await here.operator.http.put(`${certificatesPath}/${fingerprint}`, { status: 'DISABLED' });
			for (const device of devices) await within('the connection is closed', device.closed);
		} finally {
			for (const service of [here, hearing, there]) await service.close();
			await store.close();
		}
	});
});
