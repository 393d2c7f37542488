import { request } from 'node:https';
import { expect } from 'chai';
import { type CertificateFiles, createCertificateFiles } from '../support/certificates.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';

describe('journeys/tls', () => {
	let certificates: CertificateFiles;
	let service: ServiceUnderTest;
	before(async () => {
		certificates = await createCertificateFiles();
		const { certFile, keyFile } = certificates;
		service = await startService({ HTTPS_PORT: '0', MQTTS_PORT: '0', TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile });
	});
	after(async () => {
		await service.close();
		certificates.remove();
	});

	it('speaks MQTT over TLS', async () => {
		const device = await service.connect('secure-1', { url: service.urls.mqtts ?? '', mqtt: { ca: certificates.ca } });
		await device.send('110,a');
		expect(await service.operator.objectOf('secure-1')).to.deep.include({ c8y_Hardware: { serialNumber: 'a' } });
	});

	it('speaks MQTT over WebSocket over TLS', async () => {
		const url = `${service.urls.https?.replace('https', 'wss')}/mqtt`;
		const device = await service.connect('secure-2', { url, mqtt: { ca: certificates.ca } });
		await device.send('110,a');
		expect(await service.operator.findId('secure-2')).to.be.a('string');
	});

	it('answers HTTPS, with links that begin with https', async () => {
		const { user, password } = service.admin;
		const body = await new Promise<string>((resolve, reject) => {
			const url = `${service.urls.https}/inventory/managedObjects`;
			request(url, { ca: certificates.ca, auth: `${user}:${password}` }, (response) => {
				response.setEncoding('utf8');
				let text = '';
				response.on('data', (chunk: string) => (text += chunk)).on('end', () => resolve(text));
			})
				.on('error', reject)
				.end();
		});
		expect(JSON.parse(body).self).to.match(/^https:\/\/localhost:/);
	});

	it('names in a token the host by which the device knows the service', async () => {
		const device = await service.connect('secure-3', { url: service.urls.mqtts ?? '', mqtt: { ca: certificates.ca } });
		await device.send('', 's/uat');
		const claims = (await device.nextLine('s/dat')).split('.')[1] ?? '';
		expect(JSON.parse(Buffer.from(claims, 'base64url').toString()).iss).to.equal('localhost');
	});

	it('is not trusted by a client that does not know its authority, and survives one that speaks no TLS', async () => {
		const stranger = await service.connect('secure-4', { url: service.urls.mqtts ?? '' }).catch((error: unknown) => error);
		expect(stranger).to.be.an('error');
		const plain = await service
			.connect('secure-5', { url: service.urls.mqtts?.replace('mqtts', 'mqtt') ?? '' })
			.catch((e: unknown) => e);
		expect(plain).to.be.an('error');
		const device = await service.connect('secure-6', { url: service.urls.mqtts ?? '', mqtt: { ca: certificates.ca } });
		await device.send('110,a');
	});
});
