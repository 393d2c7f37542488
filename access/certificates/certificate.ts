import { createHash, X509Certificate as NativeCertificate } from 'node:crypto';
import { AccessError } from '../access-error.ts';
import {
	BasicConstraintsExtension,
	ExtendedKeyUsageExtension,
	KeyUsageFlags,
	KeyUsagesExtension,
	type Name,
	X509Certificate,
} from './x509.ts';

/** What is read of an X.509 certificate: parsed by a library, its signature checked by OpenSSL. */
export interface Certificate {
	readonly der: Buffer;
	/** SHA-1 in lower-case hexadecimal digits: clients name certificates by it. Whether two are one is told by their bytes. */
	readonly fingerprint: string;
	readonly subject: string;
	readonly issuer: string;
	/** Names written in one way, to find an issuer by. */
	readonly subjectKey: string;
	readonly issuerKey: string;
	/** Hexadecimal, lower case, without zeros in front. */
	readonly serialNumber: string;
	/** The only common name of the subject. */
	readonly commonName: string | undefined;
	readonly version: number;
	readonly algorithmName: string;
	/** Milliseconds since 1970. */
	readonly notBefore: number;
	readonly notAfter: number;
	readonly isAuthority: boolean;
	/** How many authorities may be between it and a device. */
	readonly pathLength: number | undefined;
	readonly maySignCertificates: boolean;
	readonly maySignLists: boolean;
	/** Whether it is for clients of TLS, or says nothing about that. */
	readonly isForClients: boolean;
	/** What makes it unfit in itself: an old algorithm, a short key, a rule that is not understood. */
	readonly weakness: string | undefined;
	readonly native: NativeCertificate;
}

const extensions = {
	basicConstraints: '2.5.29.19',
	keyUsage: '2.5.29.15',
	extendedKeyUsage: '2.5.29.37',
	subjectNames: '2.5.29.17',
};
const understood: readonly string[] = Object.values(extensions);
const clientPurposes: readonly string[] = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];
const strongHashes: readonly string[] = ['SHA-256', 'SHA-384', 'SHA-512'];
const modernAlgorithms: readonly string[] = ['Ed25519', 'Ed448', 'EdDSA'];

/** Reads one certificate in PEM. @throws AccessError `access/invalid` */
export function parsePem(pem: string): Certificate {
	const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----/g) ?? [];
	if (blocks.length !== 1)
		throw invalid(`certInPemFormat must hold one certificate in PEM (-----BEGIN CERTIFICATE-----), found ${blocks.length}`);
	const text = blocks[0]?.replace(/-----[A-Z ]+-----/g, '') ?? '';
	return parseDer(Buffer.from(text, 'base64'));
}

/** @throws AccessError `access/invalid` */
export function parseDer(der: Buffer): Certificate {
	try {
		return read(der);
	} catch (error) {
		if (error instanceof AccessError) throw error;
		throw invalid('The certificate is damaged: it is no X.509 certificate');
	}
}

function read(der: Buffer): Certificate {
	const native = new NativeCertificate(der);
	const parsed = new X509Certificate(der);
	const constraints = parsed.getExtension(BasicConstraintsExtension);
	const usages = parsed.getExtension(KeyUsagesExtension)?.usages;
	const purposes = parsed.getExtension(ExtendedKeyUsageExtension)?.usages.map(String);
	const names = parsed.subjectName.getField('CN');
	return {
		// Not the given bytes: they may be a part of something large.
		der: Buffer.from(native.raw),
		fingerprint: createHash('sha1').update(native.raw).digest('hex'),
		subject: parsed.subject,
		issuer: parsed.issuer,
		subjectKey: keyOf(parsed.subjectName),
		issuerKey: keyOf(parsed.issuerName),
		serialNumber: normalSerial(parsed.serialNumber),
		commonName: names.length === 1 ? names[0] : undefined,
		version: parsed.extensions.length > 0 ? 3 : 1,
		algorithmName: algorithmName(parsed),
		notBefore: parsed.notBefore.getTime(),
		notAfter: parsed.notAfter.getTime(),
		isAuthority: constraints?.ca ?? false,
		pathLength: constraints?.pathLength,
		maySignCertificates: usages === undefined || (usages & KeyUsageFlags.keyCertSign) !== 0,
		maySignLists: usages === undefined || (usages & KeyUsageFlags.cRLSign) !== 0,
		isForClients: purposes === undefined || purposes.some((purpose) => clientPurposes.includes(purpose)),
		weakness: weaknessOf(parsed, native),
		native,
	};
}

function weaknessOf(parsed: X509Certificate, native: NativeCertificate): string | undefined {
	const unknown = parsed.extensions.find(({ critical, type }) => critical && !understood.includes(type));
	if (unknown) return `it has a critical extension that is not understood, ${unknown.type}`;
	const { name, hash } = signatureOf(parsed);
	if (!modernAlgorithms.includes(name) && !strongHashes.includes(hash ?? ''))
		return `it is signed with ${hash ?? name}, which is too weak`;
	const key = native.publicKey;
	const type = key.asymmetricKeyType;
	// The details of a key are dear, and only asked for where they matter: other keys have no length that is too short.
	const bits = type === 'rsa' || type === 'rsa-pss' ? (key.asymmetricKeyDetails?.modulusLength ?? 0) : undefined;
	if (bits !== undefined && bits < 2048) return `its RSA key has ${bits} bits: 2048 are the least`;
	if (type === 'dsa') return 'its key is a DSA key';
	return undefined;
}

function signatureOf(parsed: X509Certificate): { readonly name: string; readonly hash: string | undefined } {
	const { name, hash } = parsed.signatureAlgorithm as { readonly name: string; readonly hash?: { readonly name: string } };
	return { name, hash: hash?.name };
}

/** As clients know it from Cumulocity: `SHA256withRSA`. */
function algorithmName(parsed: X509Certificate): string {
	const { name, hash } = signatureOf(parsed);
	const key = name === 'ECDSA' ? 'ECDSA' : 'RSA';
	return hash === undefined ? name : `${hash.replace('-', '')}with${key}`;
}

// How a name is encoded, its case and its spaces do not make it another name. [RFC 5280, 7.1]
function keyOf(name: Name): string {
	const text = name.toString().normalize('NFKC').toLowerCase().replace(/\s+/g, ' ');
	return createHash('sha256').update(text).digest('base64url');
}

/** Hexadecimal digits of a serial number in the one way that they are compared. */
export function normalSerial(hexadecimal: string): string {
	return hexadecimal.toLowerCase().replace(/^0+(?=.)/, '');
}

/** Whether the issuer's key made its signature. What the issuer may do is another question. */
export function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
	try {
		return certificate.native.verify(issuer.native.publicKey);
	} catch {
		// A key of a kind that cannot have made it.
		return false;
	}
}

function invalid(message: string): AccessError {
	return new AccessError('access/invalid', message);
}
