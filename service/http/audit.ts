import type { Logger } from 'pino';
import type { Principal } from '../../access/index.ts';

export type Audit = ReturnType<typeof createAudit>;

/** One line a change of state: who did what to what. */
export function createAudit(log: Logger) {
	return function note({ tenant, userName }: Principal, what: string, fields: Readonly<Record<string, unknown>>): void {
		log.info({ tenant, user: userName, ...fields }, what);
	};
}
