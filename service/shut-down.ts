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
}): Promise<void> {
	const { config, elapsed, listeners, broker, bridge, gateway, scheduler, leases, others } = parts;
	const { drainDelaySeconds, drainConnectionsPerSecond } = config.processes;
	const deadline = createDeadline(config.server.shutdownGraceSeconds * 1000, elapsed);
	await deadline.pause(drainDelaySeconds * 1000);
	const closing = listeners.map((listener) => listener.close(deadline.left()));
	const leaving = bridge?.close(deadline.left() * drainShare);
	await broker.drain(drainConnectionsPerSecond, deadline.left() * drainShare);
	await deadline.wait(broker.close());
	if (leaving) await deadline.wait(leaving);
	await Promise.all(closing);
	gateway.outbound.close();
	// Until now, or others would take the devices that are still here.
	scheduler.stop();
	await deadline.wait(leases.close());
	if (others) await deadline.wait(others.close());
}

/** Closes what a start that failed has opened, the last one first. */
export async function closeBegun(begun: readonly (() => Promise<unknown>)[], log: Logger): Promise<void> {
	for (const close of [...begun].reverse()) {
		await close().catch((error: unknown) => log.warn({ err: error }, 'a part of a start that failed could not be closed'));
	}
}
