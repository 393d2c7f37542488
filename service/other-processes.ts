import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Config } from '../config/index.ts';
import { openDeviceConnections } from '../inventory/index.ts';
import { type DocumentStore, openProcessRecords } from '../store/index.ts';
import type { LeaseKeeper } from './leases.ts';
import { createHandover } from './mqtt/index.ts';
import type { Job } from './scheduler.ts';
import { version } from './version.ts';

export type OtherProcesses = Awaited<ReturnType<typeof openOtherProcesses>>;

/** What a process does because others work on the same store: it beats, sees who is gone, hands devices over, and one cleans up. */
export async function openOtherProcesses(options: {
	readonly id: string;
	readonly store: DocumentStore;
	readonly config: Config['processes'];
	readonly clock: () => number;
	readonly elapsed: () => number;
	readonly leases: LeaseKeeper;
	readonly log: Logger;
}) {
	const { id, store, config, clock, elapsed, leases, log } = options;
	const leaseMilliseconds = config.leaseSeconds * 1000;
	const records = await openProcessRecords({ store, elapsed, leaseMilliseconds });
	const connections = await openDeviceConnections({ store });
	const self = { _id: id, startedAt: clock(), host: hostname(), version };
	let beatAt = elapsed();
	const handover = createHandover({
		connections,
		process: id,
		isGone: records.isGone,
		isSilent: () => elapsed() - beatAt >= leaseMilliseconds,
		waitMilliseconds: config.takeoverWaitSeconds * 1000,
		log,
	});
	await records.beat(self);
	await records.look();
	const leader = leases.holdLease('housekeeping', { onHeld: () => {} });

	async function beat(): Promise<void> {
		const began = elapsed();
		if (!(await records.beat(self))) {
			log.warn({ process: id }, 'other processes took this one for gone: its devices connect again');
			handover.closeAll();
		}
		if (elapsed() - beatAt >= leaseMilliseconds) handover.wasSilent();
		beatAt = began;
		await records.look();
	}

	/** A process is forgotten last: while its record is there, somebody cleans up after it. */
	async function cleanUp(): Promise<void> {
		for (const gone of records.listGone()) {
			log.info({ gone }, 'a process is gone');
			if (await handover.forget(gone)) await records.removeGone(gone);
		}
	}

	const jobs: Job[] = [
		{ name: 'heartbeat', everyMilliseconds: leaseMilliseconds / 3, run: beat },
		{ name: 'hand-over sweep', everyMilliseconds: leaseMilliseconds / 3, run: handover.sweep },
		{ name: 'housekeeping', everyMilliseconds: leaseMilliseconds, once: true, run: cleanUp },
	];

	/** Says that this process ends: nobody need wait to see it gone. */
	async function close(): Promise<void> {
		await handover.close();
		await records.remove(id);
	}

	return { handover, jobs, isLeader: () => leader.current() !== undefined, count: records.count, close };
}
