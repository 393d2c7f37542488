import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type AuditRecord, openAuditTrail } from '../audit/index.ts';
import type { Config } from '../config/index.ts';
import type { DocumentStore } from '../store/index.ts';
import { auditTable } from './audit-table.ts';
import type { LeaseKeeper } from './leases.ts';
import type { Job } from './scheduler.ts';

/** The name under which this service is known to Cumulocity's clients. */
const application = 'advanced-software-mgmt';
const sealEveryMilliseconds = 1000;
const retentionEveryMilliseconds = 3_600_000;

export type Audit = Awaited<ReturnType<typeof composeAudit>>;

/** The audit on a store, with what seals its records, and lets old ones go, for as long as the service runs. */
export async function composeAudit({
	config: { audit: limits },
	store,
	leases,
	clock,
	elapsed,
	log,
}: {
	readonly config: Pick<Config, 'audit'>;
	readonly store: DocumentStore;
	readonly leases: LeaseKeeper;
	readonly clock: () => number;
	readonly elapsed: () => number;
	readonly log: Logger;
}) {
	const onStored = (record: AuditRecord) => logRecord(log, record);
	const trail = await openAuditTrail({ store, table: auditTable, clock, elapsed, limits, application, onStored });
	leases.holdLease('audit', {
		async onHeld(lease, signal) {
			while (!signal.aborted) {
				await trail.seal([leases.guard(lease)], signal);
				await delay(sealEveryMilliseconds, undefined, { signal, ref: false }).catch(() => undefined);
			}
		},
	});
	const retention: Job = {
		name: 'audit retention',
		everyMilliseconds: retentionEveryMilliseconds,
		once: true,
		async run() {
			const removed = await trail.removeOld();
			if (removed > 0) log.info({ removed }, 'old audit records were removed');
		},
	};
	return { trail, jobs: [retention] };
}

// The line is made of the record, so that there is one account of what was done. Of devices and of the service itself there are too many.
export function logRecord(log: Logger, { tenant, user, type, source, activity, text, origin, changes }: AuditRecord): void {
	const level = origin.channel === 'http' ? 'info' : 'debug';
	// Each login that is refused has its line already, also where it is not on record.
	if (type === 'UserAuthentication' || !log.isLevelEnabled(level)) return;
	const fields = changes.slice(0, 20).map(({ attribute }) => attribute);
	log[level]({ tenant, user, type, source, text, fields, ...origin }, activity);
}
