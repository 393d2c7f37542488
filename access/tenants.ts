import type { Collection, CollectionSpec, DocumentStore, Step, Update } from '../store/index.ts';
import { AccessError } from './access-error.ts';
import { managementTenant } from './principal.ts';
import { createStoredCache } from './stored-cache.ts';

export const tenantStatuses = ['ACTIVE', 'SUSPENDED', 'DELETING'] as const;
export type TenantStatus = (typeof tenantStatuses)[number];

/** How much a tenant may have; 0 is without limit. */
export interface TenantLimits {
	readonly devices: number;
	/** Packages of all its devices together. */
	readonly packages: number;
	/** Of binaries. */
	readonly storageBytes: number;
	/** HTTP requests, at each process. */
	readonly requestsPerSecond: number;
}

export interface Tenant {
	/** Its id. */
	readonly _id: string;
	readonly creationTime: number;
	/** Absent while it is ACTIVE and always was. */
	readonly status?: TenantStatus;
	/** When its deletion was asked for, in milliseconds since 1970. */
	readonly deletionTime?: number;
	readonly domain?: string;
	readonly company?: string;
	readonly contactName?: string;
	readonly contactPhone?: string;
	readonly adminName?: string;
	readonly adminEmail?: string;
	/** Those that are not the service's own. */
	readonly limits?: Partial<TenantLimits>;
	/** Hashes of the passwords of its users in the configuration when they were last set from there. */
	readonly givenPasswords?: { readonly admin?: string; readonly bootstrap?: string };
	/** Grows with each change of who may administrate it: no two such changes pass each other. */
	readonly adminRevision?: number;
}

interface TenantDomain {
	/** The host name. */
	readonly _id: string;
	readonly tenant: string;
}

export const tenantSpec: CollectionSpec<Tenant> = { name: 'tenants', indexes: [{ name: 'byStatus', keys: ['status'] }] };
export const domainSpec: CollectionSpec<TenantDomain> = {
	name: 'tenantDomains',
	indexes: [],
};

/** What may be said of a tenant; `null` takes a limit, or a text, away. */
export interface TenantChange {
	readonly domain?: string | null | undefined;
	readonly company?: string | null | undefined;
	readonly contactName?: string | null | undefined;
	readonly contactPhone?: string | null | undefined;
	readonly adminName?: string | null | undefined;
	readonly adminEmail?: string | null | undefined;
	readonly status?: 'ACTIVE' | 'SUSPENDED' | undefined;
	readonly limits?: Partial<Record<keyof TenantLimits, number | null | undefined>> | undefined;
}

export interface TenantSettings {
	/** The tenant of those who name none. */
	readonly defaultTenant: string;
	/** `<tenant>.<this>` is the host name of a tenant, beside its domain. */
	readonly hostSuffix?: string;
	readonly limits: TenantLimits;
}

export type Tenants = Awaited<ReturnType<typeof openTenants>>;

