import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export interface CertificateFiles {
	/** PEM, and the file that holds it. */
	readonly ca: string;
	readonly caFile: string;
	readonly certFile: string;
	readonly keyFile: string;
	remove(): void;
}

/** A certificate for `localhost` with the authority that signed it, in a temporary folder; real clients refuse one that signed itself. */
export async function createCertificateFiles(): Promise<CertificateFiles> {
	const validity = { keyType: 'ec', algorithm: 'sha256', notBeforeDate: new Date(Date.now() - 3_600_000) } as const;
	const ca = await generate([{ name: 'commonName', value: 'authority of tests' }], {
		...validity,
		extensions: [
			{ name: 'basicConstraints', cA: true, critical: true },
			{ name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
		],
	});
	const server = await generate([{ name: 'commonName', value: 'localhost' }], {
		...validity,
		ca: { key: ca.private, cert: ca.cert },
	});
	const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
	const write = (name: string, text: string): string => {
		const path = join(folder, name);
		writeFileSync(path, text, { mode: 0o600 });
		return path;
	};
	return {
		ca: ca.cert,
		caFile: write('ca.pem', ca.cert),
		certFile: write('server.pem', server.cert),
		keyFile: write('server.key', server.private),
		remove: () => rmSync(folder, { recursive: true, force: true }),
	};
}
