import { deviceUserPrefix, type Principal } from '../principal.ts';
import type { RemovedDevices } from '../removed-devices.ts';
import { isSerial } from '../serials.ts';
import type { Tenants } from '../tenants.ts';
import type { Users } from '../users.ts';
import { type Certificate, parseDer } from './certificate.ts';
import { arrangePath, type CertificatePath, formatDate, pathFault, pathTo } from './certificate-path.ts';
import type { CertificateProof } from './certificate-proof.ts';
import type { IssuedCertificates } from './issued-certificates.ts';
import type { RevocationLists } from './revocation-lists.ts';
import type { TrustedCertificate, TrustedCertificates } from './trusted-certificates.ts';

export type CertificateLogin =
	| { readonly ok: true; readonly principal: Principal; readonly proof: CertificateProof }
	/**
	 * `rejected`: the certificate proves nothing here; `forbidden`: it does, and its device may not come in all the same.
	 * `message` is for the log: it may tell more than the client may know.
	 */
	| { readonly ok: false; readonly reason: 'rejected' | 'forbidden'; readonly message: string };

export type CertificateLogins = ReturnType<typeof createCertificateLogins>;

/** Devices that log in with a client certificate, of which TLS has shown that they have the key. */
export function createCertificateLogins(options: {
	readonly trusted: TrustedCertificates;
	readonly revocations: RevocationLists;
	readonly issued: IssuedCertificates;
	readonly users: Users;
	readonly removedDevices: RemovedDevices;
	readonly tenants: Pick<Tenants, 'isActive'>;
	readonly clock: () => number;
	/** Whether a certificate vouches only for itself until its tenant has proven that it has the key. */
	readonly proofAlways: boolean;
}) {
	const { trusted, revocations, issued, users, removedDevices, tenants, clock, proofAlways } = options;
	const parsed = new Map<string, Certificate>();

	/**
	 * @param presented what the client sent, its own certificate first, in DER; the others in any order
	 * @param wantedTenant the only tenant that will do
	 */
	async function logIn(presented: readonly Buffer[], wantedTenant?: string): Promise<CertificateLogin> {
		const certificates = parseAll(presented);
		if (!certificates) return rejected('the certificate cannot be read');
		const [leaf, ...others] = certificates;
		const path = arrangePath(leaf, others);
		const vouchers = await findVouchers(path, wantedTenant);
		if (vouchers.length === 0) return rejected(unknownAuthority(path, wantedTenant));
		const checked = await Promise.all(rightful(vouchers).map(async (voucher) => ({ ...voucher, fault: await faultOf(voucher) })));
		const good = checked.filter(({ fault }) => fault === undefined);
		if (good.length === 0) return rejected(checked.map(({ fault }) => fault).find((fault) => fault !== undefined) ?? '');
		const chosen = chooseVoucher(good);
		if (typeof chosen === 'string') return rejected(chosen);
		return admit(leaf, chosen);
	}

	async function findVouchers(path: CertificatePath, wantedTenant: string | undefined): Promise<Voucher[]> {
		const subjects = new Set(path.flatMap(({ subjectKey, issuerKey }) => [subjectKey, issuerKey]));
		const candidates = await trusted.findBySubject([...subjects]);
		return candidates
			.filter(({ tenant }) => wantedTenant === undefined || tenant === wantedTenant)
			.map((by) => ({ by, path: pathTo(certificateOf(by), path) }))
			.filter((voucher): voucher is Voucher => voucher.path !== undefined);
	}

	// A fleet has a certificate each, and few authorities: theirs are parsed once.
	function certificateOf({ der }: TrustedCertificate): Certificate {
		const certificate = parsed.get(der) ?? parseDer(Buffer.from(der, 'base64'));
		parsed.delete(der);
		parsed.set(der, certificate);
		if (parsed.size > maxParsed) parsed.delete(parsed.keys().next().value ?? '');
		return certificate;
	}

	async function faultOf({ by, path }: Voucher): Promise<string | undefined> {
		const fault = pathFault(path, clock());
		if (fault !== undefined) return fault;
		if (by.status !== 'ENABLED') return `the trusted certificate '${by.name}' is disabled`;
		if (proofAlways && !by.isProven && path.length > 1)
			return `tenant ${by.tenant} has not proven that it has the key of the trusted certificate '${by.name}'`;
		return revocationFault(by.tenant, signedOn(path));
	}

	async function revocationFault(tenant: string, signed: CertificateProof['signed']): Promise<string | undefined> {
		for (const { serialNumber, by } of signed) {
			const authority = await trusted.find(tenant, by);
			if (authority && authority.status !== 'ENABLED') return `the trusted certificate '${authority.name}' is disabled`;
			const ownFault = authority?.isOwnAuthority ? await issued.faultOf(tenant, serialNumber) : undefined;
			const fault = ownFault ?? (await revocations.faultOf(tenant, by, serialNumber));
			if (fault !== undefined) return fault;
		}
		return undefined;
	}

	async function admit(leaf: Certificate, { by, path }: Voucher): Promise<CertificateLogin> {
		const serial = leaf.commonName;
		if (serial === undefined || !isSerial(serial))
			return rejected(`the common name of '${leaf.subject}' is not the id of a device`);
		if (!(await tenants.isActive(by.tenant))) return forbidden(`the tenant ${by.tenant} is disabled`);
		const userName = deviceUserPrefix + serial;
		const user = await users.find(by.tenant, userName);
		if (!user && (await removedDevices.has(by.tenant, serial))) return wasRemoved(serial, by.tenant);
		if (!user && !by.autoRegistrationEnabled)
			return forbidden(
				`the device '${serial}' is not registered in tenant ${by.tenant}, and the trusted certificate '${by.name}' registers no devices by itself`,
			);
		if (!user) {
			await users.createWithoutPassword(by.tenant, userName, 'device');
			// Whoever removed it meanwhile found no user to lock.
			if (await removedDevices.has(by.tenant, serial)) {
				await users.remove(by.tenant, userName);
				return wasRemoved(serial, by.tenant);
			}
		}
		const principal = await (user ? users.admitted(user) : users.findPrincipal(by.tenant, userName));
		if (!principal) return forbidden(`the user of the device '${serial}', or the tenant ${by.tenant}, is disabled`);
		const proof: CertificateProof = {
			tenant: by.tenant,
			trusted: by.fingerprint,
			signed: signedOn(path),
			notAfter: Math.min(...path.map(({ notAfter }) => notAfter)),
		};
		return { ok: true, principal, proof };
	}

	/** Why what let somebody in would not do so any more; `undefined` while it would. */
	async function lapse({ tenant, trusted: fingerprint, signed, notAfter }: CertificateProof): Promise<string | undefined> {
		if (clock() > notAfter) return `its certificate, or one that signed it, expired at ${formatDate(notAfter)}`;
		const by = await trusted.find(tenant, fingerprint);
		if (!by) return 'the certificate that vouched for it is not trusted any more';
		if (by.status !== 'ENABLED') return `the trusted certificate '${by.name}' is disabled`;
		return revocationFault(tenant, signed);
	}

	/** Calls back with tenant and fingerprint of what has changed (`undefined`: maybe everything), so that `lapse` is asked again. */
	function watch(onChange: (ids: ReadonlySet<string> | undefined) => void): void {
		const changed = (changes: readonly { readonly id: string }[]) => onChange(new Set(changes.map(({ id }) => id)));
		trusted.watch(changed, () => onChange(undefined));
		revocations.watch(changed, () => onChange(undefined));
		issued.watch(
			(changes) => {
				const taken = changes.filter(({ kind }) => kind === 'updated');
				if (taken.length > 0) changed(taken);
			},
			() => onChange(undefined),
		);
	}

	return { logIn, lapse, watch };
}

