import { randomBytes, verify } from 'node:crypto';
import type { CollectionSpec, DocumentStore, Filter, Step } from '../../store/index.ts';
import { AccessError } from '../access-error.ts';
import { type Certificate, parseDer, parsePem } from './certificate.ts';

export const certificateStatuses = ['ENABLED', 'DISABLED'] as const;
export type CertificateStatus = (typeof certificateStatuses)[number];

/** A certificate that a tenant trusts to vouch for its devices. */
export interface TrustedCertificate {
	/** Tenant and fingerprint. */
	readonly _id: string;
	readonly tenant: string;
	readonly fingerprint: string;
	readonly name: string;
	readonly status: CertificateStatus;
	/** Whether devices that nobody has registered may come with it. */
	readonly autoRegistrationEnabled: boolean;
	/** The certificate in base64. */
	readonly der: string;
	readonly subjectKey: string;
	readonly notAfter: number;
	readonly creationTime: number;
	/** Whether the tenant has shown that it has the private key, or the management tenant has said so. */
	readonly isProven: boolean;
	/** To be signed with the private key, until then. */
	readonly verificationCode?: string;
	readonly codeUsableUntil?: number;
	/** The service itself signs with it for this tenant. */
	readonly isOwnAuthority?: boolean;
}

export interface NewTrustedCertificate {
	readonly name: string;
	readonly pem: string;
	readonly status: CertificateStatus;
	readonly autoRegistrationEnabled: boolean;
}

export type TrustedCertificateChange = Partial<Pick<TrustedCertificate, 'name' | 'status' | 'autoRegistrationEnabled'>>;

export const trustedCertificateSpec: CollectionSpec<TrustedCertificate> = {
	name: 'trustedCertificates',
	indexes: [
		{ name: 'byTenant', keys: ['tenant', 'creationTime'] },
		{ name: 'ofOwnAuthorities', keys: ['tenant', 'isOwnAuthority', 'creationTime'] },
		{ name: 'bySubject', keys: ['subjectKey', 'isProven'] },
	],
};

export type TrustedCertificates = Awaited<ReturnType<typeof openTrustedCertificates>>;

