import { z } from 'zod';
import { certificateStatuses, describeCertificate, type Principal, type TrustedCertificate } from '../../access/index.ts';
import { formatTime } from '../../inventory/index.ts';
import { HttpError } from './http-error.ts';
import type { Json } from './managed-object-json.ts';
import { timeSchema } from './managed-object-schema.ts';

export const certificateSchema = z
	.object({
		self: z.string(),
		fingerprint: z.string().meta({ description: 'SHA-1, 40 hexadecimal digits' }),
		name: z.string(),
		status: z.enum(certificateStatuses),
		autoRegistrationEnabled: z.boolean(),
		certInPemFormat: z.string(),
		algorithmName: z.string(),
		subject: z.string(),
		issuer: z.string(),
		serialNumber: z.string().meta({ description: 'Decimal digits' }),
		version: z.int(),
		notBefore: timeSchema,
		notAfter: timeSchema,
		tenantCertificateAuthority: z.boolean().meta({ description: 'Whether the service itself signs with it' }),
		proofOfPossessionValid: z.boolean(),
		proofOfPossessionUnsignedVerificationCode: z.string().optional(),
		proofOfPossessionVerificationCodeUsableUntil: timeSchema.optional(),
	})
	.meta({ id: 'TrustedCertificate' });

/** A trusted certificate as it is answered. */
export function certificateJson(trusted: TrustedCertificate, base: string): Json {
	const { tenant, fingerprint, name, status, autoRegistrationEnabled, verificationCode, codeUsableUntil } = trusted;
	const { pem, algorithmName, subject, issuer, serialNumber, version, notBefore, notAfter } = describeCertificate(trusted);
	return {
		self: `${base}/tenant/tenants/${encodeURIComponent(tenant)}/trusted-certificates/${fingerprint}`,
		fingerprint,
		name,
		status,
		autoRegistrationEnabled,
		certInPemFormat: pem,
		algorithmName,
		subject,
		issuer,
		serialNumber: BigInt(`0x${serialNumber}`).toString(),
		version,
		notBefore: formatTime(notBefore),
		notAfter: formatTime(notAfter),
		tenantCertificateAuthority: trusted.isOwnAuthority ?? false,
		proofOfPossessionValid: trusted.isProven,
		...(verificationCode !== undefined && { proofOfPossessionUnsignedVerificationCode: verificationCode }),
		...(codeUsableUntil !== undefined && { proofOfPossessionVerificationCodeUsableUntil: formatTime(codeUsableUntil) }),
	};
}

/** The tenant that the path names. @throws HttpError `http/forbidden` where it is not the caller's */
export function ownTenant({ tenant }: Principal, named: string): string {
	if (named === tenant) return tenant;
	throw new HttpError(
		'http/forbidden',
		`The certificates of another tenant cannot be seen or changed: your tenant is '${tenant}'`,
	);
}
