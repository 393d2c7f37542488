import type { Logger } from 'pino';
import { type Access, managementTenant, parseUserName, statusOf } from '../access/index.ts';
import type { AuditTrail } from '../audit/index.ts';
import type { Config } from '../config/index.ts';

/** A login that was refused. */
export interface RefusedLogin {
	/** What the client called itself: `tenant/user` or `user`. */
	readonly user: string | undefined;
	/** The host name that the client called: the tenant of those who name none. */
	readonly host: string;
	readonly reason: string;
	readonly channel: 'http' | 'mqtt';
	readonly address: string;
	readonly call?: string;
}

export type NoteRefusedLogin = (login: RefusedLogin) => void;

/**
 * Puts refused logins on record, so many a minute: whoever guesses must not fill the store. Those beyond are counted in the
 * next record.
 */
export function createRefusedLogins(options: {
	readonly config: Pick<Config, 'audit'>;
	readonly trail: Pick<AuditTrail, 'note'>;
	readonly access: { readonly tenants: Pick<Access['tenants'], 'find' | 'ofHost'> };
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	readonly log: Logger;
}): NoteRefusedLogin {
	const { config, trail, access, elapsed, log } = options;
	const { refusedLoginsPerMinute } = config.audit;
	let since = Number.NEGATIVE_INFINITY;
	let noted = 0;
	let more = 0;

	async function note({ user = '', host, reason, channel, address, call }: RefusedLogin, beside: number): Promise<void> {
		const claimed = parseUserName(user.slice(0, 300), await access.tenants.ofHost(host));
		// Anybody may name any tenant; one that is being deleted must not be left with records when everything else of it is gone.
		const known = await access.tenants.find(claimed.tenant);
		const tenant = known && statusOf(known) !== 'DELETING' ? claimed.tenant : managementTenant;
		const name = tenant === claimed.tenant ? claimed.userName : `${claimed.tenant}/${claimed.userName}`;
		await trail.note({
			tenant,
			type: 'UserAuthentication',
			activity: 'Login refused',
			text: `Login refused: ${reason}${beside > 0 ? `; ${beside} more were refused and are not on record` : ''}`,
			severity: 'WARNING',
			user: name,
			source: name,
			origin: { channel, address, ...(call !== undefined && { call }) },
		});
	}

	return (login) => {
		if (elapsed() - since >= 60_000) {
			since = elapsed();
			noted = 0;
		}
		if (noted >= refusedLoginsPerMinute) {
			more++;
			return;
		}
		noted++;
		const beside = more;
		more = 0;
		note(login, beside).catch((error: unknown) => log.warn({ err: error }, 'a refused login could not be put on record'));
	};
}