/** The tenants of the service. What they are is remembered for some seconds; a change elsewhere is heard of sooner. */
export async function openTenants(options: {
	readonly store: DocumentStore;
	readonly clock: () => number;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	readonly settings: TenantSettings;
}) {
	const { store, clock, elapsed, settings } = options;
	const tenants: Collection<Tenant> = await store.collection(tenantSpec);
	const domains: Collection<TenantDomain> = await store.collection(domainSpec);
	const known = createStoredCache({ collection: tenants, elapsed, maxEntries: cachedTenants });
	const knownDomains = createStoredCache({ collection: domains, elapsed, maxEntries: cachedTenants, keepsMissing: true });

	/** As it was within the last seconds. */
	async function find(id: string): Promise<Tenant | undefined> {
		return known.get(id);
	}

	/** @throws AccessError `access/notFound` */
	async function get(id: string): Promise<Tenant> {
		const tenant = await tenants.get(id);
		if (!tenant) throw notFound(id);
		return tenant;
	}

	async function has(id: string): Promise<boolean> {
		return (await find(id)) !== undefined;
	}

	/** Whether its users and devices may come in. The tenant of the service itself always may, as one that nobody has described. */
	async function isActive(id: string): Promise<boolean> {
		const tenant = await find(id);
		return tenant === undefined ? id === managementTenant : statusOf(tenant) === 'ACTIVE';
	}

	async function limitsOf(id: string): Promise<TenantLimits> {
		return { ...settings.limits, ...(await find(id))?.limits };
	}

	/** The tenant whose host name that is, else the default one. */
	async function ofHost(host: string | undefined): Promise<string> {
		const name = host?.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '') ?? '';
		if (!hostPattern.test(name)) return settings.defaultTenant;
		const suffix = settings.hostSuffix && `.${settings.hostSuffix.toLowerCase()}`;
		const label = suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : undefined;
		if (label !== undefined && (await has(label))) return label;
		return (await knownDomains.get(name))?.tenant ?? settings.defaultTenant;
	}

	/** In the order of their ids. */
	async function list(page: { readonly skip: number; readonly limit: number }): Promise<Tenant[]> {
		return tenants.find({ filter: {}, sort: [['_id', 1]], ...page });
	}

	async function count(): Promise<number> {
		return tenants.count({});
	}

	async function listDeleting(): Promise<Tenant[]> {
		return tenants.find({ filter: { status: 'DELETING' }, limit: 100 });
	}

	/** Stores the tenant where there is none of this id. Returns whether it did. */
	async function ensure(id: string): Promise<boolean> {
		const document: Tenant = { _id: id, creationTime: clock() };
		const outcome = await store.batch([{ kind: 'insert', collection: tenantSpec.name, document }]);
		known.forget(id);
		return outcome.ok;
	}

	/**
	 * A new tenant, with what `also` stores: its administrator.
	 * @throws AccessError `access/invalid`, `access/conflict` when the id or the domain is taken
	 */
	async function create(id: string, given: TenantChange, also: readonly Step[]): Promise<Tenant> {
		if (!idPattern.test(id))
			throw new AccessError(
				'access/invalid',
				`id must have 1 to 32 lower-case letters and digits, a letter first: found '${id.slice(0, 40)}'`,
			);
		const { domain, ...fields } = checked(given);
		const tenant: Tenant = {
			_id: id,
			creationTime: clock(),
			status: 'ACTIVE',
			...withoutNulls(fields),
			...(domain && { domain }),
		};
		const outcome = await store.batch([
			{ kind: 'insert', collection: tenantSpec.name, document: tenant },
			...(domain ? [claimStep(domain, id)] : []),
			...also,
		]);
		if (!outcome.ok)
			throw new AccessError(
				'access/conflict',
				outcome.failed === 0 ? `There is a tenant '${id}' already` : `The domain '${domain}' is of another tenant`,
			);
		known.forget(id);
		return tenant;
	}

	/** @throws AccessError `access/notFound`, `access/invalid`, `access/conflict` */
	async function change(id: string, asked: TenantChange): Promise<Tenant> {
		const { domain, status, ...fields } = checked(asked);
		if (status === 'SUSPENDED') refuseOwn(id, 'suspended');
		for (let attempt = 0; attempt < maxAttempts; attempt++) {
			const before = await get(id);
			if (before.status === 'DELETING') throw deleting(id);
			const { $set, $unset } = updateOf(before, { domain, status, ...fields });
			const where = { status: before.status ?? null, domain: before.domain ?? null };
			const moves = domain !== undefined && domain !== (before.domain ?? null);
			const outcome = await store.batch([
				{ kind: 'update', collection: tenantSpec.name, id, where, update: { $set, $unset } },
				...(moves && domain ? [claimStep(domain, id)] : []),
				...(moves && before.domain ? [{ kind: 'remove', collection: domainSpec.name, id: before.domain } as const] : []),
			]);
			known.forget(id);
			if (outcome.ok) return get(id);
			if (outcome.duplicate) throw new AccessError('access/conflict', `The domain '${domain}' is of another tenant`);
		}
		throw new AccessError('access/conflict', `Tenant '${id}' was changed by others again and again: try once more`);
	}

	/** The last step of a deletion: the tenant itself, and its domain. Its id can be used again. */
	async function removeRecord({ _id, domain }: Tenant): Promise<boolean> {
		const outcome = await store.batch([
			{ kind: 'require', collection: tenantSpec.name, id: _id, where: { status: 'DELETING' } },
			{ kind: 'remove', collection: tenantSpec.name, id: _id },
			...(domain ? [{ kind: 'remove', collection: domainSpec.name, id: domain } as const] : []),
		]);
		known.forget(_id);
		return outcome.ok;
	}

	/**
	 * Nobody comes in from now on; what the tenant has is removed by and by.
	 * @throws AccessError `access/notFound`, `access/invalid` for the tenants that the service needs
	 */
	async function remove(id: string): Promise<void> {
		refuseOwn(id, 'deleted');
		await get(id);
		await tenants.findOneAndUpdate(
			{ _id: id, status: { $ne: 'DELETING' } },
			{ $set: { status: 'DELETING', deletionTime: clock() } },
		);
		known.forget(id);
	}

	function refuseOwn(id: string, what: string): void {
		if (id === managementTenant || id === settings.defaultTenant)
			throw new AccessError('access/invalid', `Tenant '${id}' cannot be ${what}: the service itself needs it`);
	}

	/** Calls back when a tenant may be active no longer; `onGap` when that may have been missed. */
	function watchClosed(onClosed: (id: string) => void, onGap: () => void): void {
		tenants.watch((changes) => {
			for (const { id, kind, document } of changes)
				if (kind === 'removed' || (document && statusOf(document) !== 'ACTIVE')) onClosed(id);
		}, onGap);
	}

	return {
		defaultTenant: settings.defaultTenant,
		find,
		get,
		has,
		isActive,
		limitsOf,
		ofHost,
		list,
		count,
		listDeleting,
		ensure,
		create,
		change,
		remove,
		removeRecord,
		watchClosed,
	};
}

