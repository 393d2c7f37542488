import { type Actor, openAuditTrail } from '../../audit/index.ts';
import { openInventory } from '../../inventory/index.ts';
import { openOperations } from '../../operations/index.ts';
import { auditTable } from '../../service/audit-table.ts';
import { openSqliteStore } from '../../store/sqlite/index.ts';
import { inventoryLimits } from '../inventory-limits.ts';
import { serialOf, tenantOf } from './fleet.ts';

/** The domain on an embedded store in this folder, with the service's own limits, and everything on record as the service has it. */
export async function openDomain(directory: string, groupSteps?: number) {
	const clock = Date.now;
	const store = await openSqliteStore({ directory, now: clock, ...(groupSteps !== undefined && { maxGroupSteps: groupSteps }) });
	const trail = await openAuditTrail({
		store,
		table: auditTable,
		clock,
		elapsed: () => performance.now(),
		limits: { valueMaxCharacters: 2000, changesMax: 100, deviceReports: true, retentionDays: 0 },
		application: 'advanced-software-mgmt',
		onStored: () => undefined,
	});
	const inventory = await openInventory({ store: trail.store, clock, limits: inventoryLimits });
	const operations = await openOperations({
		store: trail.store,
		inventory,
		clock,
		limits: { operationMaxBytes: 1024 ** 2, maxItems: 10_000 },
		numbersAtATime: 100,
		fault: () => undefined,
	});
	return { store, inventory, operations, seal: () => trail.seal([]) };
}

/** A device at work, as it is on record. */
export function deviceActor(device: number, tenants: number, call: string): Actor {
	const serial = serialOf(device);
	return {
		tenant: tenantOf(device, tenants),
		userName: `device_${serial}`,
		isDevice: true,
		channel: 'mqtt',
		device: serial,
		call,
	};
}

/** An operator at work. */
export function operatorActor(tenant: string): Actor {
	return {
		tenant,
		userName: 'admin',
		isDevice: false,
		channel: 'http',
		address: '192.0.2.1',
		call: 'POST /devicecontrol/operations',
	};
}
