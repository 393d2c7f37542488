import type { CollectionSpec, DocumentStore, Step } from '../../store/index.ts';
import { AccessError } from '../access-error.ts';
import { type Certificate, normalSerial, parseDer } from './certificate.ts';
import { formatDate } from './certificate-path.ts';
import { idOf, type TrustedCertificate } from './trusted-certificates.ts';
import { X509Certificate, X509Crl } from './x509.ts';

/** The list of what an authority has taken back. */
export interface RevocationList {
	/** Tenant and fingerprint of the authority. */
	readonly _id: string;
	/** As the authority signed it, in base64. */
	readonly der: string;
	readonly thisUpdate: number;
	/** When the authority promised the next one. */
	readonly nextUpdate: number | null;
	readonly entries: number;
}

export const revocationListSpec: CollectionSpec<RevocationList> = { name: 'revocationLists', indexes: [] };

export type RevocationLists = Awaited<ReturnType<typeof openRevocationLists>>;

/** Revocation lists by trusted certificate. */
export async function openRevocationLists(options: {
	readonly store: DocumentStore;
	readonly clock: () => number;
	/** Whether a list whose successor is overdue counts as none at all, so that nobody gets in by it. */
	readonly refuseOverdue: boolean;
}) {
	const { store, clock, refuseOverdue } = options;
	const collection = await store.collection(revocationListSpec);
	const read = new Map<string, { readonly der: string; readonly serials: ReadonlySet<string> }>();

	/** @throws AccessError `access/invalid` where it is no list of this authority, or older than the one there is */
	async function put(authority: TrustedCertificate, bytes: Buffer): Promise<RevocationList> {
		const list = parse(bytes);
		const certificate = parseDer(Buffer.from(authority.der, 'base64'));
		await checkSignature(list, certificate);
		const document: RevocationList = {
			_id: authority._id,
			der: Buffer.from(list.rawData).toString('base64'),
			thisUpdate: list.thisUpdate.getTime(),
			nextUpdate: list.nextUpdate?.getTime() ?? null,
			entries: list.entries.length,
		};
		const stored = await store.batch([{ kind: 'insert', collection: collection.name, document }]);
		if (stored.ok) return document;
		const { _id, ...change } = document;
		const replaced = await collection.findOneAndUpdate({ _id, thisUpdate: { $lte: document.thisUpdate } }, { $set: change });
		if (replaced) return replaced;
		throw new AccessError(
			'access/invalid',
			`This list was issued at ${formatDate(document.thisUpdate)}, before the one that is there: send the newest`,
		);
	}

	/** @throws AccessError `access/noCertificate` */
	async function get({ _id }: TrustedCertificate): Promise<RevocationList> {
		const list = await collection.get(_id);
		if (!list) throw new AccessError('access/noCertificate', 'This certificate has no revocation list');
		return list;
	}

	function removeStep(tenant: string, fingerprint: string): Step {
		return { kind: 'remove', collection: collection.name, id: idOf(tenant, fingerprint) };
	}

	/** Why a certificate that this authority signed is no longer good, in words for a log. */
	async function faultOf(tenant: string, authorityFingerprint: string, serialNumber: string): Promise<string | undefined> {
		const list = await collection.get(idOf(tenant, authorityFingerprint));
		if (!list) return undefined;
		if (serialsOf(list).has(serialNumber)) return `the certificate with the serial number ${serialNumber} was revoked`;
		const { nextUpdate } = list;
		if (refuseOverdue && nextUpdate !== null && nextUpdate < clock())
			return `the revocation list of its authority should have been replaced at ${formatDate(nextUpdate)}: upload a new one`;
		return undefined;
	}

	function serialsOf({ _id, der }: RevocationList): ReadonlySet<string> {
		const known = read.get(_id);
		if (known?.der === der) return known.serials;
		const { entries } = new X509Crl(Buffer.from(der, 'base64'));
		const serials = new Set(entries.map(({ serialNumber }) => normalSerial(serialNumber)));
		read.delete(_id);
		read.set(_id, { der, serials });
		if (read.size > maxRead) read.delete(read.keys().next().value ?? '');
		return serials;
	}

	return { put, get, removeStep, faultOf, watch: collection.watch };
}

/** Lists kept ready in memory. */
const maxRead = 50;

function parse(bytes: Buffer): X509Crl {
	try {
		const text = bytes.toString('latin1');
		const pem = /-----BEGIN X509 CRL-----([\sA-Za-z0-9+/=]+)-----END X509 CRL-----/.exec(text)?.[1];
		return new X509Crl(pem === undefined ? bytes : Buffer.from(pem, 'base64'));
	} catch {
		throw new AccessError('access/invalid', 'The body must be a certificate revocation list (X.509 CRL) in DER or PEM');
	}
}

async function checkSignature(list: X509Crl, authority: Certificate): Promise<void> {
	const issuer = new X509Certificate(authority.der);
	if (!authority.maySignLists)
		throw new AccessError('access/invalid', 'The trusted certificate may not sign revocation lists (key usage without cRLSign)');
	const isSigned = await list.verify({ publicKey: issuer.publicKey }).catch(() => false);
	if (!isSigned)
		throw new AccessError('access/invalid', `The list is signed by '${list.issuer}', and not with the key of this certificate`);
	const unknown = list.extensions.find(({ critical }) => critical);
	if (unknown)
		throw new AccessError('access/invalid', `The list has a critical extension, ${unknown.type}: upload a full, direct list`);
}
