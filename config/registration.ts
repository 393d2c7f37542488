import { z } from 'zod';
import { setting, wholeNumber } from './setting.ts';

/** Devices that are expected. */
export const registration = z
	.object({
		expiryHours: setting(
			'REGISTRATION_EXPIRY_HOURS',
			wholeNumber(0, 87_600),
			336,
			'Hours after which a registration ends that has not led to credentials or a certificate; 0 means never.',
		),
		maxPerTenant: setting(
			'REGISTRATIONS_MAX',
			wholeNumber(1, 1_000_000),
			10_000,
			'How many registrations of one tenant may wait at a time.',
		),
		pollsPerMinute: setting(
			'CREDENTIALS_POLLS_PER_MINUTE',
			wholeNumber(1, 6000),
			120,
			'How often a minute each process lets one device ask for its credentials, over MQTT and HTTP together; more is not looked at.',
		),
		maxWrongTokens: setting(
			'SECURITY_TOKEN_ATTEMPTS_MAX',
			wholeNumber(1, 1000),
			10,
			'Wrong security tokens, of whoever accepts a device and of the device together, after which its registration is blocked.',
		),
	})
	.describe('Device registration');
