import type { CollectionSpec, DocumentStore, Filter, Step } from '../../store/index.ts';
import { AccessError } from '../access-error.ts';
import { normalSerial } from './certificate.ts';
import { formatDate } from './certificate-path.ts';

export const issuedStatuses = ['VALID', 'REVOKED'] as const;
export type IssuedStatus = (typeof issuedStatuses)[number];

/** A certificate that the service has signed for a device. */
export interface IssuedCertificate {
	/** Tenant and serial number. */
	readonly _id: string;
	readonly tenant: string;
	/** Hexadecimal, lower case, without zeros in front. */
	readonly serialNumber: string;
	/** Of the device: the common name. */
	readonly device: string;
	/** Of the certificate of the authority that signed it. */
	readonly authority: string;
	/** Whether the device had one already, with which it asked. */
	readonly isRenewal: boolean;
	readonly status: IssuedStatus;
	readonly issueTime: number;
	readonly notAfter: number;
	readonly revocationTime?: number;
}

const keptAfterExpirySeconds = 90 * 86_400;

export const issuedCertificateSpec: CollectionSpec<IssuedCertificate> = {
	name: 'issuedCertificates',
	indexes: [
		{ name: 'byTenant', keys: ['tenant', 'issueTime', '_id'] },
		{ name: 'byDevice', keys: ['tenant', 'device', 'issueTime', '_id'] },
		{ name: 'byStatus', keys: ['tenant', 'status', 'issueTime', '_id'] },
	],
	expire: { field: 'notAfter', afterSeconds: keptAfterExpirySeconds },
};

export type IssuedCertificates = Awaited<ReturnType<typeof openIssuedCertificates>>;
export type IssuedFilter = { readonly device?: string; readonly status?: IssuedStatus };

/** What the service has signed, until some time after it has expired; and what of it was taken back. */
export async function openIssuedCertificates({
	store,
	clock,
	maxPerDevice,
}: {
	readonly store: DocumentStore;
	readonly clock: () => number;
	/** Certificates that are good, of one device. */
	readonly maxPerDevice: number;
}) {
	const collection = await store.collection(issuedCertificateSpec);

	/**
	 * The steps that put a certificate on record, and take as many expired ones of its device away as are too many. Those that were
	 * taken back count for nothing: a person does that, and they have to be known until they expire. Renewals of a device are
	 * stored one after another; the one certificate of a registration may come on top of them at the same moment.
	 * @throws AccessError `access/conflict` where the device has as many that are good as it may have
	 */
	async function issueSteps(made: Omit<IssuedCertificate, '_id' | 'status' | 'issueTime'>): Promise<Step[]> {
		const { tenant, device, serialNumber } = made;
		const now = clock();
		const good = await collection.count({ tenant, device, status: 'VALID', notAfter: { $gt: now } });
		if (good >= maxPerDevice)
			throw new AccessError(
				'access/conflict',
				`Device '${device}' has ${good} certificates that are good, and at most ${maxPerDevice} are allowed (DEVICE_CERTIFICATES_MAX): take back those that it does not use, or wait until one expires`,
			);
		const filter: Filter = { tenant, device, notAfter: { $lte: now } };
		const tooOld = await collection.find({ filter, sort: newestFirst, skip: maxPerDevice, limit: maxAtOnce });
		const document: IssuedCertificate = { _id: idOf(tenant, serialNumber), ...made, status: 'VALID', issueTime: now };
		return [
			{ kind: 'insert', collection: collection.name, document },
			...tooOld.map(({ _id: id }): Step => ({ kind: 'remove', collection: collection.name, id })),
		];
	}

	/** The newest first. */
	async function list(tenant: string, of: IssuedFilter, page: { skip: number; limit: number }): Promise<IssuedCertificate[]> {
		return collection.find({ filter: filterOf(tenant, of), sort: newestFirst, ...page });
	}

	async function count(tenant: string, of: IssuedFilter): Promise<number> {
		return collection.count(filterOf(tenant, of));
	}

	/** @throws AccessError `access/noCertificate` */
	async function get(tenant: string, serialNumber: string): Promise<IssuedCertificate> {
		const found = await collection.get(idOf(tenant, normalSerial(serialNumber)));
		if (found) return found;
		throw new AccessError(
			'access/noCertificate',
			`The certificate authority of tenant '${tenant}' has signed no certificate with the serial number ${serialNumber.slice(0, 64)} (hexadecimal)`,
		);
	}

	function revokeStep({ _id }: Pick<IssuedCertificate, '_id'>): Step {
		const update = { $set: { status: 'REVOKED', revocationTime: clock() } };
		return { kind: 'update', collection: collection.name, id: _id, where: { status: 'VALID' }, update };
	}

	/** The steps that take back what a device has, the newest first; a device may have more than go into one batch. */
	async function revokeSteps(tenant: string, device: string): Promise<Step[]> {
		const filter: Filter = { tenant, device, status: 'VALID', notAfter: { $gt: clock() } };
		return (await collection.find({ filter, sort: newestFirst, limit: maxAtOnce })).map(revokeStep);
	}

	/** Those that were taken back and have not expired, as far as a list can hold them. */
	async function listRevoked(tenant: string): Promise<IssuedCertificate[]> {
		const revoked = await list(tenant, { status: 'REVOKED' }, { skip: 0, limit: maxRevoked });
		return revoked.filter(({ notAfter }) => notAfter > clock());
	}

	/** Why a certificate that the service has signed is no longer good, in words for a log. */
	async function faultOf(tenant: string, serialNumber: string): Promise<string | undefined> {
		const found = await collection.get(idOf(tenant, serialNumber));
		if (found?.status !== 'REVOKED') return undefined;
		return `the certificate with the serial number ${serialNumber} was revoked at ${formatDate(found.revocationTime ?? 0)}`;
	}

	return { issueSteps, list, count, get, revokeStep, revokeSteps, listRevoked, faultOf, watch: collection.watch };
}

const newestFirst = [['issueTime', -1] as const, ['_id', -1] as const];
const maxAtOnce = 1000;
const maxRevoked = 100_000;

function filterOf(tenant: string, { device, status }: IssuedFilter): Filter {
	return { tenant, ...(device !== undefined && { device }), ...(status !== undefined && { status }) };
}

function idOf(tenant: string, serialNumber: string): string {
	return `${tenant}/${serialNumber}`;
}
