import type { CollectionSpec, DocumentStore, StoredDocument } from '../store/index.ts';
import { type CertificateSettings, certificateCollections, openCertificates } from './certificates/certificates.ts';
import { openDeviceRegistration, registrationSpec } from './device-registration.ts';
import { generatePassword } from './passwords.ts';
import { bootstrapUser, managementTenant, type Role } from './principal.ts';
import { keySpec, openTokens } from './tokens.ts';
import { type AuthenticationLimits, openUsers, userSpec } from './users.ts';

interface Tenant extends StoredDocument {
	readonly creationTime: number;
}

const spec: CollectionSpec<Tenant> = { name: 'tenants', indexes: [] };

/** Everything that access stores. */
export const accessCollections: readonly CollectionSpec<StoredDocument>[] = [
	spec,
	userSpec,
	registrationSpec,
	keySpec,
	...certificateCollections,
];

export interface AccessOptions {
	readonly store: DocumentStore;
	/** Milliseconds since 1970. */
	readonly clock: () => number;
	/** Milliseconds that never go back, for durations. */
	readonly elapsed: () => number;
	readonly limits: AuthenticationLimits;
	readonly tokenLifetimeSeconds: number;
	readonly certificates: CertificateSettings;
}

/** What a first start needs; a password that is not given is generated. */
export interface FirstStart {
	readonly tenant: string;
	readonly adminUserName: string;
	readonly adminPassword?: string;
	readonly bootstrapPassword?: string;
}

/** Credentials that are shown once: only their hashes are kept. */
export interface ShownCredentials {
	readonly user: string;
	readonly password: string;
}

export type Access = Awaited<ReturnType<typeof openAccess>>;

/** Opens tenants, users, registrations and tokens on a store. */
export async function openAccess({
	store,
	clock,
	elapsed,
	limits,
	tokenLifetimeSeconds,
	certificates: certificateSettings,
}: AccessOptions) {
	const tenants = await store.collection(spec);
	const knownTenants = new Set<string>();
	const users = await openUsers({ store, clock, elapsed, limits });
	const registration = await openDeviceRegistration({ store, users, clock, elapsed, limits });
	const tokens = await openTokens({ store, users, clock, lifetimeSeconds: tokenLifetimeSeconds });

	const certificates = await openCertificates({ store, users, clock, settings: certificateSettings });

	/**
	 * Creates the tenant, its administrator and the bootstrap user where they are missing; returns what was generated.
	 * A password that is given in the configuration is set at every start.
	 */
	async function prepare({ tenant, adminUserName, adminPassword, bootstrapPassword }: FirstStart): Promise<ShownCredentials[]> {
		const document: Tenant = { _id: tenant, creationTime: clock() };
		await store.batch([{ kind: 'insert', collection: spec.name, document }]);
		const shown = [
			await prepareUser(tenant, adminUserName, adminPassword, 'admin'),
			await prepareUser(managementTenant, bootstrapUser, bootstrapPassword, 'bootstrap'),
		];
		return shown.filter((credentials) => credentials !== undefined);
	}

	async function prepareUser(
		tenant: string,
		userName: string,
		given: string | undefined,
		role: Role,
	): Promise<ShownCredentials | undefined> {
		if (given !== undefined) {
			const present = await users.authenticate(tenant, userName, given, 'configuration');
			if (!present.ok) await users.set(tenant, userName, given, role);
			return undefined;
		}
		if (await users.find(tenant, userName)) return undefined;
		const password = generatePassword();
		// Of two processes that start at once, the one whose user is stored shows the password.
		const created = await users.create(tenant, userName, password, role);
		return created ? { user: `${tenant}/${userName}`, password } : undefined;
	}

	/** Whether there is such a tenant. Tenants are never removed, so what is known stays true. */
	async function hasTenant(tenant: string): Promise<boolean> {
		if (knownTenants.has(tenant)) return true;
		const isKnown = (await tenants.get(tenant)) !== undefined;
		if (isKnown) knownTenants.add(tenant);
		return isKnown;
	}

	return { users, registration, tokens, certificates, prepare, hasTenant };
}
