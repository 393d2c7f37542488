import { webcrypto } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import {
	BasicConstraintsExtension,
	ExtendedKeyUsageExtension,
	type Extension,
	KeyUsageFlags,
	KeyUsagesExtension,
	Pkcs10CertificateRequestGenerator,
	X509CertificateGenerator,
	X509CrlGenerator,
} from '@peculiar/x509';

type Algorithm = Parameters<typeof webcrypto.subtle.generateKey>[0];

/** What a test wants of a certificate; the rest is as it should be. Times in days from `now`. */
export interface Wanted {
	readonly issuer?: TestCertificate;
	readonly isAuthority?: boolean;
	readonly pathLength?: number;
	/** Bits; `false` leaves the extension out. */
	readonly keyUsage?: number | false;
	readonly purposes?: readonly string[];
	readonly from?: number;
	readonly until?: number;
	readonly key?: Algorithm;
	/** Its key, where it is not a new one. */
	readonly keys?: webcrypto.CryptoKeyPair;
	readonly hash?: string;
	readonly serialNumber?: string;
	readonly extensions?: readonly Extension[];
	/** Of the subject, in place of one common name. */
	readonly subject?: string;
	readonly now?: number;
}

export interface TestCertificate {
	readonly name: string;
	readonly der: Buffer;
	readonly pem: string;
	readonly serialNumber: string;
	/** PKCS #8 in PEM. */
	readonly keyPem: string;
	readonly keys: webcrypto.CryptoKeyPair;
	readonly subject: string;
}

const day = 86_400_000;
const p256 = { name: 'ECDSA', namedCurve: 'P-256' };
let serial = 0x1000;

/** A certificate for tests: a device's unless told otherwise, which signs itself unless there is an issuer. */
export async function createCertificate(name: string, wanted: Wanted = {}): Promise<TestCertificate> {
	const { issuer, isAuthority = false, key = p256, now = Date.now(), hash = 'SHA-256' } = wanted;
	const keys = wanted.keys ?? ((await webcrypto.subtle.generateKey(key, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair);
	const usage =
		wanted.keyUsage ?? (isAuthority ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature);
	const serialNumber = wanted.serialNumber ?? (serial++).toString(16);
	const subject = wanted.subject ?? `CN=${name}`;
	const signer = issuer ?? { keys, subject };
	const certificate = await X509CertificateGenerator.create({
		serialNumber,
		subject,
		issuer: signer.subject,
		notBefore: new Date(now + (wanted.from ?? -1) * day),
		notAfter: new Date(now + (wanted.until ?? 30) * day),
		publicKey: keys.publicKey,
		signingKey: signer.keys.privateKey,
		signingAlgorithm: { ...(signer.keys.privateKey.algorithm as object), name: signer.keys.privateKey.algorithm.name, hash },
		extensions: [
			new BasicConstraintsExtension(isAuthority, wanted.pathLength, true),
			...(usage === false ? [] : [new KeyUsagesExtension(usage, true)]),
			...(wanted.purposes ? [new ExtendedKeyUsageExtension([...wanted.purposes])] : []),
			...(wanted.extensions ?? []),
		],
	});
	return {
		name,
		der: Buffer.from(certificate.rawData),
		pem: `${certificate.toString('pem')}\n`,
		serialNumber,
		keyPem: pemOf('PRIVATE KEY', Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))),
		keys,
		subject,
	};
}

export function createAuthority(name: string, wanted: Wanted = {}): Promise<TestCertificate> {
	return createCertificate(name, { isAuthority: true, ...wanted });
}

/** A revocation list in DER. */
export async function createRevocationList(
	issuer: TestCertificate,
	serialNumbers: readonly string[],
	{ from = -1, until = 30, now = Date.now() }: Pick<Wanted, 'from' | 'until' | 'now'> = {},
): Promise<Buffer> {
	const list = await X509CrlGenerator.create({
		issuer: issuer.subject,
		thisUpdate: new Date(now + from * day),
		nextUpdate: new Date(now + until * day),
		entries: serialNumbers.map((serialNumber) => ({ serialNumber, revocationDate: new Date(now + from * day) })),
		signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
		signingKey: issuer.keys.privateKey,
	});
	return Buffer.from(list.rawData);
}

/** A request for a certificate, in DER. */
export async function createRequest(name: string, keys?: webcrypto.CryptoKeyPair): Promise<Buffer> {
	const own = keys ?? ((await webcrypto.subtle.generateKey(p256, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair);
	const request = await Pkcs10CertificateRequestGenerator.create({
		name: `CN=${name}`,
		keys: own,
		signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
	});
	return Buffer.from(request.rawData);
}

/** Writes texts into a temporary folder; the paths by name. */
export function writeFiles<N extends string>(texts: Readonly<Record<N, string>>) {
	const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
	const paths = Object.fromEntries(Object.keys(texts).map((name) => [name, join(folder, name)])) as Record<N, string>;
	for (const name of Object.keys(texts) as N[]) writeFileSync(paths[name], texts[name], { mode: 0o600 });
	return { folder, paths, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export function pemOf(tag: string, der: Buffer): string {
	const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
	return [`-----BEGIN ${tag}-----`, ...lines, `-----END ${tag}-----`, ''].join('\n');
}
