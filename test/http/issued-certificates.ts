import 'reflect-metadata';
import { X509Certificate, X509Certificates, X509Crl } from '@peculiar/x509';
import { expect } from 'chai';
import type { AccessError } from '../../access/index.ts';
import { createRequest } from '../support/certificate-chain.ts';
import { certificateSettings } from '../support/certificate-settings.ts';
import { basic } from '../support/checked-http-client.ts';
import { type Caller, credentials, expectRefusal, type HttpFixture, openHttpFixture } from '../support/http-fixture.ts';
import { fileForm } from '../support/multipart.ts';

const root = '/certificate-authority/certificates';
const est = '/.well-known/est';

describe('http/issued-certificates', () => {
	let fixture: HttpFixture;
	let fingerprint: string;
	before(async () => {
		fixture = await openHttpFixture();
		fingerprint = (await fixture.call('admin', 'post', '/certificate-authority')).body.fingerprint;
		await fixture.call('otherAdmin', 'post', '/certificate-authority');
	});
	after(() => fixture.close());

	async function enrol(serial: string): Promise<X509Certificate> {
		const csv = `ID,AUTH_TYPE,ENROLLMENT_OTP\n${serial},CERTIFICATES,password-of-${serial}\n`;
		await fixture.call('admin', 'post', '/devicecontrol/bulkNewDeviceRequests', fileForm(csv));
		return ask(undefined, serial, `${est}/simpleenroll`, { Authorization: basic(`${serial}:password-of-${serial}`) });
	}

	async function ask(caller: Caller | undefined, serial: string, path: string, headers = {}): Promise<X509Certificate> {
		const text = (await createRequest(serial)).toString('base64');
		const answer = await fixture.call(caller, 'post', path, { text, type: 'application/pkcs10', headers });
		expect(answer.status).to.equal(200);
		const [made] = new X509Certificates(Buffer.from(answer.text, 'base64'));
		return new X509Certificate(made?.rawData ?? new ArrayBuffer(0));
	}

	const revoke = (serialNumber: string, caller: Caller = 'admin') =>
		fixture.call(caller, 'put', `${root}/${serialNumber}`, { body: { status: 'REVOKED' } });

	async function list(
		query = '',
	): Promise<{ readonly certificates: readonly Record<string, unknown>[]; readonly next?: string }> {
		return (await fixture.call('admin', 'get', `${root}${query}`)).body;
	}

	async function revocationList(): Promise<X509Crl> {
		const path = `/tenant/tenants/t1/trusted-certificates/${fingerprint}/crl`;
		expect((await fixture.call('admin', 'get', path)).status).to.equal(200);
		const answer = await fetch(fixture.url + path, { headers: { Authorization: basic(credentials.admin) } });
		expect(answer.headers.get('content-type')).to.equal('application/pkix-crl');
		return new X509Crl(await answer.arrayBuffer());
	}

	it('lists what was issued and renewed, the newest first, a page at a time', async () => {
		const first = await enrol('paged-1');
		fixture.time += 1000;
		const second = await ask('device', 'dev1', `${est}/simplereenroll`);
		const { certificates, next } = await list('?pageSize=1');
		expect(certificates).to.deep.equal([
			{
				serialNumber: second.serialNumber,
				deviceId: 'dev1',
				status: 'VALID',
				isRenewal: true,
				authorityFingerprint: fingerprint,
				issueTime: new Date(fixture.time).toISOString(),
				notAfter: second.notAfter.toISOString(),
				self: `${fixture.url}${root}/${second.serialNumber}`,
			},
		]);
		expect(next).to.be.a('string');
		expect((await list('?deviceId=paged-1')).certificates).to.have.length(1);
		expect((await list('?deviceId=paged-1')).certificates[0]).to.include({ serialNumber: first.serialNumber, isRenewal: false });
		expect((await fixture.call('otherAdmin', 'get', root)).body.certificates).to.deep.equal([]);
		expect((await fixture.call('otherAdmin', 'get', `${root}/${first.serialNumber}`)).status).to.equal(404);
	});

	it('takes one back by its number, however it is written, for good', async () => {
		const [taken, left] = [await enrol('taken'), await enrol('left')];
		const { certificates } = fixture.services.access;
		const logIn = ({ rawData }: X509Certificate) => certificates.logIn([Buffer.from(rawData)]);
		expectRefusal(await revoke('00abc'), 404, /has signed no certificate with the serial number 00abc \(hexadecimal\)/);
		expectRefusal(await revoke(taken.serialNumber, 'otherAdmin'), 404, /authority of tenant 't2' has signed no certificate/);
		expect((await logIn(taken)).ok).to.equal(true);
		fixture.time += 1000;
		const { status, body } = await revoke(`00${taken.serialNumber.toUpperCase()}`);
		const revocationTime = new Date(fixture.time).toISOString();
		expect([status, body.status, body.revocationTime]).to.deep.equal([200, 'REVOKED', revocationTime]);
		expect(await logIn(taken)).to.deep.equal({
			ok: false,
			reason: 'rejected',
			message: `the certificate with the serial number ${taken.serialNumber} was revoked at ${revocationTime}`,
		});
		expect((await logIn(left)).ok).to.equal(true);
		fixture.time += 1000;
		expect((await revoke(taken.serialNumber)).body.revocationTime).to.equal(revocationTime);
		expect((await list('?status=REVOKED')).certificates.map(({ deviceId }) => deviceId)).to.deep.equal(['taken']);
		for (const text of ['VALID', 'GONE', ''])
			expect((await fixture.call('admin', 'put', `${root}/${left.serialNumber}`, { body: { status: text } })).status).to.equal(
				422,
			);
	});

	it('publishes what was taken back as a list that the authority has signed, while it matters', async () => {
		const taken = await enrol('published');
		await revoke(taken.serialNumber);
		const listed = await revocationList();
		const authority = new X509Certificate(
			(await fixture.call('admin', 'get', `/tenant/tenants/t1/trusted-certificates/${fingerprint}`)).body.certInPemFormat,
		);
		expect(await listed.verify({ publicKey: authority.publicKey })).to.equal(true);
		expect(listed.issuer).to.equal(authority.subject);
		expect(listed.entries.map(({ serialNumber }) => serialNumber)).to.include(taken.serialNumber);
		expect(listed.nextUpdate?.getTime()).to.be.greaterThan(fixture.time);
		const path = `/tenant/tenants/t1/trusted-certificates/${fingerprint}/crl`;
		const upload = await fixture.call('admin', 'put', path, { text: Buffer.from(listed.rawData), type: 'application/pkix-crl' });
		expectRefusal(upload, 422, /The service itself keeps the list of this authority/);
		fixture.time = taken.notAfter.getTime() + 1000;
		expect((await revocationList()).entries.map(({ serialNumber }) => serialNumber)).not.to.include(taken.serialNumber);
	});

	it('gives a device so many that are good and no more, and keeps as many that have expired', async () => {
		const signed = [await enrol('eager')];
		const { certificates } = fixture.services.access;
		const renew = async () => {
			fixture.time += 1000;
			return certificates.renewFor('t1', 'eager', await createRequest('eager'));
		};
		const { maxPerDevice } = certificateSettings;
		const outcomes = await Promise.allSettled(Array.from({ length: 8 }, renew));
		expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(maxPerDevice - 1);
		const refused = await renew().catch(({ code, message }: AccessError) => ({ code, message }));
		expect(refused).to.include({ code: 'access/conflict' });
		expect(refused)
			.to.have.property('message')
			.that.matches(/^Device 'eager' has 3 certificates that are good, and at most 3 are allowed \(DEVICE_CERTIFICATES_MAX\)/);
		await revoke(signed[0]?.serialNumber ?? '');
		await renew();
		expect((await list('?deviceId=eager&pageSize=50')).certificates).to.have.length(maxPerDevice + 1);
		// Nobody else is concerned.
		await enrol('modest');
		fixture.time += 11 * 86_400_000;
		await renew();
		const kept = (await list('?deviceId=eager&pageSize=50')).certificates;
		expect(kept).to.have.length(maxPerDevice + 1);
		expect(kept.map(({ serialNumber }) => serialNumber)).not.to.include(signed[0]?.serialNumber);
	});

	it('has each issue, renewal and revocation on record, with who did it', async () => {
		const { serialNumber } = await enrol('recorded');
		await revoke(serialNumber);
		const { body } = await fixture.call('admin', 'get', `/audit/auditRecords?source=${serialNumber}&pageSize=50`);
		const records: readonly { activity: string; user: string; text: string }[] = body.auditRecords;
		expect(records.map(({ activity }) => activity)).to.have.members(['Device certificate created', 'Device certificate changed']);
		expect(records.find(({ activity }) => activity.endsWith('changed'))?.user).to.equal('admin');
		for (const { text } of records) expect(text).to.contain('recorded');
	});

	it('gives nothing, and records nothing, where somebody else was faster with the one-time password', async () => {
		const csv = 'ID,AUTH_TYPE,ENROLLMENT_OTP\nraced,CERTIFICATES,password-of-raced\n';
		await fixture.call('admin', 'post', '/devicecontrol/bulkNewDeviceRequests', fileForm(csv));
		const text = (await createRequest('raced')).toString('base64');
		const headers = { Authorization: basic('raced:password-of-raced') };
		const once = () => fixture.call(undefined, 'post', `${est}/simpleenroll`, { text, type: 'application/pkcs10', headers });
		const answers = await Promise.all([once(), once(), once()]);
		expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 401, 401]);
		expect((await list('?deviceId=raced')).certificates).to.have.length(1);
	});
});
