import { createPrivateKey, KeyObject, randomBytes, webcrypto } from 'node:crypto';
import type { CollectionSpec, DocumentStore, Step } from '../../store/index.ts';
import { AccessError } from '../access-error.ts';
import { type Certificate, normalSerial, parseDer } from './certificate.ts';
import type { IssuedCertificates } from './issued-certificates.ts';
import type { TrustedCertificate, TrustedCertificates } from './trusted-certificates.ts';
import {
	AuthorityKeyIdentifierExtension,
	BasicConstraintsExtension,
	ExtendedKeyUsage,
	ExtendedKeyUsageExtension,
	type Extension,
	KeyUsageFlags,
	KeyUsagesExtension,
	Pkcs10CertificateRequest,
	type PublicKeyType,
	SubjectKeyIdentifierExtension,
	X509Certificate,
	X509CertificateGenerator,
	X509Certificates,
	X509CrlGenerator,
} from './x509.ts';

/** The authority of a tenant of which the service has the key. */
export interface CertificateAuthority {
	/** The tenant. */
	readonly _id: string;
	readonly fingerprint: string;
	/** The certificate in base64. */
	readonly der: string;
	/** PKCS #8 in PEM, encrypted with the secret of the configuration, which is not in the store. */
	readonly encryptedKey: string;
}

export const certificateAuthoritySpec: CollectionSpec<CertificateAuthority> = { name: 'certificateAuthorities', indexes: [] };

export interface AuthoritySettings {
	/** Encrypts the keys of authorities; without it there are none. */
	readonly secret: string | undefined;
	readonly authorityDays: number;
	readonly deviceDays: number;
}

/** A certificate in PKCS #7, and the steps that put on record that it was made. */
export interface SignedCertificate {
	readonly pkcs7: Buffer;
	readonly steps: readonly Step[];
}

export type CertificateAuthorities = Awaited<ReturnType<typeof openCertificateAuthorities>>;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
const signingAlgorithm = { ...algorithm, hash: 'SHA-256' };
const day = 86_400_000;
/** Clocks of devices may be behind. */
const leeway = 3_600_000;

