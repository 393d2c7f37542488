import { z } from 'zod';
import { setting, wholeNumber, yesOrNo } from './setting.ts';

/** What is on record of changes, and for how long. */
export const audit = z
	.object({
		retentionDays: setting(
			'AUDIT_RETENTION_DAYS',
			wholeNumber(0, 36_500),
			365,
			'Days after which audit records are removed, the oldest first; 0 keeps them for ever.',
		),
		deviceReports: setting(
			'AUDIT_DEVICE_REPORTS',
			yesOrNo,
			true,
			'Whether changes of their software that devices report are on record, as those of users always are: one record a write. Without, a database takes several times as many such messages.',
		),
		valueMaxCharacters: setting(
			'AUDIT_VALUE_MAX_CHARACTERS',
			wholeNumber(64, 10_000),
			2000,
			'Longest value, before or after, in an audit record, in characters; a longer one is replaced by its SHA-256 and length.',
		),
		changesMax: setting(
			'AUDIT_CHANGES_MAX',
			wholeNumber(1, 200),
			100,
			'How many changed attributes one audit record shows; those beyond are named together.',
		),
		refusedLoginsPerMinute: setting(
			'AUDIT_REFUSED_LOGINS_PER_MINUTE',
			wholeNumber(0, 1_000_000),
			60,
			'How many refused logins a minute a process puts on record; more are counted in the next record. All are in the log.',
		),
	})
	.describe('Audit');