export function statusOf({ status = 'ACTIVE' }: Pick<Tenant, 'status'>): TenantStatus {
	return status;
}

const cachedTenants = 10_000;
const maxAttempts = 20;
const idPattern = /^[a-z][a-z0-9]{0,31}$/;
const hostPattern = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

function claimStep(domain: string, tenant: string): Step {
	const document: TenantDomain = { _id: domain, tenant };
	return { kind: 'insert', collection: domainSpec.name, document };
}

function checked(given: TenantChange): TenantChange {
	const domain = typeof given.domain === 'string' ? given.domain.toLowerCase() : given.domain;
	if (typeof domain === 'string' && !hostPattern.test(domain))
		throw new AccessError(
			'access/invalid',
			`domain must be a host name such as 'fleet.example.com', found '${domain.slice(0, 60)}'`,
		);
	return domain === undefined ? given : { ...given, domain };
}

function updateOf(before: Tenant, { limits, ...fields }: TenantChange): Required<Pick<Update, '$set' | '$unset'>> {
	const merged = limits && withoutNulls({ ...before.limits, ...limits });
	const given = Object.entries(fields);
	return {
		$set: { ...Object.fromEntries(given.filter(([, value]) => value != null)), ...(merged && { limits: merged }) },
		$unset: given.flatMap(([name, value]) => (value === null ? name : [])),
	};
}

function withoutNulls(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
	const present = Object.entries(fields).filter(([, value]) => value != null);
	return Object.fromEntries(present.map(([name, value]) => [name, isFields(value) ? withoutNulls(value) : value]));
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null;
}

function notFound(id: string): AccessError {
	return new AccessError('access/notFound', `No tenant '${id.slice(0, 40)}'`);
}

function deleting(id: string): AccessError {
	return new AccessError('access/conflict', `Tenant '${id}' is being deleted: it cannot be changed`);
}
