import { sign } from 'node:crypto';
import { expect } from 'chai';
import { createAuthority, createCertificate, createRevocationList, type TestCertificate } from '../support/certificate-chain.ts';
import { expectRefusal, type HttpFixture, openHttpFixture } from '../support/http-fixture.ts';

const root = '/tenant/tenants/t1/trusted-certificates';
const popRoot = '/tenant/tenants/t1/trusted-certificates-pop';
const unknown = '0123456789abcdef0123456789abcdef01234567';

describe('http/trusted-certificates', () => {
	let fixture: HttpFixture;
	const make = (name: string, wanted: object = {}) => createAuthority(name, { now: fixture.time, ...wanted });
	before(async () => {
		fixture = await openHttpFixture();
	});
	after(() => fixture.close());

	const post = (certificate: TestCertificate, more: object = {}) =>
		fixture.call('admin', 'post', root, {
			body: {
				name: certificate.name,
				certInPemFormat: certificate.pem,
				autoRegistrationEnabled: true,
				status: 'ENABLED',
				...more,
			},
		});
	const add = async (certificate: TestCertificate): Promise<string> => (await post(certificate)).body.fingerprint;

	it('trusts a certificate, says what is in it, and does so once', async () => {
		const authority = await make('one', { serialNumber: '00ff', subject: 'CN=one, O=Factory' });
		const { status, body } = await post(authority);
		expect(status).to.equal(201);
		expect(body).to.include({
			name: 'one',
			status: 'ENABLED',
			autoRegistrationEnabled: true,
			algorithmName: 'SHA256withECDSA',
			subject: 'CN=one, O=Factory',
			issuer: 'CN=one, O=Factory',
			serialNumber: '255',
			version: 3,
			proofOfPossessionValid: false,
			tenantCertificateAuthority: false,
		});
		expect(body.fingerprint).to.match(/^[0-9a-f]{40}$/);
		expect(body.self).to.equal(`${fixture.url}${root}/${body.fingerprint}`);
		expect(body.certInPemFormat.replaceAll('\n', '')).to.equal(authority.pem.replaceAll('\n', ''));
		expectRefusal(await post(authority), 409, /is trusted already/);
		expect((await fixture.call('admin', 'get', `${root}/${body.fingerprint}`)).body).to.deep.equal(body);
		expect((await fixture.call('admin', 'get', `${root}/${body.fingerprint.toUpperCase()}`)).status).to.equal(200);
		const elsewhere = await fixture.call('otherAdmin', 'post', root.replace('t1', 't2'), {
			body: { certInPemFormat: authority.pem },
		});
		expect(elsewhere.status, 'another tenant may trust it, too').to.equal(201);
	});

	it('lists, pages and counts', async () => {
		await add(await make('listed'));
		const { body } = await fixture.call('admin', 'get', `${root}?pageSize=1&withTotalElements=true`);
		expect(body.certificates).to.have.length(1);
		expect(body.next).to.be.a('string');
		expect(body.statistics.totalElements).to.be.at.least(2);
		const own = await fixture.call('admin', 'get', `${root}?certificateAuthority=true`);
		expect(own.body.certificates).to.deep.equal([]);
	});

	it('takes several at once, all or none', async () => {
		const [first, second] = [await make('bulk 1'), await make('bulk 2')];
		const bulk = (certificates: readonly TestCertificate[]) =>
			fixture.call('admin', 'post', `${root}/bulk`, {
				body: { certificates: certificates.map(({ pem }) => ({ certInPemFormat: pem })) },
			});
		expect((await bulk([first])).status).to.equal(201);
		expectRefusal(await bulk([second, first]), 409, /is trusted already/);
		expect((await bulk([second])).body.certificates).to.have.length(1);
	});

	it('changes what may be changed, and ignores the rest', async () => {
		const authority = await make('changed');
		const fingerprint = await add(authority);
		const body = { name: 'new name', status: 'DISABLED', autoRegistrationEnabled: false, subject: 'CN=other', fingerprint: 'x' };
		const changed = await fixture.call('admin', 'put', `${root}/${fingerprint}`, { body });
		expect(changed.body).to.include({
			name: 'new name',
			status: 'DISABLED',
			autoRegistrationEnabled: false,
			subject: 'CN=changed',
			fingerprint,
		});
	});

	it('removes one, with its revocation list', async () => {
		const authority = await make('removed');
		const fingerprint = await add(authority);
		const list = await createRevocationList(authority, ['1'], { now: fixture.time });
		expect((await putList(fingerprint, list)).status).to.equal(200);
		expect((await fixture.call('admin', 'delete', `${root}/${fingerprint}`)).status).to.equal(204);
		expect((await fixture.call('admin', 'delete', `${root}/${fingerprint}`)).status).to.equal(404);
		await add(authority);
		expect((await fixture.call('admin', 'get', `${root}/${fingerprint}/crl`)).status).to.equal(404);
	});

	it('answers 404 for what is not there', async () => {
		for (const [method, path, body] of [
			['get', `${root}/${unknown}`],
			['put', `${root}/${unknown}`, {}],
			['delete', `${root}/${unknown}`],
			['get', `${root}/${unknown}/crl`],
			['post', `${popRoot}/${unknown}/verification-code`],
			['post', `${popRoot}/${unknown}/pop`, { proofOfPossessionSignedVerificationCode: 'x' }],
			['get', `${root}/..%2Ft2%2F${unknown}`],
		] as const)
			expectRefusal(await fixture.call('admin', method, path, body === undefined ? {} : { body }), 404, /No trusted certificate/);
	});

	it('refuses what is no certificate, or one that can vouch for nobody', async () => {
		const key = '-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n';
		const [one, two, expired, weak, short] = [
			await make('p1'),
			await make('p2'),
			await make('expired', { from: -9, until: -1 }),
			await make('weak', { hash: 'SHA-1' }),
			await make('short', {
				key: { name: 'RSASSA-PKCS1-v1_5', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
			}),
		];
		for (const [pem, message] of [
			['', /certInPemFormat must hold one certificate in PEM .* found 0/],
			[key, /found 0/],
			[one.pem + two.pem, /found 2/],
			['-----BEGIN CERTIFICATE-----\nMIGH\n-----END CERTIFICATE-----\n', /The certificate is damaged/],
			[one.pem.replace(/.{20}\n-----END/, '\n-----END'), /The certificate is damaged/],
			[expired.pem, /The certificate expired at 2026-11-20T/],
			[weak.pem, /signed with SHA-1, which is too weak/],
			[short.pem, /its RSA key has 1024 bits: 2048 are the least/],
		] as const)
			expectRefusal(await fixture.call('admin', 'post', root, { body: { certInPemFormat: pem } }), 422, message);
		for (const [body, message] of [
			[{}, /certInPemFormat must be text, found nothing/],
			[{ certInPemFormat: one.pem, status: 'ON' }, /status/],
			[{ certInPemFormat: one.pem, name: '' }, /name is empty/],
			[{ certInPemFormat: one.pem, autoRegistrationEnabled: 'yes' }, /autoRegistrationEnabled/],
			[{ certInPemFormat: 'x'.repeat(70_000) }, /certInPemFormat/],
		] as const)
			expectRefusal(await fixture.call('admin', 'post', root, { body }), 422, message);
	});

	it('trusts so many certificates and no more', async () => {
		const { totalElements } = (await fixture.call('admin', 'get', `${root}?withTotalElements=true`)).body.statistics;
		const more = await Promise.all(Array.from({ length: 50 - totalElements }, (_, index) => make(`more ${index}`)));
		const fingerprints: string[] = [];
		for (const each of more) fingerprints.push(await add(each));
		expectRefusal(await post(await make('too many')), 422, /A tenant may trust 50 certificates/);
		for (const each of fingerprints) await fixture.services.access.certificates.trusted.remove('t1', each);
	});

	for (const key of [
		{ name: 'ECDSA', namedCurve: 'P-384' },
		{ name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
	]) {
		it(`takes a signed verification code as proof of possession (${key.name})`, async () => {
			const authority = await make(`proven ${key.name}`, { key });
			const fingerprint = await add(authority);
			const prove = (signature: string) =>
				fixture.call('admin', 'post', `${popRoot}/${fingerprint}/pop`, {
					body: { proofOfPossessionSignedVerificationCode: signature },
				});
			const { body } = await fixture.call('admin', 'get', `${root}/${fingerprint}`);
			const signed = (code: string) => sign('sha256', Buffer.from(code), authority.keyPem).toString('base64');
			expectRefusal(await prove('AAAA'), 422, /The signature is not one of this certificate’s key/);
			expectRefusal(await prove(signed('another code')), 422, /The signature is not/);
			fixture.time += 3_600_000;
			expectRefusal(await prove(signed(body.proofOfPossessionUnsignedVerificationCode)), 422, /can no longer be used/);
			const renewed = (await fixture.call('admin', 'post', `${popRoot}/${fingerprint}/verification-code`)).body;
			expect(renewed.proofOfPossessionUnsignedVerificationCode).to.not.equal(body.proofOfPossessionUnsignedVerificationCode);
			const proven = await prove(signed(renewed.proofOfPossessionUnsignedVerificationCode));
			expect(proven.status).to.equal(200);
			expect(proven.body.proofOfPossessionValid).to.equal(true);
			expect(proven.body).to.not.have.property('proofOfPossessionUnsignedVerificationCode');
			expectRefusal(await prove(signed(renewed.proofOfPossessionUnsignedVerificationCode)), 422, /can no longer be used/);
		});
	}

	const putList = (fingerprint: string, bytes: Buffer | string) =>
		fixture.call('admin', 'put', `${root}/${fingerprint}/crl`, {
			text: bytes,
			headers: { 'content-type': 'application/pkix-crl' },
		});

	it('keeps the newest revocation list of an authority, in DER or PEM', async () => {
		const authority = await make('listing');
		const fingerprint = await add(authority);
		const list = (serials: readonly string[], from: number) =>
			createRevocationList(authority, serials, { now: fixture.time, from });
		const newest = await list(['0a', '0b'], -1);
		const answer = await putList(fingerprint, newest);
		expect([answer.status, answer.body.entries]).to.deep.equal([200, 2]);
		const pem = `-----BEGIN X509 CRL-----\n${newest.toString('base64')}\n-----END X509 CRL-----\n`;
		expect((await putList(fingerprint, pem)).status).to.equal(200);
		expectRefusal(await putList(fingerprint, await list([], -2)), 422, /before the one that is there/);
		const read = await fixture.call('admin', 'get', `${root}/${fingerprint}/crl`);
		expect(read.headers['content-type']).to.equal('application/pkix-crl');
	});

	it('refuses lists that are none, of others, or too large', async () => {
		const authority = await make('strict');
		const fingerprint = await add(authority);
		const stranger = await createRevocationList(await make('strict'), ['1'], { now: fixture.time });
		expectRefusal(await putList(fingerprint, 'nonsense'), 422, /must be a certificate revocation list/);
		expectRefusal(await putList(fingerprint, stranger), 422, /not with the key of this certificate/);
		expectRefusal(await putList(fingerprint, 'x'.repeat(100_001)), 413, /at most 100000 bytes/);
		const noLists = await make('no lists', { keyUsage: 4 });
		const own = await createRevocationList(noLists, [], { now: fixture.time });
		expectRefusal(await putList(await add(noLists), own), 422, /may not sign revocation lists/);
		const leaf = await createCertificate('leaf', { now: fixture.time });
		expect((await post(leaf)).status).to.equal(201);
	});
});
