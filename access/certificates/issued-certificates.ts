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
export async function openIssuedCertificates({ store, clock }: { readonly store: DocumentStore; readonly clock: () => number }) {
	const collection = await store.collection(issuedCertificateSpec);

	function issueStep(made: Omit<IssuedCertificate, '_id' | 'status' | 'issueTime'>): Step {
		const { tenant, serialNumber } = made;
		const document: IssuedCertificate = { _id: idOf(tenant, serialNumber), ...made, status: 'VALID', issueTime: clock() };
		return { kind: 'insert', collection: collection.name, document };
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

	return { issueStep, list, count, get, revokeStep, revokeSteps, listRevoked, faultOf, watch: collection.watch };
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
