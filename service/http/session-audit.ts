import type { Principal } from '../../access/index.ts';
import type { HttpServices } from './http-options.ts';

/** What somebody did with sessions: on record, and a line in the log. */
export function createSessionAudit({ audit, log }: Pick<HttpServices, 'audit' | 'log'>) {
	return async function note(
		{ tenant, userName }: Principal,
		activity: string,
		{ address, call, ...more }: { readonly address: string; readonly call: string; readonly provider?: string },
	): Promise<void> {
		await audit.note({
			tenant,
			type: 'UserAuthentication',
			activity,
			text: more.provider === undefined ? activity : `${activity} by the provider '${more.provider}'`,
			severity: 'INFORMATION',
			user: userName,
			source: userName,
			origin: { channel: 'http', address, call },
		});
		log.info({ tenant, user: userName, address, ...more }, activity);
	};
}
