import { once } from 'node:events';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:tls';
import { expect } from 'chai';
import { createCertificate, writeFiles } from '../support/certificate-chain.ts';
import { type CertificateFiles, createCertificateFiles } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { useServiceProcess } from '../support/service-process.ts';

/** The serial number of the certificate that a server shows. */
async function shownBy(url: string | undefined): Promise<string> {
	const { hostname, port } = new URL(url ?? '');
	const socket = connect({ host: hostname, port: Number(port), servername: 'localhost', rejectUnauthorized: false });
	await once(socket, 'secureConnect');
	const { serialNumber } = socket.getPeerCertificate();
	socket.destroy();
	return serialNumber.toLowerCase();
}

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

describe('journeys/tls certificates of the server', () => {
	const logLines: string[] = [];
	const messages = () => logLines.map((line) => JSON.parse(line) as { msg: string; reason?: string });
	let files: ReturnType<typeof writeFiles<'cert' | 'key'>>;
	let service: ServiceUnderTest;
	let inUse: string;
	before(async () => {
		const first = await createCertificate('localhost', { until: 20 });
		inUse = first.serialNumber;
		files = writeFiles({ cert: first.pem, key: first.keyPem });
		const { cert, key } = files.paths;
		const ports = { HTTPS_PORT: '0', HTTPS_DEVICES_PORT: '0', MQTTS_PORT: '0' };
		service = await startService({ ...ports, TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_RELOAD_SECONDS: '1' }, { logLines });
	});
	after(async () => {
		await service?.close();
		files?.remove();
	});

	const shown = () => Promise.all([service.urls.https, service.urls.httpsDevices, service.urls.mqtts].map(shownBy));
	const everywhere = (serial: string) => [serial, serial, serial];
	const daysLeft = async () => {
		const text = await (await fetch(`${service.urls.http}/metrics`)).text();
		const [, value] = /^tls_certificate_expiry_timestamp_seconds (\S+)$/m.exec(text) ?? [];
		return Math.round((Number(value) - Date.now() / 1000) / 86_400);
	};

	it('are taken up by all listeners when their files change, while connections stay', async () => {
		expect(await shown()).to.deep.equal(everywhere(inUse));
		expect(await daysLeft()).to.equal(20);
		const device = await service.connect('stays', { url: service.urls.mqtts ?? '', mqtt: { rejectUnauthorized: false } });
		const next = await createCertificate('localhost', { until: 60 });
		writeFileSync(files.paths.cert, next.pem);
		writeFileSync(files.paths.key, next.keyPem);
		await eventually('the new one is shown', shown, (found) => found.every((serial) => serial === next.serialNumber));
		inUse = next.serialNumber;
		expect(await daysLeft()).to.equal(60);
		expect(messages().map(({ msg }) => msg)).to.include('the server certificate was taken up anew');
		await device.send('110,still here');
		await service.connect('comes', { url: service.urls.mqtts ?? '', mqtt: { rejectUnauthorized: false } });
	});

	it('stay in use when new ones are broken, do not belong together or are gone, which the log says once', async () => {
		const next = await createCertificate('localhost');
		const faults = () =>
			messages()
				.filter(({ msg }) => msg.startsWith('the new server certificate cannot be used'))
				.map(({ reason }) => reason);
		for (const [spoil, reason] of [
			[() => appendFileSync(files.paths.cert, '-----BEGIN CERTIFICATE-----\nMIGH\n'), /no certificate with its key in PEM/],
			[() => writeFileSync(files.paths.cert, next.pem), /key values mismatch/],
			[() => rmSync(files.paths.key), /TLS_KEY_FILE: the file '.*' cannot be read/],
		] as const) {
			const before = faults().length;
			spoil();
			for (let times = 0; times < 3; times++) await service.reload();
			expect(faults().slice(before)).to.have.length(1);
			expect(faults().at(-1)).to.match(reason);
			expect(await shown()).to.deep.equal(everywhere(inUse));
		}
		writeFileSync(files.paths.key, next.keyPem);
		await service.reload();
		expect(await shown()).to.deep.equal(everywhere(next.serialNumber));
		expect(logLines.join('')).to.not.contain('PRIVATE KEY');
	});
});

describe('journeys/tls at SIGHUP', function () {
	this.timeout(60_000);
	const { folder, start } = useServiceProcess();

	it('takes up a new certificate at once', async () => {
		const [first, next] = [await createCertificate('localhost'), await createCertificate('localhost')];
		const files = writeFiles({ cert: first.pem, key: first.keyPem });
		try {
			const { cert, key } = files.paths;
			const { output, pid } = await start({
				DATA_DIR: folder(),
				HTTPS_PORT: '0',
				TLS_CERT_FILE: cert,
				TLS_KEY_FILE: key,
				TLS_RELOAD_SECONDS: '86400',
			});
			const url = /https:\/\/127.0.0.1:\d+/.exec(output.join('\n'))?.[0];
			expect(await shownBy(url)).to.equal(first.serialNumber);
			writeFileSync(cert, next.pem);
			writeFileSync(key, next.keyPem);
			process.kill(pid, 'SIGHUP');
			await eventually(
				'the new one is shown',
				() => shownBy(url),
				(serial) => serial === next.serialNumber,
			);
		} finally {
			files.remove();
		}
	});
});
