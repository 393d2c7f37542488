import type { CollectionSpec, DocumentStore, Migration, StoredDocument } from '../store/index.ts';
import { AccessError } from './access-error.ts';
import { type CertificateSettings, certificateCollections, openCertificates } from './certificates/certificates.ts';
import { openDeviceRegistration, type RegistrationSettings } from './device-registration.ts';
import { createDeviceRemoval } from './device-removal.ts';
import { logoutSpec } from './logouts.ts';
import { generatePassword, verifyPassword } from './passwords.ts';
import { bootstrapUser, managementTenant } from './principal.ts';
import { registrationSpec } from './registration.ts';
import { openRemovedDevices, removedDeviceSpec } from './removed-devices.ts';
import { openGlobalRoles, roleSpec } from './roles.ts';
import { rolesMigration } from './roles-migration.ts';
import { keySpec } from './signing-keys.ts';
import { openTenantOptions, optionSpec } from './tenant-options.ts';
import { domainSpec, openTenants, type Tenant, type TenantChange, type TenantSettings, tenantSpec } from './tenants.ts';
import { openTokens, type TokenSettings } from './tokens.ts';
import { openUserDirectory } from './user-directory.ts';
import { checkUserName } from './user-fields.ts';
import { type AuthenticationLimits, globalRolesOf, openUsers, userSpec } from './users.ts';

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
	/** Told what became of a password that is given, unless nothing did. */
	readonly onGiven?: (user: string, outcome: GivenPassword) => void;
}

/** A user has it from now on, or has chosen another one since it was given for the first time. */
export type GivenPassword = 'set' | 'changed since';

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
	 * A password that is given in the configuration is set when it is given for the first time: what the user chose after that
	 * stays, until another one is given.
	 */
	async function prepare(first: FirstStart): Promise<ShownCredentials[]> {
		await tenants.ensure(first.tenant);
		await tenants.ensure(managementTenant);
		const { onGiven = () => undefined } = first;
		const shown = [
			await prepareUser(first.tenant, first.adminUserName, first.adminPassword, 'admin', onGiven),
			first.managementUserName !== undefined &&
				(await prepareUser(managementTenant, first.managementUserName, first.managementPassword, 'admin', onGiven)),
			await prepareUser(managementTenant, bootstrapUser, first.bootstrapPassword, 'bootstrap', onGiven),
		];
		return shown.filter((credentials) => credentials !== undefined && credentials !== false);
	}

	async function prepareUser(
		tenant: string,
		userName: string,
		given: string | undefined,
		role: 'admin' | 'bootstrap',
		onGiven: Required<FirstStart>['onGiven'],
	): Promise<ShownCredentials | undefined> {
		const present = await users.find(tenant, userName);
		if (given !== undefined) {
			const outcome = await setGiven(tenant, userName, given, role, present?.passwordHash);
			if (outcome) onGiven(`${tenant}/${userName}`, outcome);
			return undefined;
		}
		if (present) return undefined;
		const password = generatePassword();
		// Of two processes that start at once, the one whose user is stored shows the password.
		const created = await users.create(tenant, userName, password, role);
		return created ? { user: `${tenant}/${userName}`, password } : undefined;
	}

	async function setGiven(
		tenant: string,
		userName: string,
		given: string,
		role: 'admin' | 'bootstrap',
		presentHash: string | undefined,
	): Promise<GivenPassword | undefined> {
		const before = (await tenants.get(tenant)).givenPasswords?.[role];
		const isPresent = presentHash !== undefined && (await users.authenticate(tenant, userName, given, 'configuration')).ok;
		const wasGiven = presentHash !== undefined && before !== undefined && (isPresent || (await verifyPassword(before, given)));
		if (wasGiven) return isPresent ? undefined : 'changed since';
		const user = isPresent ? undefined : await users.newUser(tenant, userName, given, role);
		const update = { $set: { [`givenPasswords.${role}`]: user?.passwordHash ?? presentHash } };
		await store.batch([
			{ kind: 'update', collection: tenantSpec.name, id: tenant, update },
			...(user ? [{ kind: 'put', collection: userSpec.name, document: user } as const] : []),
		]);
		users.forget(`${tenant}/${userName}`);
		return user && 'set';
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

	/**
	 * Changes a tenant, and gives its administrator another password where there is one; who is not there is made.
	 * @throws AccessError as `tenants.change`, and `access/weakPassword`
	 */
	async function changeTenant(
		id: string,
		change: TenantChange,
		admin: { readonly userName?: string | undefined; readonly password?: string | undefined },
	): Promise<Tenant> {
		const { adminName } = await tenants.get(id);
		const { userName = adminName, password } = admin;
		if (password === undefined) {
			if (userName !== adminName) throw invalid('adminName changes only together with adminPass: say both, or none');
			return tenants.change(id, change);
		}
		if (userName === undefined)
			throw invalid(`adminName is missing: tenant '${id}' does not tell whose password adminPass is to be`);
		// Whoever looks after tenants must not become more among their own.
		if (id === managementTenant)
			throw invalid(`adminPass is not for tenant '${id}': use PUT /user/${id}/users/{userName} with a password`);
		checkUserName(userName);
		users.checkPassword(userName, password);
		const present = await users.find(id, userName);
		if (userName !== adminName && present && !globalRolesOf(present).includes('admin'))
			throw invalid(`User '${userName}' of tenant '${id}' is no administrator: name one in adminName, or somebody new`);
		const changed = await tenants.change(id, { ...change, adminName: userName });
		await users.set(id, userName, password, 'admin');
		return changed;
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
		changeTenant,
	};
}

function invalid(message: string): AccessError {
	return new AccessError('access/invalid', message);
}
