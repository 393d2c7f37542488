import type { Logger } from 'pino';
import type { Config } from '../config/index.ts';
import { createDeadline } from './deadline.ts';
import type { LeaseKeeper } from './leases.ts';
import type { Listener } from './listeners.ts';
import type { Bridge, EmbeddedBroker, Gateway } from './mqtt/index.ts';
import type { OtherProcesses } from './other-processes.ts';

// Of the time that is left: the rest is for what connections leave behind.
const drainShare = 0.7;

/**
 * Ends what runs, in the order that costs clients least: load balancers see it first, then no connection is taken up, devices leave
 * a few at a time, running requests end. All of it has SHUTDOWN_GRACE_SECONDS; the store is closed after it.
 */
export async function shutDown(parts: {
	readonly config: Config;
	readonly elapsed: () => number;
	readonly listeners: readonly Listener[];
	readonly broker: EmbeddedBroker;
	readonly bridge: Bridge | undefined;
	readonly gateway: Gateway;
	readonly scheduler: { stop(): void };
	readonly leases: LeaseKeeper;
	readonly others: OtherProcesses | undefined;
	readonly log: Logger;
}): Promise<void> {
	const { config, elapsed, listeners, broker, bridge, gateway, scheduler, leases, others, log } = parts;
	const { drainDelaySeconds, drainConnectionsPerSecond } = config.processes;
	const deadline = createDeadline(config.server.shutdownGraceSeconds * 1000, elapsed);
	await deadline.pause(drainDelaySeconds * 1000);
	const closing = listeners.map((listener) => listener.close(deadline.left()));
	// What fails keeps nothing else from ending in order: the database may be away, too.
	const ending = async (part: Promise<unknown> | undefined) =>
		part?.catch((error: unknown) => log.warn({ err: error }, 'a part of the service did not end as it should'));
	const leaving = ending(bridge?.close(deadline.left() * drainShare));
	await ending(broker.drain(drainConnectionsPerSecond, deadline.left() * drainShare));
	await deadline.wait(ending(broker.close()));
	await deadline.wait(leaving);
	await ending(Promise.all(closing));
	gateway.outbound.close();
	// Until now, or others would take the devices that are still here.
	scheduler.stop();
	await deadline.wait(ending(leases.close()));
	await deadline.wait(ending(others?.close()));
}

/** Closes what a start that failed has opened, the last one first. */
export async function closeBegun(begun: readonly (() => Promise<unknown>)[], log: Logger): Promise<void> {
	for (const close of [...begun].reverse()) {
		await close().catch((error: unknown) => log.warn({ err: error }, 'a part of a start that failed could not be closed'));
	}
}
