import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, createCertificate } from '../../test/support/certificate-chain.ts';
import { mapSome } from '../load/mqtt-client.ts';
import { callService, serials } from '../service-http.ts';
import { authorization, startService, type TlsFiles } from '../targets.ts';

/** A device with both kinds of credentials: what the load process reads of it. */
export interface FleetDevice {
	readonly serial: string;
	readonly password: string;
	/** PEM. */
	readonly certificate: string;
	readonly key: string;
}

/** Devices, and a database in which they are registered. */
export interface Fleet {
	readonly dataDirectory: string;
	/** JSON of all `FleetDevice`s. */
	readonly file: string;
	readonly devices: number;
	readonly tls: TlsFiles;
	/** Of the authority that signed the certificate of the server and those of the devices. */
	readonly caFile: string;
}

const linesOfOneFile = 250;
const filesAtOnce = 4;

/** Makes the credentials, has a service register the devices by them, and stops it: whoever starts it next has verified nothing yet. */
export async function prepareFleet(directory: string, devices: number): Promise<Fleet> {
	const folder = join(directory, `fleet-${devices}`);
	mkdirSync(folder);
	const write = (name: string, text: string): string => {
		const file = join(folder, name);
		writeFileSync(file, text, { mode: 0o600 });
		return file;
	};
	const authority = await createAuthority('authority of the benchmark');
	const server = await createCertificate('localhost', { issuer: authority });
	const fleet: FleetDevice[] = [];
	for (const serial of serials(devices)) {
		const { pem, keyPem } = await createCertificate(serial, { issuer: authority });
		fleet.push({ serial, password: randomBytes(18).toString('base64url'), certificate: pem, key: keyPem });
	}
	const dataDirectory = join(folder, 'data');
	await register(dataDirectory, fleet, authority.pem);
	return {
		dataDirectory,
		devices,
		file: write('fleet.json', JSON.stringify(fleet)),
		caFile: write('ca.pem', authority.pem),
		tls: { certFile: write('server.pem', server.pem), keyFile: write('server.key', server.keyPem) },
	};
}

async function register(dataDirectory: string, fleet: readonly FleetDevice[], certInPemFormat: string): Promise<void> {
	const server = await startService(dataDirectory);
	try {
		const { http } = server.ports;
		const trusted = { certInPemFormat, name: 'benchmark', status: 'ENABLED', autoRegistrationEnabled: false };
		await callService(http, 'POST', '/tenant/tenants/t1/trusted-certificates', trusted);
		const starts = Array.from({ length: Math.ceil(fleet.length / linesOfOneFile) }, (_, index) => index * linesOfOneFile);
		await mapSome(starts, filesAtOnce, (start) => registerSome(http, fleet.slice(start, start + linesOfOneFile)));
	} finally {
		await server.stop();
	}
}

async function registerSome(port: number, devices: readonly FleetDevice[]): Promise<void> {
	const csv = ['ID,AUTH_TYPE,CREDENTIALS', ...devices.map(({ serial, password }) => `${serial},BASIC,${password}`)].join('\n');
	const body = new FormData();
	body.set('file', new Blob([csv], { type: 'text/csv' }), 'devices.csv');
	const url = `http://127.0.0.1:${port}/devicecontrol/bulkNewDeviceRequests`;
	const answer = await fetch(url, { method: 'POST', headers: { authorization }, body });
	const { numberOfCreated }: { numberOfCreated?: number } = JSON.parse(await answer.text());
	if (numberOfCreated !== devices.length)
		throw new Error(`${numberOfCreated} of ${devices.length} devices were registered (${answer.status})`);
}
