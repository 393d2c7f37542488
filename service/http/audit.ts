import type { Logger } from 'pino';
import type { Principal } from '../../access/index.ts';
import { serialType } from '../../inventory/index.ts';
import type { Operation } from '../../operations/index.ts';

/** One line a change of state: who did what to what. */
export function createAudit(log: Logger) {
	return function note({ tenant, userName }: Principal, what: string, fields: Readonly<Record<string, unknown>>): void {
		log.info({ tenant, user: userName, ...fields }, what);
	};
}

/** What a line about an operation tells; the device goes by its serial, as in the lines of the MQTT side. */
export function auditFields({ id, deviceId, externalIds, status, failureReason, fragmentNames }: Operation) {
	const serial = externalIds.find(({ type }) => type === serialType)?.externalId;
	return {
		operation: id,
		...(serial !== undefined && { device: serial }),
		managedObject: deviceId,
		status,
		...(failureReason !== undefined && { failureReason }),
		fragments: fragmentNames.slice(0, 10),
	};
}
