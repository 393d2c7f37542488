import type { Logger } from 'pino';
import type { Access, Principal } from '../../access/index.ts';
import type { Inventory, PackageLimits } from '../../inventory/index.ts';
import type { Operations } from '../../operations/index.ts';
import type { Metrics } from '../metrics.ts';
import { createInbound } from './inbound.ts';
import { createJsonMessages } from './json-messages.ts';
import { createOutbound } from './outbound.ts';
import type { Session } from './session.ts';
import { createTargets } from './targets.ts';
import { createTemplateHandlers } from './template-handlers.ts';

export interface GatewayOptions {
	readonly inventory: Inventory;
	readonly operations: Operations;
	readonly access: Access;
	readonly metrics: Metrics;
	readonly log: Logger;
	readonly clock: () => number;
	readonly version: string;
	readonly packageLimits: PackageLimits;
	readonly limits: {
		readonly maxFragments: number;
		readonly payloadMaxBytes: number;
		readonly downlinkMaxBytes: number;
		readonly unacknowledgedMaxMessages: number;
		readonly autoCreation: boolean;
	};
}

export type Gateway = ReturnType<typeof createGateway>;

/** Everything between a broker and the domain: what devices send, and what is sent to them. It knows no broker. */
export function createGateway(options: GatewayOptions) {
	const { inventory, limits } = options;
	const outbound = createOutbound({ ...options, window: limits.unacknowledgedMaxMessages });
	const targets = createTargets({ inventory, outbound, autoCreation: limits.autoCreation, log: options.log });
	const jsonMessages = createJsonMessages({ ...options, targets });
	const handlers = createTemplateHandlers({
		...options,
		outbound,
		targets,
		maxFragments: limits.maxFragments,
		downlinkMaxBytes: limits.downlinkMaxBytes,
	});
	const inbound = createInbound({ ...options, targets, handlers, jsonMessages });

	/** A device is connected: its managed object is looked up, so that operations reach it before it has said a word. */
	async function opened(session: Session): Promise<void> {
		const device = await inventory.devices.find(session.principal.tenant, session.serial);
		if (!device || session.closed) return;
		session.device ??= device;
		outbound.knownDevice(session);
	}

	/** Managed objects are gone: connections that speak for them look them up, or create them, anew. */
	function devicesRemoved(tenant: string, ids: readonly string[]): void {
		for (const session of outbound.sessionsOf(tenant, ids)) targets.forget(session);
	}

	return { opened, devicesRemoved, handleTurn: inbound.handleTurn, outbound };
}

/** The device that a client id names: `deviceIdentifier`, or the second part of `connectionType:deviceIdentifier[:templates]`. */
export function parseClientId(clientId: string): string | undefined {
	const parts = clientId.split(':');
	const serial = parts.length === 1 ? parts[0] : parts[1];
	if (parts.length > 3 || !serial || serial.length > 254 || /[\p{Cc}/+#]/u.test(serial)) return undefined;
	return serial;
}

/** Whether somebody may connect as a device: a device's user only as itself. */
export function mayConnectAs(principal: Principal, serial: string): boolean {
	return principal.serial === undefined || principal.serial === serial;
}
