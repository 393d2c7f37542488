import { z } from 'zod';
import { setting, wholeNumber } from './setting.ts';

/** What is kept of what devices tell about themselves, and for how long. */
export const events = z
	.object({
		retentionDays: setting(
			'EVENTS_RETENTION_DAYS',
			wholeNumber(0, 36_500),
			90,
			'Days after which events are removed, with their files; 0 keeps them for ever.',
		),
		maxPerDevice: setting(
			'EVENTS_MAX_PER_DEVICE',
			wholeNumber(1, 100_000),
			1000,
			'Events of one managed object; with one more, the one that came first goes, with its file.',
		),
	})
	.describe('Events');
