import { z } from 'zod';
import { oneOf, optional, secretText, setting, wholeNumber } from './setting.ts';

/** The settings of client certificates. */
export const certificates = z
	.object({
		maxPerTenant: setting(
			'TRUSTED_CERTIFICATES_MAX',
			wholeNumber(1, 10_000_000),
			10_000,
			'How many certificates one tenant may trust; devices that upload their own count, too.',
		),
		maxPerDevice: setting(
			'DEVICE_CERTIFICATES_MAX',
			wholeNumber(1, 1000),
			50,
			'How many certificates that the service has signed, and that are good, one device may have; also how many of it that have expired stay on record.',
		),
		codeSeconds: setting(
			'CERTIFICATE_CODE_SECONDS',
			wholeNumber(60, 31_536_000),
			604_800,
			'Seconds that a verification code, with which a tenant proves that it has the key of a certificate, can be used.',
		),
		proof: setting(
			'CERTIFICATE_PROOF',
			oneOf(['shared', 'always']),
			'shared',
			'Which trusted certificates vouch for other certificates only when their tenant has proven that it has the key: `shared` those that several tenants trust, `always` all. `always` is for services whose tenants do not trust each other.',
		),
		authoritySecret: optional(
			'CERTIFICATE_AUTHORITY_SECRET',
			secretText,
			'Encrypts the private keys of the certificate authorities that the service keeps for its tenants; all processes need the same. Unset, the service signs no certificates of devices.',
		),
		authorityDays: setting(
			'CERTIFICATE_AUTHORITY_DAYS',
			wholeNumber(1, 36_500),
			3650,
			'Days that the certificate of such an authority is valid.',
		),
		deviceDays: setting(
			'DEVICE_CERTIFICATE_DAYS',
			wholeNumber(1, 36_500),
			365,
			'Days that a certificate which such an authority signs for a device is valid.',
		),
		listMaxBytes: setting(
			'CRL_MAX_BYTES',
			wholeNumber(1024, 8 * 1024 * 1024),
			2 * 1024 * 1024,
			'Largest revocation list, in bytes; one megabyte names about 25,000 certificates.',
		),
		overdueLists: setting(
			'CRL_OVERDUE',
			oneOf(['refuse', 'accept']),
			'refuse',
			'What becomes of the devices of an authority whose revocation list says that it should have been replaced by now.',
		),
	})
	.describe('Client certificates');