/** Certificates of devices that the service itself signs, by an authority for each tenant that wants one. */
export async function openCertificateAuthorities(options: {
	readonly store: DocumentStore;
	readonly trusted: TrustedCertificates;
	readonly issued: IssuedCertificates;
	readonly clock: () => number;
	readonly settings: AuthoritySettings;
}) {
	const { store, trusted, issued, clock, settings } = options;
	const collection = await store.collection(certificateAuthoritySpec);

	/** Makes a key and a certificate, and trusts it. @throws AccessError `access/conflict`, `access/noSecret` */
	async function create(tenant: string): Promise<TrustedCertificate> {
		const secret = theSecret();
		const { privateKey: key, publicKey } = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
		const certificate = await createAuthorityCertificate(tenant, key, publicKey);
		const protection = { cipher: 'aes-256-cbc', passphrase: secret };
		const encryptedKey = KeyObject.from(key)
			.export({ type: 'pkcs8', format: 'pem', ...protection })
			.toString();
		const document: CertificateAuthority = { _id: tenant, ...kept(certificate), encryptedKey };
		const outcome = await store.batch([
			{ kind: 'insert', collection: collection.name, document },
			trusted.ownAuthorityStep(tenant, certificate, `Certificate authority of ${tenant}`),
		]);
		if (!outcome.ok) throw new AccessError('access/conflict', `Tenant '${tenant}' has a certificate authority already`);
		return trusted.get(tenant, certificate.fingerprint);
	}

	/**
	 * Makes a new certificate for the key that is there: what was signed stays good, and the old certificate is trusted on.
	 * @throws AccessError `access/noCertificate`, `access/noSecret`, `access/conflict` where somebody else does so, too
	 */
	async function renew(tenant: string): Promise<TrustedCertificate> {
		const authority = await get(tenant);
		const key = await signingKey(authority, theSecret());
		const { publicKey } = new X509Certificate(Buffer.from(authority.der, 'base64'));
		const certificate = await createAuthorityCertificate(tenant, key, publicKey);
		const { fingerprint } = authority;
		const outcome = await store.batch([
			{
				kind: 'update',
				collection: collection.name,
				id: tenant,
				where: { fingerprint },
				update: { $set: kept(certificate) },
			},
			trusted.ownAuthorityStep(tenant, certificate, `Certificate authority of ${tenant}`),
		]);
		if (!outcome.ok)
			throw new AccessError('access/conflict', `The certificate authority of tenant '${tenant}' was changed meanwhile`);
		return trusted.get(tenant, certificate.fingerprint);
	}

	async function createAuthorityCertificate(
		tenant: string,
		key: webcrypto.CryptoKey,
		publicKey: PublicKeyType,
	): Promise<Certificate> {
		const now = clock();
		const subject = `CN=${tenant}, O=Device software management`;
		const made = await X509CertificateGenerator.create({
			serialNumber: newSerial(),
			subject,
			issuer: subject,
			notBefore: new Date(now - leeway),
			notAfter: new Date(now + settings.authorityDays * day),
			publicKey,
			signingKey: key,
			signingAlgorithm,
			extensions: [
				new BasicConstraintsExtension(true, 0, true),
				new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
				await SubjectKeyIdentifierExtension.create(publicKey),
			],
		});
		return parseDer(Buffer.from(made.rawData));
	}

	/** @throws AccessError `access/noCertificate` */
	async function get(tenant: string): Promise<CertificateAuthority> {
		const authority = await collection.get(tenant);
		if (authority) return authority;
		throw new AccessError(
			'access/noCertificate',
			`Tenant '${tenant}' has no certificate authority: make one with POST /certificate-authority`,
		);
	}

	/**
	 * Signs what a device asks for: its key, under its serial as the only name, for nothing but clients.
	 * What it returns is good once its steps are stored.
	 * @throws AccessError `access/invalid`, `access/noCertificate`, `access/noSecret`, `access/conflict` where the device has too many
	 */
	async function sign(tenant: string, serial: string, request: Buffer, { isRenewal = false } = {}): Promise<SignedCertificate> {
		const asked = await checkRequest(request, serial);
		const authority = await get(tenant);
		const trustedOne = await trusted.get(tenant, authority.fingerprint);
		const issuer = new X509Certificate(Buffer.from(authority.der, 'base64'));
		const now = clock();
		if (trustedOne.status !== 'ENABLED' || trustedOne.notAfter <= now)
			throw new AccessError('access/invalid', `The certificate authority of tenant '${tenant}' is disabled or has expired`);
		const serialNumber = newSerial();
		// Certificates know whole seconds.
		const notAfter = Math.floor(Math.min(now + settings.deviceDays * day, trustedOne.notAfter) / 1000) * 1000;
		const steps = await issued.issueSteps({
			tenant,
			serialNumber: normalSerial(serialNumber),
			device: serial,
			authority: authority.fingerprint,
			isRenewal,
			notAfter,
		});
		const certificate = await X509CertificateGenerator.create({
			serialNumber,
			subject: [{ CN: [serial] }],
			issuer: issuer.subject,
			notBefore: new Date(now - leeway),
			notAfter: new Date(notAfter),
			publicKey: asked.publicKey,
			signingKey: await signingKey(authority, theSecret()),
			signingAlgorithm,
			extensions: await deviceExtensions(asked, issuer),
		});
		return { pkcs7: toPkcs7([certificate]), steps };
	}

	/**
	 * What the service has signed and taken back, as a list that the authority signs now, in DER.
	 * @throws AccessError `access/noCertificate`, `access/noSecret`
	 */
	async function revocationList(tenant: string): Promise<Buffer> {
		const authority = await get(tenant);
		const key = await signingKey(authority, theSecret());
		const now = clock();
		const list = await X509CrlGenerator.create({
			issuer: new X509Certificate(Buffer.from(authority.der, 'base64')).subject,
			thisUpdate: new Date(now),
			nextUpdate: new Date(now + day),
			signingAlgorithm,
			signingKey: key,
			entries: (await issued.listRevoked(tenant)).map(({ serialNumber, revocationTime = now }) => ({
				serialNumber,
				revocationDate: new Date(revocationTime),
			})),
		});
		return Buffer.from(list.rawData);
	}

	/** The certificate of the authority in PKCS #7. @throws AccessError `access/noCertificate` */
	async function certificates(tenant: string): Promise<Buffer> {
		const { der } = await get(tenant);
		return toPkcs7([new X509Certificate(Buffer.from(der, 'base64'))]);
	}

	/** The step that forgets the key with the certificate. */
	async function removeSteps(tenant: string, fingerprint: string) {
		const authority = await collection.get(tenant);
		return authority?.fingerprint === fingerprint ? [{ kind: 'remove', collection: collection.name, id: tenant } as const] : [];
	}

	function theSecret(): string {
		if (settings.secret !== undefined) return settings.secret;
		throw new AccessError(
			'access/noSecret',
			'The service signs no certificates: whoever runs it has to set CERTIFICATE_AUTHORITY_SECRET, which protects the keys of authorities',
		);
	}

	return { create, renew, sign, revocationList, certificates, removeSteps };
}

