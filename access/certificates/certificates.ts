import type { CollectionSpec, DocumentStore, Step, StoredDocument } from '../../store/index.ts';
import { AccessError } from '../access-error.ts';
import { deviceUserPrefix } from '../principal.ts';
import type { RemovedDevices } from '../removed-devices.ts';
import type { Tenants } from '../tenants.ts';
import { sessionsEndStep, type Users, userSpec } from '../users.ts';
import { type AuthoritySettings, certificateAuthoritySpec, openCertificateAuthorities } from './certificate-authority.ts';
import { createCertificateLogins } from './certificate-login.ts';
import { type IssuedCertificate, issuedCertificateSpec, openIssuedCertificates } from './issued-certificates.ts';
import { openRevocationLists, revocationListSpec } from './revocation-lists.ts';
import { openTrustedCertificates, trustedCertificateSpec } from './trusted-certificates.ts';

/** Everything that is stored about certificates. */
export const certificateCollections: readonly CollectionSpec<StoredDocument>[] = [
	trustedCertificateSpec,
	revocationListSpec,
	certificateAuthoritySpec,
	issuedCertificateSpec,
];

export interface CertificateSettings {
	/** Certificates that one tenant may trust. */
	readonly maxPerTenant: number;
	/** Certificates of the service that are good, and that have expired, of one device. */
	readonly maxPerDevice: number;
	/** How long a verification code can be used. */
	readonly codeSeconds: number;
	/** Whether a certificate vouches only for itself until its tenant has proven that it has the key. */
	readonly proofAlways: boolean;
	/** Whether nobody gets in by an authority whose revocation list should have been replaced. */
	readonly refuseOverdueLists: boolean;
	/** The authorities of which the service has the keys. */
	readonly authority: AuthoritySettings;
}

export type Certificates = Awaited<ReturnType<typeof openCertificates>>;

/** Certificates that tenants trust, and the devices that come with them. */
export async function openCertificates(options: {
	readonly store: DocumentStore;
	readonly users: Users;
	readonly removedDevices: RemovedDevices;
	readonly tenants: Pick<Tenants, 'isActive'>;
	readonly clock: () => number;
	readonly settings: CertificateSettings;
}) {
	const { store, users, removedDevices, tenants, clock, settings } = options;
	const trusted = await openTrustedCertificates({ store, clock, limits: settings });
	const revocations = await openRevocationLists({ store, clock, refuseOverdue: settings.refuseOverdueLists });
	const issued = await openIssuedCertificates({ store, clock, maxPerDevice: settings.maxPerDevice });
	const authorities = await openCertificateAuthorities({ store, trusted, issued, clock, settings: settings.authority });
	const { proofAlways } = settings;
	const logins = createCertificateLogins({ trusted, revocations, issued, users, removedDevices, tenants, clock, proofAlways });

	/** Trusts a certificate no more, and forgets its revocation list, and its key where the service has it. @throws AccessError `access/noCertificate` */
	async function remove(tenant: string, fingerprint: string): Promise<void> {
		const besides = await authorities.removeSteps(tenant, fingerprint.toLowerCase());
		await trusted.remove(tenant, fingerprint, [revocations.removeStep(tenant, fingerprint), ...besides]);
	}

	/**
	 * A new certificate for a device that is logged in; the one it has stays good until it expires, or is taken back.
	 * @returns the certificate in PKCS #7
	 * @throws AccessError as `authorities.sign`, and `access/conflict` where the device was locked, removed or changed meanwhile
	 */
	async function renewFor(tenant: string, serial: string, request: Buffer): Promise<Buffer> {
		for (let attempt = 0; attempt < maxAttempts; attempt++) {
			const user = await users.find(tenant, deviceUserPrefix + serial);
			if (!user || user.enabled === false) break;
			const { pkcs7, steps } = await authorities.sign(tenant, serial, request, { isRenewal: true });
			const { _id: id, revision = null } = user;
			const where = { enabled: { $ne: false }, revision };
			// What the device asks for at the same moment waits for this one, and is counted then.
			const userStep: Step = { kind: 'update', collection: userSpec.name, id, where, update: { $inc: { revision: 1 } } };
			if ((await store.batch([userStep, ...steps])).ok) return pkcs7;
		}
		throw new AccessError(
			'access/conflict',
			`The device '${serial}' gets no certificate: it was locked, removed, or changed again and again meanwhile`,
		);
	}

	/**
	 * Takes back a certificate that the service has signed, with the sessions and tokens of its device. What is taken back stays so.
	 * @throws AccessError `access/noCertificate`, `access/conflict`
	 */
	async function revoke(tenant: string, serialNumber: string): Promise<IssuedCertificate> {
		for (let attempt = 0; attempt < maxAttempts; attempt++) {
			const found = await issued.get(tenant, serialNumber);
			if (found.status === 'REVOKED') return found;
			const user = await users.find(tenant, deviceUserPrefix + found.device);
			await store.batch([issued.revokeStep(found), ...(user ? [sessionsEndStep(user)] : [])]);
			if (user) users.forget(user._id);
		}
		throw new AccessError('access/conflict', 'The device of this certificate was changed again and again: try once more');
	}

	return { trusted: { ...trusted, remove }, revocations, authorities, renewFor, issued: { ...issued, revoke }, ...logins };
}

const maxAttempts = 20;
