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
/** Certificates that tenants trust, and devices that log in with one. */
export type { CertificateLogin } from './certificates/certificate-login.ts';
export type { CertificateProof } from './certificates/certificate-proof.ts';
export type { CertificateSettings } from './certificates/certificates.ts';
export { certificateStatuses, describeCertificate, type TrustedCertificate } from './certificates/trusted-certificates.ts';
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
export { isSerial, isSerialOfOther } from './serials.ts';
export type { Authentication, AuthenticationLimits } from './users.ts';