function kept({ fingerprint, der }: Certificate): Pick<CertificateAuthority, 'fingerprint' | 'der'> {
	return { fingerprint, der: der.toString('base64') };
}

async function signingKey(authority: CertificateAuthority, secret: string): Promise<webcrypto.CryptoKey> {
	const pkcs8 = openKey(authority, secret).export({ type: 'pkcs8', format: 'der' });
	return webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
}

/** The key of another secret than the one that encrypted it cannot be opened. */
function openKey({ _id, encryptedKey }: CertificateAuthority, secret: string) {
	try {
		return createPrivateKey({ key: encryptedKey, passphrase: secret });
	} catch {
		throw new AccessError(
			'access/noSecret',
			`The key of the certificate authority of tenant '${_id}' cannot be opened: CERTIFICATE_AUTHORITY_SECRET is not the one with which it was made`,
		);
	}
}

async function checkRequest(request: Buffer, serial: string): Promise<Pkcs10CertificateRequest> {
	const parsed = parseRequest(request);
	if (!(await parsed.verify().catch(() => false)))
		throw new AccessError('access/invalid', 'The certificate signing request is not signed with its own key');
	const names = parsed.subjectName.getField('CN');
	if (names.length !== 1 || names[0] !== serial)
		throw new AccessError(
			'access/invalid',
			`The common name of the certificate signing request must be '${serial}', found '${parsed.subject.slice(0, 200)}'`,
		);
	return parsed;
}

function parseRequest(request: Buffer): Pkcs10CertificateRequest {
	try {
		const text = request.toString('latin1').replace(/-----(?:BEGIN|END) (?:NEW )?CERTIFICATE REQUEST-----/g, '');
		const isText = /^[\sA-Za-z0-9+/=]+$/.test(text);
		return new Pkcs10CertificateRequest(isText ? Buffer.from(text, 'base64') : request);
	} catch {
		throw new AccessError('access/invalid', 'The body must be a certificate signing request (PKCS #10) in base64, PEM or DER');
	}
}

async function deviceExtensions({ publicKey }: Pkcs10CertificateRequest, issuer: X509Certificate): Promise<Extension[]> {
	return [
		new BasicConstraintsExtension(false, undefined, true),
		new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
		new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]),
		await SubjectKeyIdentifierExtension.create(publicKey),
		await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
	];
}

function toPkcs7(certificates: X509Certificate[]): Buffer {
	return Buffer.from(new X509Certificates(certificates).export('raw'));
}

/** 127 bits that nobody can guess; positive. [RFC 5280, 4.1.2.2] */
function newSerial(): string {
	const bytes = randomBytes(16);
	bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
	return bytes.toString('hex');
}
