/** Everything about who may do what, on one store. */
export {
	type Access,
	type AccessOptions,
	accessCollections,
	type FirstStart,
	openAccess,
	type ShownCredentials,
} from './access.ts';
/** Refusals. */
export { AccessError, type AccessErrorCode } from './access-error.ts';
/** Devices that are expected. */
export {
	type DeviceCredentials,
	type Registration,
	type RegistrationStatus,
	registrationStatuses,
} from './device-registration.ts';
/** Who somebody is and what they may do. */
export {
	bootstrapUser,
	deviceUserPrefix,
	managementTenant,
	mayDo,
	type Permission,
	type Principal,
	parseUserName,
	permissions,
	type Role,
	rolePermissions,
} from './principal.ts';
export { isSerialOfOther } from './serials.ts';
/** Logins: what passwords and tokens have to be, and what somebody is who has shown one. */
export { type SigningAlgorithm, signingAlgorithms } from './signing-keys.ts';
export type { TokenSession, TokenSettings, Verification } from './tokens.ts';
export type { Authentication, AuthenticationLimits } from './users.ts';
