/** Everything about who may do what, on one store. */
export {
	type Access,
	type AccessOptions,
	accessCollections,
	accessMigrations,
	type FirstStart,
	type GivenPassword,
	openAccess,
	type ShownCredentials,
} from './access.ts';
/** Refusals. */
export { AccessError, type AccessErrorCode } from './access-error.ts';
/** Certificates that tenants trust, and devices that log in with one. */
export type { CertificateLogin } from './certificates/certificate-login.ts';
export type { CertificateProof } from './certificates/certificate-proof.ts';
export type { CertificateSettings } from './certificates/certificates.ts';
export { type IssuedCertificate, issuedStatuses } from './certificates/issued-certificates.ts';
export { certificateStatuses, describeCertificate, type TrustedCertificate } from './certificates/trusted-certificates.ts';
/** Devices that are expected. */
export type { RegistrationSettings } from './device-registration.ts';
/** An address as it is counted. */
export { networkOf } from './login-attempts.ts';
/** Passwords that somebody may choose. */
export { checkNewPassword } from './password-rules.ts';
/** What may be done, and the roles that say so. */
export {
	type CumulocityRole,
	cumulocityRoleNames,
	cumulocityRoles,
	effectiveRoles,
	type InventoryRole,
	inventoryRoles,
	isInventoryRole,
	managementPermissions,
	type Permission,
	permissions,
	permissionsOf,
	type Role,
	rolePermissions,
	toReadable,
} from './permissions.ts';
/** Who somebody is and what they may do. */
export {
	bootstrapUser,
	deviceUserPrefix,
	effectivePermissions,
	groupsWith,
	type InventoryAssignment,
	managementTenant,
	mayConnectAs,
	mayDo,
	mayDoSomewhere,
	type Principal,
	parseUserName,
	systemUser,
} from './principal.ts';
export { type Registration, type RegistrationStatus, registrationStatuses } from './registration.ts';
/** Roles that users of a tenant can have, groups in the words of clients. */
export { type GlobalRole, predefinedGlobalRoles, type RoleChange, roleKey } from './roles.ts';
/** Serials of devices, and who may take which. */
export { isSerial, serialFault, serialOfOther } from './serials.ts';
/** Tokens, and how they are signed. */
export { type SigningAlgorithm, signingAlgorithms } from './signing-keys.ts';
/** Settings that tools keep at a tenant. */
export type { TenantOption } from './tenant-options.ts';
/** Tenants. */
export { statusOf, type Tenant, type TenantChange, type TenantLimits, type TenantSettings, tenantStatuses } from './tenants.ts';
export type { TokenSession, TokenSettings, Verification } from './tokens.ts';
/** Users, as others look after them. */
export type { UserFilter } from './user-directory.ts';
export type { NewUser, UserChange, UserProfile } from './user-fields.ts';
export { type Authentication, type AuthenticationLimits, globalRolesOf, type User } from './users.ts';
