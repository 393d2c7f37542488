import type { Logger } from 'pino';
import type { Config } from '../config/index.ts';
import { openEvents } from '../events/index.ts';
import type { Binaries } from '../inventory/index.ts';
import type { DocumentStore } from '../store/index.ts';
import type { Job } from './scheduler.ts';

const dayMilliseconds = 86_400_000;
const retentionEveryMilliseconds = 3_600_000;

/** Events on a store, with the job that lets old ones go. */
export async function composeEvents({
	config: { events: kept, limits },
	store,
	binaries,
	isShared,
	clock,
	log,
}: {
	readonly config: Pick<Config, 'events' | 'limits'>;
	readonly store: DocumentStore;
	readonly binaries: Pick<Binaries, 'attach'>;
	/** Whether other processes may have the same database. */
	readonly isShared: boolean;
	readonly clock: () => number;
	readonly log: Logger;
}) {
	const events = await openEvents({
		store,
		binaries,
		clock,
		numbersAtATime: isShared ? 1 : 100,
		limits: {
			eventMaxBytes: limits.managedObjectMaxBytes,
			maxFragments: limits.fragmentsMax,
			maxPerDevice: kept.maxPerDevice,
			retentionMilliseconds: kept.retentionDays * dayMilliseconds,
		},
	});
	// Not by the store's own expiry: that would leave the files of the events behind.
	const retention: Job = {
		name: 'event retention',
		everyMilliseconds: retentionEveryMilliseconds,
		once: true,
		async run() {
			const removed = await events.removeOld();
			if (removed > 0) log.info({ removed }, 'old events were removed');
		},
	};
	return { events, jobs: [retention] };
}
