import type { CollectionSpec, DocumentStore, Migration, StoredDocument } from '../store/index.ts';
import { type CertificateSettings, certificateCollections, openCertificates } from './certificates/certificates.ts';
import { openDeviceRegistration, type RegistrationSettings, registrationSpec } from './device-registration.ts';
import { createDeviceRemoval } from './device-removal.ts';
import { logoutSpec } from './logouts.ts';
import { generatePassword } from './passwords.ts';
import type { Role } from './permissions.ts';
import { bootstrapUser, managementTenant } from './principal.ts';
import { openRemovedDevices, removedDeviceSpec } from './removed-devices.ts';
import { openGlobalRoles, roleSpec } from './roles.ts';
import { rolesMigration } from './roles-migration.ts';
import { keySpec } from './signing-keys.ts';
import { openTenantOptions, optionSpec } from './tenant-options.ts';
import { domainSpec, openTenants, type Tenant, type TenantChange, type TenantSettings, tenantSpec } from './tenants.ts';
import { openTokens, type TokenSettings } from './tokens.ts';
import { checkUserName, openUserDirectory } from './user-directory.ts';
import { type AuthenticationLimits, openUsers, userSpec } from './users.ts';

/** Everything that access stores. */
export const accessCollections: readonly CollectionSpec<StoredDocument>[] = [
	tenantSpec,
	domainSpec,
	userSpec,
	roleSpec,
	optionSpec,
	registrationSpec,
	removedDeviceSpec,
	keySpec,
	logoutSpec,
	...certificateCollections,
];

export const accessMigrations: readonly Migration[] = [rolesMigration];

export interface AccessOptions {
	readonly store: DocumentStore;
	/** Milliseconds since 1970. */
	readonly clock: () => number;
	/** Milliseconds that never go back, for durations. */
	readonly elapsed: () => number;
	/** Resolves after so many milliseconds. */
	readonly pause: (milliseconds: number) => Promise<void>;
	readonly limits: AuthenticationLimits;
	readonly tokens: TokenSettings;
	readonly tenants: TenantSettings;
	readonly certificates: CertificateSettings;
	readonly registration: RegistrationSettings;
}

/** What a first start needs; a password that is not given is generated. */
export interface FirstStart {
	readonly tenant: string;
	readonly adminUserName: string;
	readonly adminPassword?: string;
	readonly bootstrapPassword?: string;
	/** Of the tenant that looks after the others; it has no administrator where no name is given. */
	readonly managementUserName?: string;
	readonly managementPassword?: string;
}

/** Credentials that are shown once: only their hashes are kept. */
export interface ShownCredentials {
	readonly user: string;
	readonly password: string;
}

export type Access = Awaited<ReturnType<typeof openAccess>>;

/** Opens tenants, users, registrations and tokens on a store. */
export async function openAccess(given: AccessOptions) {
	const { store, clock, elapsed, pause, limits } = given;
	const tenants = await openTenants({ store, clock, elapsed, settings: given.tenants });
	const roles = await openGlobalRoles({ store, elapsed });
	const users = await openUsers({ store, clock, elapsed, pause, limits, tenants, roles });
	const options = await openTenantOptions({ store });
	const removedDevices = await openRemovedDevices({ store, clock });
	const registration = await openDeviceRegistration({
		...given,
		users,
		tenants,
		tenantOptions: options,
		removedDevices,
		settings: given.registration,
	});
	const tokens = await openTokens({ store, users, clock, elapsed, settings: given.tokens });
	const certificates = await openCertificates({ store, users, removedDevices, tenants, clock, settings: given.certificates });
	const deviceRemoval = createDeviceRemoval({ store, users, registration, certificates, removedDevices });
	const directory = openUserDirectory({ store, users, tenants, roles, deviceRemoval, clock });

	/**
	 * Creates the tenant, its administrator and the bootstrap user where they are missing; returns what was generated.
	 * A password that is given in the configuration is set at every start.
	 */
	async function prepare(first: FirstStart): Promise<ShownCredentials[]> {
		await tenants.ensure(first.tenant);
		await tenants.ensure(managementTenant);
		const shown = [
			await prepareUser(first.tenant, first.adminUserName, first.adminPassword, 'admin'),
			first.managementUserName !== undefined &&
				(await prepareUser(managementTenant, first.managementUserName, first.managementPassword, 'admin')),
			await prepareUser(managementTenant, bootstrapUser, first.bootstrapPassword, 'bootstrap'),
		];
		return shown.filter((credentials) => credentials !== undefined && credentials !== false);
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

	/**
	 * A new tenant with its administrator.
	 * @throws AccessError `access/invalid`, `access/conflict`, `access/weakPassword`
	 */
	async function createTenant(
		id: string,
		change: TenantChange,
		admin: { readonly userName: string; readonly password: string },
	): Promise<Tenant> {
		checkUserName(admin.userName);
		users.checkPassword(admin.userName, admin.password);
		const adminStep = await users.setStep(id, admin.userName, admin.password, 'admin');
		return tenants.create(id, { ...change, adminName: admin.userName }, [adminStep]);
	}

	return {
		tenants,
		users,
		roles,
		directory,
		options,
		registration,
		deviceRemoval,
		tokens,
		certificates,
		prepare,
		createTenant,
	};
}
