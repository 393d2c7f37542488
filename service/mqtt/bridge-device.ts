import { deviceUserPrefix, type Principal } from '../../access/index.ts';
import type { DeviceQueue } from './device-queue.ts';
import type { DeviceConnection, Session } from './session.ts';

/** A device of a partition: its messages stay in one queue, while its sessions come and go. */
export interface BridgeDevice {
	readonly tenant: string;
	readonly serial: string;
	clientId: string;
	/** It uses JSON topics. */
	json: boolean;
	/** It gets its operations from here. */
	home: boolean;
	/** What the store knows of it is known here. */
	lookedUp: boolean;
	/** What the store knows of it is what is known here. */
	remembered: boolean;
	/** Absent while the device is known to be away. */
	session?: Session;
	/** Present while the session is being opened. */
	opening?: Promise<Session>;
	readonly queue: DeviceQueue;
}

/** Topics that answers go to. What a device listens to at an outside broker cannot be seen, so it is taken to listen to all. */
const answerTopics = ['s/e', 's/dt', 's/dat', 'error'] as const;

/** The outside broker has let the device in: whoever may publish under its prefix is the device, and nobody else. */
export function createBridgeSession(
	{ tenant, serial }: Pick<BridgeDevice, 'tenant' | 'serial'>,
	host: string,
	connection: DeviceConnection,
): Session {
	const principal: Principal = { tenant, userName: `${deviceUserPrefix}${serial}`, role: 'device', serial };
	const subscriptions = new Map(answerTopics.map((topic) => [topic, 1 as const] as [string, 0 | 1]));
	return { principal, serial, host, connection, subscriptions, closed: false };
}