/** The certificates that tenants trust. */
export async function openTrustedCertificates(options: {
	readonly store: DocumentStore;
	readonly clock: () => number;
	readonly limits: { readonly maxPerTenant: number; readonly codeSeconds: number };
}) {
	const { store, clock, limits } = options;
	const collection = await store.collection(trustedCertificateSpec);

	/** @throws AccessError `access/invalid`, `access/conflict` where the tenant trusts it already */
	async function add(tenant: string, { pem, ...given }: NewTrustedCertificate): Promise<TrustedCertificate> {
		const [trusted] = await addAll(tenant, [{ pem, ...given }]);
		if (!trusted) throw new Error('nothing was added');
		return trusted;
	}

	/** All or none. @throws AccessError `access/invalid`, `access/conflict` */
	async function addAll(tenant: string, given: readonly NewTrustedCertificate[]): Promise<TrustedCertificate[]> {
		const added = given.map(({ pem, ...rest }) => newTrusted(tenant, usable(parsePem(pem), clock()), rest));
		if ((await collection.count({ tenant })) + added.length > limits.maxPerTenant)
			throw new AccessError('access/invalid', `A tenant may trust ${limits.maxPerTenant} certificates: remove some`);
		const outcome = await store.batch(added.map((document) => ({ kind: 'insert', collection: collection.name, document })));
		if (outcome.ok) return added;
		throw new AccessError('access/conflict', `The certificate ${added[outcome.failed]?.fingerprint} is trusted already`);
	}

	/** The step that adds a certificate of which the service has the private key. */
	function ownAuthorityStep(tenant: string, certificate: Certificate, name: string): Step {
		const made = newTrusted(tenant, certificate, { name, status: 'ENABLED', autoRegistrationEnabled: false });
		const { verificationCode: _code, codeUsableUntil: _until, ...rest } = made;
		const document: TrustedCertificate = { ...rest, isProven: true, isOwnAuthority: true };
		return { kind: 'insert', collection: collection.name, document };
	}

	function newTrusted(tenant: string, certificate: Certificate, given: Omit<NewTrustedCertificate, 'pem'>): TrustedCertificate {
		const { der, fingerprint, subjectKey, notAfter } = certificate;
		return {
			_id: idOf(tenant, fingerprint),
			tenant,
			fingerprint,
			...given,
			der: der.toString('base64'),
			subjectKey,
			notAfter,
			creationTime: clock(),
			isProven: false,
			...newCode(),
		};
	}

	function newCode() {
		return { verificationCode: randomBytes(32).toString('hex'), codeUsableUntil: clock() + limits.codeSeconds * 1000 };
	}

	async function list(
		tenant: string,
		page: { skip: number; limit: number },
		of: TrustedFilter = {},
	): Promise<TrustedCertificate[]> {
		return collection.find({ filter: { tenant, ...of }, sort: [['creationTime', 1]], ...page });
	}

	async function count(tenant: string, of: TrustedFilter = {}): Promise<number> {
		return collection.count({ tenant, ...of });
	}

	/** @throws AccessError `access/noCertificate` */
	async function get(tenant: string, fingerprint: string): Promise<TrustedCertificate> {
		return found(await collection.get(idOf(tenant, fingerprint)), fingerprint);
	}

	/** @throws AccessError `access/noCertificate` */
	async function update(tenant: string, fingerprint: string, change: TrustedCertificateChange): Promise<TrustedCertificate> {
		const _id = idOf(tenant, fingerprint);
		return found(await collection.findOneAndUpdate({ _id }, { $set: { ...change } }), fingerprint);
	}

	/** With the steps that remove what hangs on it. @throws AccessError `access/noCertificate` */
	async function remove(tenant: string, fingerprint: string, besides: readonly Step[]): Promise<void> {
		const { _id } = await get(tenant, fingerprint);
		await store.batch([{ kind: 'remove', collection: collection.name, id: _id }, ...besides]);
	}

	/** A new code to be signed. @throws AccessError `access/noCertificate` */
	async function createCode(tenant: string, fingerprint: string): Promise<TrustedCertificate> {
		const _id = idOf(tenant, fingerprint);
		return found(await collection.findOneAndUpdate({ _id }, { $set: newCode() }), fingerprint);
	}

	/**
	 * Takes a verification code that was signed with the private key (SHA-256 where the kind of key needs a hash; base64).
	 * @throws AccessError `access/noCertificate`, `access/notProven`
	 */
	async function prove(tenant: string, fingerprint: string, signature: string): Promise<TrustedCertificate> {
		const { verificationCode: code, codeUsableUntil = 0, der } = await get(tenant, fingerprint);
		if (code === undefined || codeUsableUntil <= clock())
			throw new AccessError('access/notProven', 'The verification code can no longer be used: ask for a new one');
		const { publicKey } = parseDer(Buffer.from(der, 'base64')).native;
		const hash = publicKey.asymmetricKeyType?.startsWith('ed') ? null : 'sha256';
		if (!isSignature(hash, code, publicKey, signature))
			throw new AccessError(
				'access/notProven',
				'The signature is not one of this certificate’s key over the verification code: sign its text, without a line break, with SHA-256, and send it in base64',
			);
		return setProven(tenant, fingerprint, { verificationCode: code });
	}

	/** Takes the management tenant's word for it. @throws AccessError `access/noCertificate` */
	async function confirm(tenant: string, fingerprint: string): Promise<TrustedCertificate> {
		return setProven(tenant, fingerprint);
	}

	async function setProven(tenant: string, fingerprint: string, expected: Filter = {}): Promise<TrustedCertificate> {
		const filter = { _id: idOf(tenant, fingerprint), ...expected };
		const update = { $set: { isProven: true }, $unset: ['verificationCode', 'codeUsableUntil'] };
		return found(await collection.findOneAndUpdate(filter, update), fingerprint);
	}

	/** Those of all tenants whose subject is one of these, the proven ones first. */
	async function findBySubject(subjectKeys: readonly string[]): Promise<TrustedCertificate[]> {
		const filter = (isProven: boolean) => ({ subjectKey: { $in: subjectKeys }, isProven });
		return (await Promise.all([true, false].map((isProven) => findCandidates(filter(isProven))))).flat();
	}

	/** Where there are many, some of each tenant: none hides another one's behind its own of the same name. */
	async function findCandidates(filter: Filter): Promise<TrustedCertificate[]> {
		const all = await collection.find({ filter, limit: maxCandidates });
		if (all.length < maxCandidates) return all;
		const tenants = await collection.groupCount(['tenant'], filter);
		const ofEach = tenants.map(({ key: [tenant = null] }) =>
			collection.find({ filter: { ...filter, tenant }, limit: maxCandidatesOfTenant }),
		);
		return (await Promise.all(ofEach)).flat();
	}

	async function find(tenant: string, fingerprint: string): Promise<TrustedCertificate | undefined> {
		return collection.get(idOf(tenant, fingerprint));
	}

	return {
		add,
		addAll,
		ownAuthorityStep,
		list,
		count,
		get,
		find,
		findBySubject,
		update,
		remove,
		createCode,
		prove,
		confirm,
		watch: collection.watch,
	};
}

export type TrustedFilter = { readonly isOwnAuthority?: true };

/** Of one name: more are copies that somebody made to be in the way. */
const maxCandidates = 200;
const maxCandidatesOfTenant = 20;

/** What a trusted certificate says of itself. */
export function describeCertificate({ der }: Pick<TrustedCertificate, 'der'>): Certificate & { readonly pem: string } {
	const certificate = parseDer(Buffer.from(der, 'base64'));
	return { ...certificate, pem: certificate.native.toString() };
}

export function idOf(tenant: string, fingerprint: string): string {
	return `${tenant}/${fingerprint.toLowerCase()}`;
}

function found(document: TrustedCertificate | undefined, fingerprint: string): TrustedCertificate {
	if (document) return document;
	throw new AccessError('access/noCertificate', `No trusted certificate has the fingerprint '${fingerprint.slice(0, 64)}'`);
}

// What can never vouch for anybody is refused with the reason when it comes, not when the devices do.
function usable(certificate: Certificate, now: number): Certificate {
	const { notAfter, weakness } = certificate;
	if (notAfter <= now) throw new AccessError('access/invalid', `The certificate expired at ${new Date(notAfter).toISOString()}`);
	if (weakness !== undefined) throw new AccessError('access/invalid', `The certificate is not good enough: ${weakness}`);
	return certificate;
}

function isSignature(hash: string | null, code: string, key: Parameters<typeof verify>[2], signature: string): boolean {
	try {
		return verify(hash, Buffer.from(code), key, Buffer.from(signature, 'base64'));
	} catch {
		return false;
	}
}