interface Voucher {
	readonly by: TrustedCertificate;
	readonly path: CertificatePath;
}

/** Trusted certificates kept ready in memory. */
const maxParsed = 500;

/** More are no chain that anybody uses. */
const maxPresented = 10;

function parseAll(presented: readonly Buffer[]): readonly [Certificate, ...Certificate[]] | undefined {
	try {
		const [leaf, ...others] = presented.slice(0, maxPresented).map(parseDer);
		return leaf && [leaf, ...others];
	} catch {
		return undefined;
	}
}

/** Who has proven to have the key is the owner, even while it lets nobody in: others only have copies of the certificate. */
function rightful(vouchers: readonly Voucher[]): readonly Voucher[] {
	const owners = new Set(vouchers.filter(({ by }) => by.isProven).map(({ by }) => by.tenant));
	return owners.size === 0 ? vouchers : vouchers.filter(({ by }) => owners.has(by.tenant));
}

/** Of several tenants that trust the same authority, the one that has proven to have its key. */
function chooseVoucher(good: readonly Voucher[]): Voucher | string {
	const proven = good.filter(({ by }) => by.isProven);
	const left = proven.length > 0 ? proven : good;
	const tenants = [...new Set(left.map(({ by }) => by.tenant))];
	const [first] = left;
	if (first && tenants.length === 1) return first;
	const names = tenants.slice(0, 5).join(', ');
	return proven.length > 0
		? `several tenants (${names}) trust its authority and have proven that they have its key: the device has to name its tenant in its user name`
		: `several tenants (${names}) trust its authority, and none has proven that it has its key`;
}

function unknownAuthority(path: CertificatePath, wantedTenant: string | undefined): string {
	const where = wantedTenant === undefined ? 'no tenant trusts' : `tenant '${wantedTenant.slice(0, 32)}' does not trust`;
	const last = path.at(-1) ?? path[0];
	return `${where} the authority '${last.issuer}' of the certificate '${path[0].subject}'`;
}

function signedOn(path: CertificatePath): CertificateProof['signed'] {
	const issuers = path.slice(1);
	return issuers.map((issuer, index) => ({ serialNumber: path[index]?.serialNumber ?? '', by: issuer.fingerprint }));
}

function wasRemoved(serial: string, tenant: string): CertificateLogin {
	return forbidden(`the device '${serial}' was removed from tenant ${tenant}: register it anew to let it come back`);
}

function rejected(message: string): CertificateLogin {
	return { ok: false, reason: 'rejected', message };
}

function forbidden(message: string): CertificateLogin {
	return { ok: false, reason: 'forbidden', message };
}
